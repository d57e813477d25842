"""Photos added to what is learned from: which join, which change a label, which stay out."""

import json

import pytest

from fieldguide.additions import extended, told
from fieldguide.cli import main
from fieldguide.dataset import open_dataset
from fieldguide.photo_store import PhotoStore


@pytest.fixture
def data(tmp_path, paint_classes):
    for split, count in (("train", 3), ("validation", 2), ("test", 2)):
        paint_classes(tmp_path / "data" / split, {"red": count, "blue": count}, first=10 * count)
    return tmp_path / "data"


@pytest.fixture
def store(tmp_path):
    return PhotoStore(tmp_path / "corrections")


def opened(path):
    with open_dataset(path, minimum_classes=1) as dataset:
        return dataset


def joined(data, store):
    return extended(opened(data), opened(store.table))


def test_new_photos_join_training_alone(data, store, paint, tmp_path):
    store.record(paint(tmp_path / "new.png", (9, 9, 200), 1).read_bytes(), "blue", name="new.png", batch="b")
    before, after = opened(data), joined(data, store)
    assert len(after) == len(before) + 1
    assert (after.labels[-1], after.splits[-1]) == ("blue", "train")
    assert after.select("test").paths == before.select("test").paths
    assert after.select("validation").paths == before.select("validation").paths
    assert told(after) == ("added: 1 image",)


def test_a_photo_of_train_gets_the_added_label_and_comes_once(data, store):
    path = data / "train" / "red" / "030.png"
    store.record(path.read_bytes(), "blue", name="mine.png")
    before, after = opened(data), joined(data, store)
    assert after.paths == before.paths
    assert after.labels[after.paths.index(str(path))] == "blue"
    assert told(after) == ("added: 0 images, 1 label changed of images that DATA has",)


def test_what_is_measured_on_is_never_learned_from(data, store):
    store.record((data / "test" / "red" / "020.png").read_bytes(), "blue", name="a.png")
    store.record((data / "validation" / "red" / "020.png").read_bytes(), "red", name="b.png")
    before, after = opened(data), joined(data, store)
    assert (after.paths, after.labels) == (before.paths, before.labels)
    # Both folders hold the same picture, so it is one photo in the store.
    assert told(after) == ("added: 0 images, 1 left out that DATA keeps to measure with",)


def test_a_label_that_is_no_class_makes_none(data, store, paint, tmp_path):
    store.record(paint(tmp_path / "new.png", (90, 200, 9), 1).read_bytes(), "mauve", name="new.png")
    after = joined(data, store)
    assert after.classes == ("blue", "red")
    assert told(after) == ("added: 0 images, 1 left out whose label is no class of DATA",)


def test_of_added_photos_with_splits_only_train_joins(data, tmp_path, paint_classes):
    for split, first in (("train", 50), ("test", 60)):
        paint_classes(tmp_path / "more" / split, {"red": 1, "blue": 1}, first=first)
    after = extended(opened(data), opened(tmp_path / "more"))
    assert told(after) == ("added: 2 images",)
    assert all("/train/" in path for path in after.paths[-2:])


def test_groups_of_either_are_kept(tmp_path, paint, store):
    rows = []
    for number, label in enumerate(("red", "blue")):
        paint(tmp_path / f"{number}.png", (200, 9, 9), number)
        rows.append({"path": f"{number}.png", "label": label, "group": f"shop {number}"})
    table = tmp_path / "table.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)))
    store.record(paint(tmp_path / "new.png", (9, 9, 200), 1).read_bytes(), "blue", name="new.png")
    assert joined(table, store).groups == ("shop 0", "shop 1", "")


def test_training_learns_from_them_and_says_so(data, store, paint, tmp_path, capsys):
    for number in range(4):
        photo = paint(tmp_path / f"{number}.png", (60, 60, 200), 70 + number)
        store.record(photo.read_bytes(), "blue", name=photo.name)
    out, report = tmp_path / "m.onnx", tmp_path / "m.json"
    order = ["train", str(data), "--out", str(out), "--recipe", "svm", "--preset", "fast"]
    assert main([*order, "--add", str(store.table), "--json", str(report)]) == 0
    result = json.loads(report.read_text())
    assert result["images"]["used"] == 6 + 4
    assert "added: 4 images" in result["choices"]
    assert result["validation"]["n"] == 4
    assert "note: added: 4 images" in capsys.readouterr().err
