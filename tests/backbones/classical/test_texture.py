"""classical/texture.py: local binary patterns are scikit-image's, to the last of them."""

import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from classical_reference import MADE, even, grey, made, noise, patterns
from fieldguide.backbones.classical import texture
from fieldguide.backbones.classical.texture import binary_patterns
from onnx_piece import run


def found(image, points, radius, what="features"):
    part = binary_patterns(len(image), points, radius, 4)
    shape = "a, b" if what == "features" else "a, b, c, d"
    greys = grey(image)[None, None].astype(np.float32)
    return run([part], f"float[{shape}] texture_{points}_{radius}_{what}", grey=greys)[0]


@pytest.mark.parametrize(("points", "radius"), [(8, 1), (8, 2), (16, 3)])
@pytest.mark.parametrize(("name", "size"), MADE)
def test_every_pattern_is_scikit_images(name, size, points, radius):
    image = made(name, size)
    expected = local_binary_pattern(grey(image), points, radius, "uniform")
    assert (found(image, points, radius, "patterns")[0] == expected).all()
    np.testing.assert_allclose(found(image, points, radius), patterns(image, points, radius, 4), rtol=1e-6)


@pytest.mark.parametrize("level", range(0, 256, 5))
def test_on_even_images_of_any_level(level):
    """Everywhere a neighbour equals the pixel but for rounding, and scikit-image's rounding decides."""
    image = np.full((256, 256, 3), level, np.uint8)
    expected = local_binary_pattern(grey(image), 16, 3, "uniform")
    assert (found(image, 16, 3, "patterns")[0] == expected).all()


def test_in_single_precision_patterns_would_differ(monkeypatch):
    """The control: what double precision is for."""
    expected = found(even(64), 16, 3)
    shares = texture._shares
    monkeypatch.setattr(texture, "_GREY", texture._GREY.replace("int = 11", "int = 1"))
    monkeypatch.setattr(texture, "_shares", lambda *of: shares(*of).astype(np.float32))
    assert np.abs(found(even(64), 16, 3) - expected).max() > 0.01
    assert (found(noise(64), 16, 3) > 0).any()


def test_name_and_width_of_the_part():
    assert binary_patterns(64, 16, 3, 4).depth == ("texture:16@3", 18 * 16)
