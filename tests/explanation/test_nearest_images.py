"""The most alike training images: found by what the model sees, and kept for the next photo."""

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError, RefusedInput
from fieldguide.explanation import nearest_images as module
from fieldguide.explanation.nearest_images import nearest
from fieldguide.prediction.predictor import load
from tiny_model import write_tiny_model


@pytest.fixture
def model(tmp_path):
    return load(write_tiny_model(tmp_path / "model.onnx"))


@pytest.fixture
def dataset(tmp_path):
    """Greys to be passed over, and colours; the embedding of the tiny model is the mean colour."""
    pixels = {"red": (220, 30, 40), "rose": (220, 120, 130), "green": (30, 200, 40), "blue": (20, 40, 210)}
    paths = []
    for number, (name, pixel) in enumerate(pixels.items()):
        paths.append(tmp_path / f"{number}_{name}.png")
        Image.new("RGB", (20, 20), pixel).save(paths[-1])
    broken = tmp_path / "4_broken.png"
    broken.write_bytes(b"no image")
    return Dataset(tmp_path, tuple(map(str, [*paths, broken])), (*pixels, "broken"))


PHOTO = Image.new("RGB", (30, 30), (230, 40, 50))


def test_the_most_alike_come_first(model, dataset):
    found = nearest(model, PHOTO, dataset)
    assert [one.label for one in found][:2] == ["red", "rose"]
    assert len(found) == 4
    assert found[0].path == dataset.paths[0]
    similarity = [one.similarity for one in found]
    assert similarity == sorted(similarity, reverse=True)
    assert 0.9 < similarity[0] <= 1 + 1e-6
    assert [one.label for one in nearest(model, PHOTO, dataset, count=1)] == ["red"]


def test_each_feature_counts_by_its_own_deviation(model, tmp_path):
    """Blue varies by a tenth of what red does: only by its own measure the second is the more alike."""
    paths = []
    for number, pixel in enumerate([(250, 0, 0), (0, 0, 20), (250, 0, 20), (0, 0, 0)]):
        paths.append(tmp_path / f"{number}.png")
        Image.new("RGB", (20, 20), pixel).save(paths[-1])
    data = Dataset(tmp_path, tuple(map(str, paths)), ("a", "b", "c", "d"))
    found = nearest(model, Image.new("RGB", (9, 9), (140, 0, 20)), data)
    assert [one.label for one in found][:2] == ["c", "b"]


def test_what_was_embedded_is_kept_until_a_file_changes(model, dataset, tmp_path, monkeypatch):
    cache, calls = tmp_path / "cache", []
    real = module._computed
    monkeypatch.setattr(module, "_computed", lambda *given: calls.append(1) or real(*given))
    first = nearest(model, PHOTO, dataset, cache=cache)
    assert nearest(model, PHOTO, dataset, cache=cache) == first
    assert len(calls) == 1
    Image.new("RGB", (21, 21), (10, 20, 210)).save(dataset.paths[0])
    assert nearest(model, PHOTO, dataset, cache=cache)[0].label == "rose"
    assert len(calls) == 2


@pytest.mark.parametrize("damage", [b"", b"junk", "cut", "pickle"])
def test_a_damaged_cache_is_made_anew(model, dataset, tmp_path, damage):
    cache = tmp_path / "cache"
    first = nearest(model, PHOTO, dataset, cache=cache)
    (kept,) = (cache / "embeddings").iterdir()
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:-1])
    elif damage == "pickle":
        np.save(kept, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    else:
        kept.write_bytes(damage)
    assert nearest(model, PHOTO, dataset, cache=cache) == first


def test_a_cache_that_cannot_be_written_costs_time_only(model, dataset, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert nearest(model, PHOTO, dataset, cache=tmp_path / "file") == nearest(model, PHOTO, dataset)


def test_images_all_alike_have_no_order_and_no_error(model, tmp_path):
    for number in range(3):
        PHOTO.save(tmp_path / f"{number}.png")
    data = Dataset(tmp_path, tuple(str(tmp_path / f"{number}.png") for number in range(3)), ("a",) * 3)
    assert [one.similarity for one in nearest(model, PHOTO, data)] == [0, 0, 0]


def test_nothing_to_compare_with_is_said(model, dataset, tmp_path):
    broken = dataset.take([4])
    with pytest.raises(DataError, match="none of its 1 images can be read"):
        nearest(model, PHOTO, broken)
    with pytest.raises(RefusedInput, match="missing"):
        nearest(model, tmp_path / "gone.png", dataset)


def test_of_many_images_a_sample_is_looked_at(model, dataset, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    found = nearest(model, PHOTO, dataset)
    assert len(found) <= 2
    assert found == nearest(model, PHOTO, dataset)
