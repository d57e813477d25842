"""A network behind the square of another one."""

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from fieldguide.backbones.classical.export import export_classical
from fieldguide.recipes.auto.squares import from_square


def features(body, pixels):
    session = onnxruntime.InferenceSession(body.path, providers=["CPUExecutionProvider"])
    return session.run(["features"], {"pixels": pixels})[0]


@pytest.mark.parametrize("size", [48, 144, 300])
def test_it_sees_what_its_own_preprocessing_makes_of_the_square(size):
    own = export_classical()
    behind = from_square(own, size)
    assert behind.preprocessing.size == size
    assert (behind.features, behind.depths, behind.name) == (own.features, own.depths, "classical")
    assert behind.digest != own.digest
    squares = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    resized = np.stack([own.preprocessing.resize(Image.fromarray(square)) for square in squares])
    np.testing.assert_allclose(features(behind, squares), features(own, resized), rtol=1e-5, atol=1e-5)


def test_its_own_size_changes_nothing():
    own = export_classical()
    assert from_square(own, own.preprocessing.size) is own
