"""classical/colour.py: histograms are numpy's, moments those of their formulas."""

import numpy as np
import pytest

from classical_reference import MADE, by_cell, histogram, made, moments
from fieldguide.backbones.classical.colour import colour_histograms, colour_moments
from onnx_piece import planes, run


@pytest.mark.parametrize(("name", "size"), MADE)
def test_histograms_are_numpys(name, size):
    image, part = made(name, size), colour_histograms(size, 2)
    found = run([part], f"float[batch, width] {part.features}", planes=planes(image))[0]
    assert part.depth == ("colours:2", len(found))
    np.testing.assert_allclose(found, by_cell(image, 2, histogram), rtol=1e-6)


@pytest.mark.parametrize(("name", "size"), MADE)
def test_moments_are_those_of_the_formulas(name, size):
    image, part = made(name, size), colour_moments(size, 4)
    found = run([part], f"float[batch, width] {part.features}", planes=planes(image))[0]
    assert part.depth == ("moments:4", len(found))
    np.testing.assert_allclose(found, by_cell(image, 4, moments), atol=1e-5)


def test_every_level_falls_into_its_step():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for colour in range(3):
        image = np.zeros((16, 16, 3), np.uint8)
        image[..., colour] = levels
        part = colour_histograms(16, 2)
        found = run([part], f"float[batch, width] {part.features}", planes=planes(image))[0]
        assert found.tolist() == by_cell(image, 2, histogram).tolist()
