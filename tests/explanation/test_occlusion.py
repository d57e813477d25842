"""Covering places: what the score rests on is found, what it does not rest on is not."""

import numpy as np
import pytest

from fieldguide.explanation.occlusion import occlude

SIZE = 48


def bright_corner(images):
    """A score that rests on the contrast within one corner alone; the second class is its opposite."""
    corner = images[:, :12, 36:].astype(np.float64).std((1, 2, 3))
    return np.stack([corner, -corner], axis=1)


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def test_the_corner_that_counts_is_found(noise):
    found = occlude(bright_corner, noise, 0, SIZE)
    assert found.shape == (SIZE, SIZE)
    assert found[:8, 40:].min() > 1
    assert np.abs(found[24:, :24]).max() == 0
    np.testing.assert_allclose(occlude(bright_corner, noise, 1, SIZE), -found)


def test_a_smaller_map_is_the_mean_of_the_large_one(noise):
    large = occlude(bright_corner, noise, 0, SIZE)
    np.testing.assert_allclose(occlude(bright_corner, noise, 0, 6), large.reshape(6, 8, 6, 8).mean((1, 3)))


def test_every_pixel_is_covered_and_the_image_stays_as_it_was(noise):
    before, seen = noise.copy(), np.zeros((SIZE, SIZE), bool)

    def watching(images):
        seen[:] |= (images != before).any((0, 3))
        return np.zeros((len(images), 1))

    occlude(watching, noise, 0, SIZE)
    assert seen.mean() > 0.999  # a blurred pixel may by chance be what it was
    np.testing.assert_array_equal(noise, before)


def test_the_smallest_image_can_be_covered():
    assert occlude(lambda images: np.zeros((len(images), 1)), np.zeros((1, 1, 3), np.uint8), 0, 4).shape == (
        4,
        4,
    )
