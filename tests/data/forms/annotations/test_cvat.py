"""CVAT: subsets of a project, the same name in two of them, shapes where nothing is tagged."""

import os

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples import draw


def write(folder, *images, meta=""):
    text = f"<?xml version='1.0' encoding='utf-8'?><annotations><version>1.1</version>{meta}{''.join(images)}"
    (folder / "annotations.xml").write_text(f"{text}</annotations>", encoding="utf-8")


def image(name, *inner, subset=None):
    attribute = f' subset="{subset}"' if subset else ""
    return f'<image id="0" name="{name}"{attribute} width="32" height="24">{"".join(inner)}</image>'


def tag(label):
    return f'<tag label="{label}" source="manual"></tag>'


def read(folder):
    with open_dataset(folder) as dataset:
        return dataset


def test_subsets_of_a_project_are_splits_with_a_folder_each(tmp_path):
    for number, name in enumerate(("Train/a.jpg", "Train/b.jpg", "Test/a.jpg")):
        draw(tmp_path / "images" / name, number)
    write(
        tmp_path,
        image("a.jpg", tag("cat"), subset="Train"),
        image("b.jpg", tag("dog"), subset="Train"),
        image("a.jpg", tag("dog"), subset="Test"),
    )
    dataset = read(tmp_path)
    assert dataset.splits == ("train", "train", "test")
    assert [os.path.relpath(path, tmp_path) for path in dataset.paths] == [
        "images/Train/a.jpg",
        "images/Train/b.jpg",
        "images/Test/a.jpg",
    ]


def test_subsets_that_are_no_splits_are_said(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        draw(tmp_path / "images" / name)
    write(tmp_path, image("a.jpg", tag("cat"), subset="night"), image("b.jpg", tag("dog"), subset="day"))
    dataset = read(tmp_path)
    assert dataset.splits is None
    assert any("subsets 'night', 'day' are not all called as splits are" in note for note in dataset.notes)


def test_shapes_say_what_an_image_shows_where_nothing_is_tagged(tmp_path):
    for name in "abcd":
        draw(tmp_path / f"{name}.jpg")
    boxes = {name: f'<box label="{name}" xtl="1" ytl="1" xbr="9" ybr="9"></box>' for name in ("cat", "dog")}
    write(
        tmp_path,
        image("a.jpg", boxes["cat"], boxes["cat"]),
        image("b.jpg", boxes["dog"]),
        image("c.jpg", *boxes.values()),
        image("d.jpg"),
    )
    dataset = read(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert "1 entry left out: no shape on the image" in dataset.notes


def test_what_is_malformed_is_named(tmp_path):
    draw(tmp_path / "a.jpg")
    draw(tmp_path / "b.jpg")
    write(tmp_path, image("a.jpg", tag("cat")), "<image><tag/></image>", image("b.jpg", tag("dog")))
    assert read(tmp_path).refused[0].path.endswith("annotations.xml, image 2")
    write(tmp_path, "<track id='0' label='cat'></track>")
    with pytest.raises(
        DataError, match=r"must hold images, got tracks of a video; export 'CVAT for images 1.1'"
    ):
        read(tmp_path)


def test_its_imagenet_export_is_class_folders(tmp_path):
    for number, name in enumerate(("cat/cat_1.jpg", "cat/cat_2.jpg", "dog/dog_1.jpg")):
        draw(tmp_path / name, number)
    (tmp_path / "synsets.txt").write_text("cat\ndog\n")
    assert read(tmp_path).labels == ("cat", "cat", "dog")
