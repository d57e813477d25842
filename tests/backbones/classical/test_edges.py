"""classical/edges.py: histograms of oriented gradients are scikit-image's."""

import numpy as np
import pytest
from skimage.feature import hog

from classical_reference import MADE, made
from fieldguide.backbones.classical import edges
from fieldguide.backbones.classical.cells import Piece
from fieldguide.backbones.classical.edges import gradient_histograms, oriented_gradients
from onnx_piece import planes, run


@pytest.mark.parametrize("cells", [8, 4])
@pytest.mark.parametrize(("name", "size"), MADE)
def test_they_are_scikit_images(name, size, cells):
    image = made(name, size)
    part = oriented_gradients("fine" if cells == 8 else "coarse", size, cells)
    found = run(
        [gradient_histograms(size), part], f"float[batch, width] {part.features}", planes=planes(image)
    )
    cell = size // cells
    expected = hog(image, 9, (cell, cell), (2, 2), channel_axis=-1)
    assert part.depth == (f"edges:{cell}", len(expected))
    np.testing.assert_allclose(found[0], expected, atol=2e-6)


def test_every_difference_has_the_orientation_of_its_arc_tangent():
    across, down = (plane[None, None].astype(np.float32) for plane in np.mgrid[-255:256, -255:256])
    constants = gradient_histograms(64).constants
    found = run(
        [Piece(edges._ORIENTATIONS, {"cotangents": constants["cotangents"]})],
        "float[a, b, c, d] orientation",
        across=across,
        down=down,
        magnitude=np.ones_like(across),
    )
    # As scikit-image counts: a border belongs to the orientation that begins there.
    expected = np.floor(np.rad2deg(np.arctan2(down.astype(float), across.astype(float))) % 180 / 20)
    expected[(down == 0) & (across < 0)] = 0  # arctan2 gives 180°, of which the remainder is 0
    moving = (across != 0) | (down != 0)
    assert (found[moving] == expected[moving]).all()


def test_even_images_have_no_edges():
    part = oriented_gradients("fine", 64, 8)
    image = np.full((64, 64, 3), 200, np.uint8)
    found = run([gradient_histograms(64), part], f"float[a, b] {part.features}", planes=planes(image))
    assert (found == 0).all()
