"""Where cells lie: nothing is lost, and every view is recognised and brought back."""

import itertools

import numpy as np
import pytest

from fieldguide.explanation.upsampling import (
    MOVES,
    View,
    move_of,
    moved_view,
    plain_view,
    recognise_views,
    spread,
    spread_view,
)

SIZE = 12


@pytest.mark.parametrize(("side", "cells"), [(12, 3), (12, 5), (7, 9), (1, 4), (10, 1), (5, 5)])
def test_what_a_cell_holds_is_shared_evenly_and_whole(side, cells):
    shares = spread(side, cells)
    assert shares.shape == (side, cells)
    np.testing.assert_allclose(shares.sum(0), 1)
    np.testing.assert_allclose(shares.sum(1), cells / side)
    assert (shares >= 0).all()


def test_cells_cover_their_own_pixels():
    np.testing.assert_array_equal(spread(4, 2), [[0.5, 0], [0.5, 0], [0, 0.5], [0, 0.5]])
    np.testing.assert_allclose(spread(3, 2), [[2 / 3, 0], [1 / 3, 1 / 3], [0, 2 / 3]])


def views_of(image):
    """What the networks of fieldguide look at, as `learned_network` makes them."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    plain = [image, padded[:-2, :-2], padded[2:, 2:]]
    return [*plain, *(view[:, ::-1] for view in plain)]


def test_views_are_recognised_whatever_the_normalisation():
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    stacked = np.stack(views_of(image)).transpose(0, 3, 1, 2) * np.float32(0.01) - np.float32(0.4)
    for view, way in zip(views_of(image), recognise_views(image, stacked), strict=True):
        np.testing.assert_array_equal(image[way.rows][:, way.columns], view)


@pytest.mark.parametrize("strange", ["turned", "noise", "moved far"])
def test_other_views_are_not_taken_for_known_ones(strange):
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    views = {
        "turned": np.rot90(image),
        "noise": np.random.default_rng(1).integers(0, 256, image.shape, dtype=np.uint8),
        "moved far": np.roll(image, 3, axis=0),
    }
    stacked = np.stack([image, views[strange]]).transpose(0, 3, 1, 2).astype(np.float32)
    assert recognise_views(image, stacked) is None


def test_what_a_view_shows_comes_back_to_its_place():
    marked = np.zeros((SIZE, SIZE, 3), np.uint8)
    marked[3, 8] = 200
    noise = np.random.default_rng(0).integers(0, 256, marked.shape, dtype=np.uint8)
    stacked = np.stack(views_of(noise)).transpose(0, 3, 1, 2).astype(np.float32)
    for view, way in zip(views_of(marked), recognise_views(noise, stacked), strict=True):
        seen = view[:, :, 0].astype(float)
        back = spread_view(SIZE, SIZE, way.rows) @ seen @ spread_view(SIZE, SIZE, way.columns).T
        np.testing.assert_allclose(back, marked[:, :, 0])


@pytest.mark.parametrize(("side", "cells"), [*itertools.product((5, 12), (2, 3, 12))])
def test_no_view_loses_anything(side, cells):
    noise = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    stacked = np.stack(views_of(noise)).transpose(0, 3, 1, 2).astype(np.float32)
    for way in (plain_view(SIZE), *recognise_views(noise, stacked)):
        np.testing.assert_allclose(spread_view(side, cells, way.rows).sum(0), 1)
        np.testing.assert_allclose(spread_view(side, cells, way.columns).sum(0), 1)


@pytest.mark.parametrize("move", MOVES)
def test_how_a_view_is_made_is_told(move):
    assert move_of(moved_view(SIZE, move)) == move


def test_a_view_that_is_made_otherwise_is_not_told():
    far = View(np.roll(np.arange(SIZE), 3), np.arange(SIZE))
    with pytest.raises(ValueError, match="view: must be moved by a pixel at most, or mirrored"):
        move_of(far)
