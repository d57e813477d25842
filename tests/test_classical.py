"""Classical features: each part against scikit-image, numpy and Pillow, then all of them as one ONNX file."""

import dataclasses
import json

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from skimage.feature import hog, local_binary_pattern

from fieldguide import backbone_onnx, classical_texture, network_runner
from fieldguide.classical import SIZE, export_classical
from fieldguide.classical_cells import grey_levels
from fieldguide.classical_colour import ColourHistograms, ColourMoments
from fieldguide.classical_edges import OrientedGradients
from fieldguide.classical_network import ClassicalNetwork
from fieldguide.classical_texture import BinaryPatterns
from fieldguide.errors import OptionError
from fieldguide.features import extract
from fieldguide.images import open_image
from fieldguide.model_operators import OPERATORS
from fieldguide.network_runner import OnnxRunner, best_runner
from fieldguide.preprocess import Preprocessing


def noise(size):
    return np.random.default_rng(size).integers(0, 256, (size, size, 3), dtype=np.uint8)


def even(size):
    """Large even surfaces, where binary patterns hang on the last bit, and full contrast."""
    image = np.full((size, size, 3), 253, np.uint8)
    image[size // 3 :, : size // 2] = (3, 77, 255)
    image[5:9, 7:50] = 0
    return image


def ramp(size):
    return np.broadcast_to(np.linspace(0, 255, size).astype(np.uint8)[:, None, None], (size, size, 3)).copy()


def blotches(size):
    small = np.random.default_rng(5).integers(0, 256, (7, 6, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC))


IMAGES = {"noise": noise, "even": even, "ramp": ramp, "blotches": blotches}


@pytest.fixture(params=[(name, size) for name in IMAGES for size in (64, 96)], ids=str)
def image(request):
    name, size = request.param
    return IMAGES[name](size)


@pytest.fixture(scope="session")
def photos(pytestconfig):
    folder = pytestconfig.rootpath.parent / "shared" / "data"
    found = [*sorted(folder.glob("brain_mri/*/*"))[:10], *sorted(folder.glob("clothing/train/*/*"))[::150]]
    if not found:
        pytest.skip("the photo sets are not beside the checkout")
    return [Preprocessing(SIZE).resize(open_image(str(path))) for path in found]


def computed(module, image):
    planes = torch.from_numpy(np.array(image))[None].permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        return module(planes)[0].numpy()


def grey(image):
    return np.asarray(Image.fromarray(image).convert("L"))


def in_cells(image, cells, count):
    """Apply `count` to each square of a grid."""
    side = len(image) // cells
    squares = [
        image[row * side : (row + 1) * side, column * side : (column + 1) * side]
        for row in range(cells)
        for column in range(cells)
    ]
    return np.concatenate([np.ravel(count(square)) for square in squares])


def patterns(image, points, radius, cells):
    found = local_binary_pattern(grey(image), points, radius, "uniform").astype(int)
    return in_cells(
        found, cells, lambda square: np.bincount(square.ravel(), minlength=points + 2) / square.size
    )


def colours(square):
    found, _ = np.histogramdd(square.reshape(-1, 3), 4, range=[(0, 256)] * 3)
    return found / found.sum()


def moments(square):
    red, green, blue = square.reshape(-1, 3).astype(float).T
    opponents = [(red + green + blue) / 765, (red - green) / 510, (red + green - 2 * blue) / 1020]
    third = [np.cbrt(((colour - colour.mean()) ** 3).mean()) for colour in opponents]
    return [colour.mean() for colour in opponents] + [colour.std() for colour in opponents] + third


def check_all(image):
    size = len(image)
    for cell in (8, 16):
        expected = hog(image, 9, (cell, cell), (2, 2), channel_axis=-1)
        np.testing.assert_allclose(computed(OrientedGradients(size, cell), image), expected, atol=1e-4)
    for points, radius in ((8, 1), (8, 2), (16, 3)):
        expected = patterns(image, points, radius, 4)
        np.testing.assert_allclose(
            computed(BinaryPatterns(size, points, radius, 4), image), expected, atol=1e-6
        )
    np.testing.assert_allclose(computed(ColourHistograms(2), image), in_cells(image, 2, colours), atol=1e-6)
    np.testing.assert_allclose(computed(ColourMoments(4), image), in_cells(image, 4, moments), atol=1e-5)


def test_every_part_is_that_of_the_reference(image):
    check_all(image)


@pytest.mark.shared
def test_every_part_is_that_of_the_reference_on_photos(photos):
    for photo in photos:
        check_all(photo)


def test_grey_levels_are_pillows():
    image = noise(96)
    planes = torch.from_numpy(image)[None].permute(0, 3, 1, 2).float()
    assert (grey_levels(planes)[0, 0].numpy() == grey(image)).all()


def test_in_single_precision_binary_patterns_would_differ(monkeypatch):
    """The control: what double precision is for."""
    image, module, steps = even(64), BinaryPatterns(64, 16, 3, 4), classical_texture._steps
    monkeypatch.setattr(torch.Tensor, "double", torch.Tensor.float)
    monkeypatch.setattr(classical_texture, "_steps", lambda *at: (steps(*at)[0], steps(*at)[1].float()))
    single = computed(module, image)
    assert np.abs(single - patterns(image, 16, 3, 4)).max() > 0.01


def test_the_network_is_its_parts_side_by_side():
    network = ClassicalNetwork(SIZE)
    assert network.depths[0][0] == "edges:8"
    with torch.inference_mode():
        (features,) = network(torch.from_numpy(blotches(SIZE))[None])
    start = 0
    for part, (_, width) in zip(network.parts, network.depths, strict=True):
        assert features[0, start : start + width].tolist() == computed(part, blotches(SIZE)).tolist()
        start += width
    assert features.shape == (1, start)


@pytest.fixture(scope="module")
def exported():
    return export_classical()


def test_the_file_gives_what_the_parts_give(exported):
    images = np.stack([make(SIZE) for make in IMAGES.values()])
    features = OnnxRunner(exported)(images)
    assert features.dtype == np.float32
    expected = np.stack(
        [np.concatenate([computed(part, image) for part in ClassicalNetwork(SIZE).parts]) for image in images]
    )
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_the_file_needs_no_operator_that_a_model_file_may_not_have(exported):
    used = {node.op_type for node in onnx.load(exported.path).graph.node}
    assert used <= OPERATORS


def test_what_is_said_of_it(exported):
    assert (exported.name, exported.licence, exported.source) == ("classical", "MIT", "computed, no weights")
    assert exported.features == sum(width for _, width in exported.depths) == 2936
    assert exported.preprocessing.size == SIZE


def test_it_is_made_once_and_a_damaged_file_anew(exported, monkeypatch):
    content, made = exported.path.read_bytes(), []
    monkeypatch.setattr(backbone_onnx, "to_onnx", lambda network, name: made.append(name) or content)
    assert export_classical() == exported
    assert made == []
    exported.path.write_bytes(content[:-1])
    assert export_classical() == exported
    assert made == ["classical"]
    assert exported.path.read_bytes() == content
    exported.path.with_suffix(".json").write_text(json.dumps([]))
    assert export_classical() == exported
    assert made == ["classical"] * 2


def test_a_size_that_does_not_fit_the_cells():
    with pytest.raises(OptionError, match="size: must be a multiple of 16 from 32 to 256, got 100"):
        export_classical(100)


def test_beside_a_gpu_it_still_runs(exported, monkeypatch):
    monkeypatch.setattr(network_runner, "_may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert isinstance(best_runner(exported), OnnxRunner)


def test_features_are_cached_like_those_of_a_backbone(exported, tmp_path, paint):
    path = str(paint(tmp_path / "red.png", (200, 60, 60), 0))
    first = extract([path], exported, cache=tmp_path / "cache")
    second = extract([path], exported, cache=tmp_path / "cache")
    assert (first.cached, second.cached) == (0, 1)
    assert (first.vectors == second.vectors).all()
    changed = dataclasses.replace(exported, digest="0" * 64)
    assert extract([path], changed, cache=tmp_path / "cache").cached == 0
