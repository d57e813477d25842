"""LabelMe: flags before shapes, photos beside or in a folder of their own, splits by folder."""

import os

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.entries import SEVERAL
from fieldguide.data.forms.source import DataSource
from form_samples import draw, labelme, labelme_value, write_json


def read(folder):
    with open_dataset(folder) as dataset:
        return dataset


def test_shapes_serve_where_no_flag_is_true(tmp_path):
    for stem, labels in {"a": ["cat", "cat"], "b": ["dog"], "c": ["cat", "dog"], "d": []}.items():
        draw(tmp_path / f"{stem}.jpg")
        write_json(tmp_path / f"{stem}.json", labelme_value(stem, {"cat": False}, *labels))
    dataset = read(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert f"1 entry left out: {SEVERAL}" in dataset.notes
    assert "1 entry left out: no shape on the image" in dataset.notes


def test_several_flags_or_none_are_counted(tmp_path):
    labelme(tmp_path)
    write_json(tmp_path / "a1.json", labelme_value("a1", {"cat": True, "dog": True}))
    write_json(tmp_path / "a2.json", labelme_value("a2", {}))
    dataset = read(tmp_path)
    assert len(dataset) == 4
    assert "1 entry left out: no flag is true" in dataset.notes


def test_photos_in_a_folder_beside_and_windows_paths(tmp_path):
    for number, (stem, label) in enumerate((("a", "cat"), ("b", "dog"), ("c", "cat"))):
        draw(tmp_path / f"images/{stem}.jpg", number)
        value = labelme_value(stem, {label: True})
        value["imagePath"] = f"..\\images\\{stem}.jpg" if number else f"C:\\photos\\{stem}.jpg"
        write_json(tmp_path / f"annotations/{stem}.json", value)
    dataset = read(tmp_path)
    assert [os.path.relpath(path, tmp_path) for path in dataset.paths] == [
        f"images/{stem}.jpg" for stem in "abc"
    ]


def test_a_path_that_leads_out_is_refused(tmp_path):
    folder = labelme(tmp_path / "data")
    draw(tmp_path / "outside.jpg")
    value = labelme_value("a1", {"cat": True})
    value["imagePath"] = "../outside.jpg"
    write_json(folder / "a1.json", value)
    assert [refusal.code for refusal in read(folder).refused] == ["outside"]


def test_splits_by_folder(tmp_path):
    for split, stem, label in (("train", "a", "cat"), ("train", "b", "dog"), ("val", "c", "cat")):
        draw(tmp_path / split / f"{stem}.jpg")
        write_json(tmp_path / split / f"{stem}.json", labelme_value(stem, {label: True}))
    assert read(tmp_path).splits == ("train", "train", "validation")


def test_a_shape_without_a_label_is_named(tmp_path):
    for stem, label in (("a", "cat"), ("b", "dog"), ("c", "cat")):
        draw(tmp_path / f"{stem}.jpg")
        write_json(tmp_path / f"{stem}.json", labelme_value(stem, {}, label))
    write_json(tmp_path / "c.json", {**labelme_value("c", {}), "shapes": [{"points": []}]})
    assert read(tmp_path).refused[0].path.endswith("c.json, shape 1")


def test_the_photo_inside_is_not_kept_in_memory(tmp_path):
    labelme(tmp_path)
    assert all(value["imageData"] is None for _, value in DataSource(tmp_path).json_files())
