"""`fieldguide demo`: its photos, and the whole line with a tiny and with the real backbone."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

import fieldguide
from fieldguide import demo as demo_module
from fieldguide.data.dataset import open_dataset
from fieldguide.demo import TEST_EVERY, demo, write_digits, write_photos
from fieldguide.recipes import linear_probe
from fieldguide.recipes.linear_probe import LinearProbePreset


def test_the_digits_are_written_as_split_folders(tmp_path):
    with open_dataset(write_digits(tmp_path / "digits")) as dataset:
        assert len(dataset) == 1797
        assert dataset.classes == tuple("0123456789")
        test = dataset.select("test")
        assert len(test) == len(range(0, 1797, TEST_EVERY))
        assert len(dataset.select("train").classes) == len(test.classes) == 10
    bunch = load_digits()
    path = tmp_path / "digits" / "train" / str(bunch.target[5]) / "0005.png"
    grey = np.asarray(Image.open(path)).astype(float)
    np.testing.assert_allclose(grey, 255 - bunch.images[5] * 255 / 16, atol=0.5)


def test_the_photos_are_written_without_loss(tmp_path):
    folder = write_photos(tmp_path / "new" / "photos")
    bunch = load_sample_images()
    written = [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]
    assert sorted(path.name for path in folder.iterdir()) == ["china.png", "flower.png"]
    for image, expected in zip(written, bunch.images, strict=True):
        np.testing.assert_array_equal(image, expected)


def check_story(model, out, said):
    story = "\n".join(said)
    for number in range(1, 6):
        assert f"\n{number}. " in f"\n{story}"
    assert "handwritten digits" in said[0]
    assert "Measured on" in story
    assert story.count("china.png: ") == story.count("flower.png: ") == 2
    assert model == out / "digits.onnx"
    assert fieldguide.load(model).classes == tuple("0123456789")
    assert len(fieldguide.load(out / "imagenet.onnx").classes) == 1000
    assert f"fieldguide predict {model}" in story


def test_the_whole_line_with_a_tiny_backbone(tmp_path, tiny_hub, monkeypatch):
    def few(folder):
        real(folder)
        for path in sorted(folder.rglob("*.png")):
            if int(path.stem) % 12 > 1:
                path.unlink()
        return folder

    real = write_digits
    monkeypatch.setattr(demo_module, "write_digits", few)
    monkeypatch.setattr(demo_module, "BACKBONE", "test_efficientnet")
    monkeypatch.setattr(linear_probe, "PRESETS", {"fast": LinearProbePreset("test_efficientnet", 64, "tiny")})
    said, steps = [], []
    model = demo(tmp_path / "out", progress=lambda *step: steps.append(step[0]), say=said.append)
    check_story(model, tmp_path / "out", said)
    assert {"features", "evaluating"} <= set(steps)
    measured = next(line for line in said if line.startswith("3."))
    assert float(measured.split("accuracy ")[1].split()[0]) > 0.4  # chance is 0.1


@pytest.mark.long
def test_the_whole_line(tmp_path):
    said = []
    check_story(demo(tmp_path, say=said.append), tmp_path, said)
    measured = next(line for line in said if line.startswith("3."))
    assert float(measured.split("accuracy ")[1].split()[0]) > 0.95
    unknown = [line for line in said if "typicality" in line]
    assert len(unknown) == 2
    assert all("unknown, none of the classes" in line for line in unknown)
