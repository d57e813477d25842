"""Photos added to what is learned from: which join, which change a label, which stay out."""

import dataclasses
import json

import pytest

from fieldguide.cli import main
from fieldguide.data.additions import additions_summary, extended
from fieldguide.data.dataset import open_dataset
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER
from fieldguide.workspace.photo_store import PhotoStore
from tags_made import write_tagged


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
    assert additions_summary(after) == ("added: 1 image",)


def test_a_photo_of_train_gets_the_added_label_and_comes_once(data, store):
    path = data / "train" / "red" / "030.png"
    store.record(path.read_bytes(), "blue", name="mine.png")
    before, after = opened(data), joined(data, store)
    assert after.paths == before.paths
    assert after.labels[after.paths.index(str(path))] == "blue"
    assert additions_summary(after) == ("added: 0 images, 1 label changed of images that DATA has",)


def test_what_is_measured_on_is_never_learned_from(data, store):
    store.record((data / "test" / "red" / "020.png").read_bytes(), "blue", name="a.png")
    store.record((data / "validation" / "red" / "020.png").read_bytes(), "red", name="b.png")
    before, after = opened(data), joined(data, store)
    assert (after.paths, after.labels) == (before.paths, before.labels)
    # Both folders hold the same picture, so it is one photo in the store.
    assert additions_summary(after) == ("added: 0 images, 1 left out that DATA keeps for measuring",)


def test_a_label_that_is_no_class_makes_none(data, store, paint, tmp_path):
    store.record(paint(tmp_path / "new.png", (90, 200, 9), 1).read_bytes(), "mauve", name="new.png")
    after = joined(data, store)
    assert after.classes == ("blue", "red")
    assert additions_summary(after) == ("added: 0 images, 1 left out whose label is not a class of DATA",)


def test_of_added_photos_with_splits_only_train_joins(data, tmp_path, paint_classes):
    for split, first in (("train", 50), ("test", 60)):
        paint_classes(tmp_path / "more" / split, {"red": 1, "blue": 1}, first=first)
    after = extended(opened(data), opened(tmp_path / "more"))
    assert additions_summary(after) == ("added: 2 images",)
    assert all("/train/" in path for path in after.paths[-2:])


def test_an_export_may_be_added(data, paint, tmp_path):
    paint(tmp_path / "export/new.png", (9, 9, 200), 1)
    choice = {"type": "choices", "value": {"choices": ["blue"]}}
    task = {"data": {"image": "/data/upload/1/0a1b2c3d-new.png"}, "annotations": [{"result": [choice]}]}
    (tmp_path / "export/export.json").write_text(json.dumps([task]))
    after = extended(opened(data), opened(tmp_path / "export"))
    assert additions_summary(after) == ("added: 1 image",)


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
    assert "added: 4 images" in capsys.readouterr().err


def test_the_form_of_what_is_added_can_be_said(data, tmp_path, capsys):
    order = ["train", str(data), "--out", str(tmp_path / "m.onnx"), "--add", str(data)]
    assert main([*order, "--add-form", "coco"]) == 2
    assert "coco" in capsys.readouterr().err


def tagged(folder, count, **columns):
    with open_dataset(write_tagged(folder, count), tasks=EITHER) as dataset:
        return dataclasses.replace(dataset, **columns)


def test_photos_with_tags_join_and_bring_no_tag(tmp_path):
    data = tagged(tmp_path / "a", 8)
    more = tagged(tmp_path / "b", 12).take([8, 9, 10, 11])
    tags = (Tags(("red",)), Tags(("red", "dog")), Tags(), None)
    after = extended(data, dataclasses.replace(more, paths=new_files(tmp_path, 4), tags=tags))
    assert after.tags == (*data.tags, Tags(("red",)), Tags())
    assert after.labels == ("",) * 10 and after.classes == data.classes
    assert additions_summary(after) == (
        "added: 2 images, 1 left out that have a tag which DATA does not have, 1 left out that have no tags",
    )


def new_files(folder, count):
    paths = [folder / f"new{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(b"photo %d" % number)
    return tuple(map(str, paths))


def test_a_photo_that_data_has_gets_all_of_the_added_tags_and_none_that_is_measured_on(tmp_path):
    data = tagged(tmp_path / "a", 8, splits=("train",) * 4 + ("validation", "test") * 2)
    more = dataclasses.replace(data, splits=None, tags=(Tags(("blue",)),) * 8)
    after = extended(data, more)
    assert after.paths == data.paths and after.splits == data.splits
    assert after.tags == ((Tags(("blue",)),) * 4 + data.tags[4:])
    said = "added: 0 images, tags of 4 changed of images that DATA has, 4 left out that DATA keeps for"
    assert additions_summary(after) == (f"{said} measuring",)
