"""What readers share: malformed entries are named, one class an image, splits by name, folders of images."""

from pathlib import Path

import pytest

from fieldguide.data.forms.entries import (
    NONE,
    SEVERAL,
    ImageFolders,
    add_one,
    chosen_field,
    objects,
    split_in,
    splits_of,
    text_of,
)
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from form_samples import draw


@pytest.fixture
def records():
    return Records("", Path())


def test_what_is_no_object_is_named(records):
    good = list(objects([{"a": 1}, None, [1, 2]], records, Path("x.json"), "task"))
    assert good == [(1, {"a": 1})]
    assert [refusal.path for refusal in records.refused] == ["x.json, task 2", "x.json, task 3"]
    assert "got a list of 2" in records.refused[1].message


def test_what_is_no_list_is_named(records):
    assert list(objects({"a": 1}, records, Path("x.json"), "task")) == []
    assert records.refused[0].message == "there must be a list of tasks, got an object of 1"


@pytest.mark.parametrize(
    ("value", "text"), [(3, "3"), (3.0, "3"), (3.5, ""), (True, ""), (None, ""), (10**40, ""), ("é", "é")]
)
def test_identifiers_as_text(value, text):
    assert text_of(value) == text


def test_one_class_an_image(records):
    for number, labels in enumerate([["cat"], ["cat", "cat"], ["cat", "dog"], [], [""]], start=1):
        add_one(records, Record(number, f"{number}.jpg", group="g"), labels)
    assert [(record.number, record.label, record.group) for record in records.records] == [
        (1, "cat", "g"),
        (2, "cat", "g"),
    ]
    assert records.left_out == {SEVERAL: 1, NONE: 2}


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("instances_train2017", "train"),
        ("train-00000-of-00001", "train"),
        ("valid", "validation"),
        ("strain", ""),
        ("train_test", ""),
    ],
)
def test_splits_are_whole_words(name, split):
    assert split_in(name) == split


def test_splits_must_tell_all_files_apart():
    files = [Path("train/_annotations.json"), Path("valid/_annotations.json")]
    assert splits_of(files) == {files[0]: "train", files[1]: "validation"}
    assert set(splits_of([*files, Path("extra/x.json")]).values()) == {""}
    assert set(splits_of(files[:1]).values()) == {""}


def test_the_field_of_the_label(tmp_path):
    source, file = DataSource(tmp_path), Path("x.json")
    assert chosen_field(["mood"], source, file, "field") == "mood"
    assert chosen_field(["mood", "Species"], source, file, "field") == "Species"
    with pytest.raises(
        DataError, match=r"one field must hold the label.*got 'mood', 'light'.*--label-column"
    ):
        chosen_field(["mood", "light"], source, file, "field")
    named = DataSource(tmp_path, DataOptions(label_column="light"))
    assert chosen_field(["mood", "light"], named, file, "field") == "light"
    with pytest.raises(
        DataError, match="--label-column must be one of its fields, which are 'mood'; got 'light'"
    ):
        chosen_field(["mood"], named, file, "field")


def test_images_are_found_in_the_folders_given(tmp_path):
    for name in ("images/a.jpg", "images/test/b.png", "images/train/b.png"):
        draw(tmp_path / name)
    (tmp_path / "annotations").mkdir()
    file = tmp_path / "annotations/x.json"
    folders = ImageFolders(
        DataSource(tmp_path), file, (".", "../images", "../images/train", "../images/test")
    )
    assert folders.name("a.jpg") == "images/a.jpg"
    assert folders.name("b", (".jpg", ".png")) == "images/train/b.png"
    assert folders.name("b.png", subset="test") == "images/test/b.png"
    assert folders.name("gone.jpg") == "annotations/gone.jpg"
    assert folders.name("../images/a.jpg") == "annotations/../images/a.jpg"
    assert folders.name("a\0.jpg") == "annotations/a\0.jpg"


def test_what_lies_outside_of_data_hides_nothing_in_it(tmp_path):
    draw(tmp_path / "images/a.jpg")
    draw(tmp_path / "data/photos/a.jpg")
    file = tmp_path / "data/x.json"
    file.touch()
    folders = ImageFolders(DataSource(tmp_path / "data"), file, ("../images", "photos"))
    assert folders.name("a.jpg") == "photos/a.jpg"
    assert ImageFolders(DataSource(tmp_path / "data"), file, ("../images",)).name("a.jpg") == "a.jpg"
