"""classical/graph.py: the parts side by side, in operators that a model file may have."""

import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from skimage.feature import hog

from classical_reference import IMAGES, by_cell, histogram, made, moments, patterns
from fieldguide.backbones.classical.export import SIZE, SIZES
from fieldguide.backbones.classical.graph import classical_graph
from fieldguide.images.decoding import open_image
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.operators import OPERATORS


def features(images):
    model = classical_graph(images.shape[1]).model.SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (found,) = session.run(["features"], {"pixels": images})
    return found


def reference(image):
    """The same features by scikit-image, numpy and Pillow."""
    fine, coarse = len(image) // 8, len(image) // 4
    return np.concatenate(
        [
            hog(image, 9, (fine, fine), (2, 2), channel_axis=-1),
            hog(image, 9, (coarse, coarse), (2, 2), channel_axis=-1),
            patterns(image, 8, 2, 4),
            patterns(image, 16, 3, 4),
            by_cell(image, 2, histogram),
            by_cell(image, 4, moments),
        ]
    )


@pytest.mark.parametrize("size", [32, 48, SIZE, 112, 256])
def test_a_batch_has_the_features_of_the_references(size):
    images = np.stack([make(size) for make in IMAGES.values()])
    found = features(images)
    assert found.dtype == np.float32
    for row, image in zip(found, images, strict=True):
        np.testing.assert_allclose(row, reference(image), atol=1e-5)


def test_an_image_has_the_same_features_in_any_batch():
    images = np.stack([make(SIZE) for make in IMAGES.values()])
    together = features(images)
    for row, image in zip(together, images, strict=True):
        np.testing.assert_allclose(features(image[None])[0], row, atol=1e-6)


@pytest.mark.shared
def test_photos_have_the_features_of_the_references(pytestconfig):
    folder = pytestconfig.rootpath.parent / "shared" / "data"
    paths = [*sorted(folder.glob("brain_mri/*/*"))[:10], *sorted(folder.glob("clothing/train/*/*"))[::150]]
    if not paths:
        pytest.skip("the photo sets are not beside the checkout")
    photos = np.stack([Preprocessing(SIZE).resize(open_image(str(path))) for path in paths])
    for row, photo in zip(features(photos), photos, strict=True):
        np.testing.assert_allclose(row, reference(photo), atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_in_operators_that_a_model_file_may_have(size):
    graph = classical_graph(size)
    assert {node.op_type for node in graph.model.graph.node} <= OPERATORS
    (found,) = features(made("blotches", size)[None])
    assert len(found) == sum(width for _, width in graph.depths) == 2936
    assert graph.depths[0] == (f"edges:{size // 8}", 1764)


def test_the_same_size_gives_the_same_bytes():
    first, second = (classical_graph(SIZE).model.SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_building_it_loads_neither_torch_nor_onnxscript():
    code = (
        "import sys; from fieldguide.backbones.classical.graph import classical_graph;"
        "classical_graph(64); assert not {'torch', 'onnxscript', 'timm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
