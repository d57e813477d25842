"""Supervisely: tags with and without a value, splits as tags or data sets, objects without tags."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.entries import SEVERAL
from fieldguide.errors import DataError
from form_samples import draw, write_json


def annotate(folder, name, tags=(), objects=(), dataset="ds0"):
    draw(folder / dataset / f"img/{name}.jpg", len(name))
    said = [tag if isinstance(tag, (str, dict)) else {"name": tag[0], "value": tag[1]} for tag in tags]
    value = {"description": "", "size": {"width": 32, "height": 24}, "tags": said}
    value["objects"] = [{"classTitle": title, "tags": [], "geometryType": "rectangle"} for title in objects]
    write_json(folder / dataset / f"ann/{name}.jpg.json", value)


def read(folder):
    with open_dataset(folder) as dataset:
        return dataset


def test_a_tag_with_values_is_a_field(tmp_path):
    for name, species in (("a", "cat"), ("bb", "dog")):
        annotate(tmp_path, name, [("species", species), ("place", f"wood {name}")])
    dataset = read(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert "2 annotations, 2 with one value of the tag 'species'" in dataset.notes[0]


def test_two_fields_that_could_be_it(tmp_path):
    for name in ("a", "bb"):
        annotate(tmp_path, name, [("mood", name), ("place", name)])
    with pytest.raises(DataError, match=r"one tag must hold the label.*'mood', 'place'; say which"):
        read(tmp_path)


def test_tags_that_are_called_as_splits_are_splits(tmp_path):
    annotate(tmp_path, "a", [("cat", None), ("train", None)])
    annotate(tmp_path, "bb", ["dog", "train"])
    annotate(tmp_path, "ccc", [("dog", None), ("val", None)])
    dataset = read(tmp_path)
    assert dataset.labels == ("cat", "dog", "dog")
    assert dataset.splits == ("train", "train", "validation")


def test_data_sets_that_are_called_as_splits_are_splits(tmp_path):
    annotate(tmp_path, "a", ["cat"], dataset="train")
    annotate(tmp_path, "bb", ["dog"], dataset="train")
    annotate(tmp_path, "a", ["dog"], dataset="test")
    dataset = read(tmp_path)
    assert sorted(zip(dataset.splits, dataset.labels, strict=True)) == [
        ("test", "dog"),
        ("train", "cat"),
        ("train", "dog"),
    ]


def test_objects_where_nothing_is_tagged(tmp_path):
    for name, objects in (("a", ["cat", "cat"]), ("bb", ["dog"]), ("ccc", ["cat", "dog"]), ("dddd", [])):
        annotate(tmp_path, name, objects=objects)
    dataset = read(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert f"1 entry left out: {SEVERAL}" in dataset.notes
    assert "1 entry left out: no object on the image" in dataset.notes


def test_what_has_no_name_is_named(tmp_path):
    annotate(tmp_path, "a", ["cat"])
    annotate(tmp_path, "bb", ["dog"])
    annotate(tmp_path, "ccc", [{"value": 3}])
    assert read(tmp_path).refused[0].path.endswith("ccc.jpg.json, tag 1")
