"""COCO: a file or folder a split, images beside or below, several categories, entries that fit nothing."""

import os

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.entries import SEVERAL
from form_samples import LABELS, coco, coco_value, draw, draw_all, write_json


def read(folder, **options):
    with open_dataset(folder, **options) as dataset:
        return dataset


def test_a_file_a_split_beside_folders_called_as_them(tmp_path):
    for split, stems in (("train2017", ("a1", "a2", "b1", "b2")), ("val2017", ("a3", "b3"))):
        for stem in stems:
            draw(tmp_path / split / f"{stem}.jpg")
        write_json(tmp_path / f"annotations/instances_{split}.json", coco_value(stems))
        write_json(tmp_path / f"annotations/person_keypoints_{split}.json", coco_value(stems))
    dataset = read(tmp_path)
    assert dataset.splits == ("train",) * 4 + ("validation",) * 2
    assert any("not read: person_keypoints_train2017.json" in note for note in dataset.notes)


def test_the_same_name_in_two_splits_is_two_images(tmp_path):
    for split in ("train", "val"):
        draw_all(tmp_path / "images" / split)
        write_json(tmp_path / "annotations" / f"{split}.json", coco_value(LABELS))
    dataset = read(tmp_path)
    relative = [os.path.relpath(path, tmp_path) for path in dataset.paths]
    assert relative[0] == "images/train/a1.jpg" and relative[6] == "images/val/a1.jpg"
    assert len(dataset) == 12


def test_roboflows_file_in_each_folder_and_its_category_of_categories(tmp_path):
    for split in ("train", "valid", "test"):
        draw_all(tmp_path / split)
        value = coco_value(LABELS)
        for category in value["categories"]:
            category["supercategory"] = "animals"
        value["categories"].insert(0, {"id": 0, "name": "animals", "supercategory": "none"})
        write_json(tmp_path / split / "_annotations.coco.json", value)
    dataset = read(tmp_path)
    assert set(dataset.splits) == {"train", "validation", "test"}
    assert not any("without photos" in note for note in dataset.notes)


def test_several_categories_or_none_are_counted(tmp_path):
    draw_all(tmp_path)
    value = coco_value(LABELS)
    value["annotations"] += [{"id": 90, "image_id": 0, "category_id": 2}]
    value["annotations"] = [entry for entry in value["annotations"] if entry["image_id"] != 1]
    write_json(tmp_path / "result.json", value)
    dataset = read(tmp_path)
    assert len(dataset) == 4
    assert f"1 entry left out: {SEVERAL}" in dataset.notes
    assert "1 entry left out: no annotation on the image" in dataset.notes
    assert "6 images, 4 with one of 2 categories, 2 left out" in dataset.notes[0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda value: value["annotations"][0].update(category_id=99), "annotation 1"),
        (lambda value: value["annotations"][1].pop("image_id"), "annotation 2"),
        (lambda value: value["images"][2].update(id=1), "image 3"),
        (lambda value: value["images"][3].update(file_name=None), "image 4"),
        (lambda value: value["categories"].append({"id": 3}), "category 3"),
        (lambda value: value["images"].append(3), "image 7"),
    ],
)
def test_what_fits_nothing_is_named(tmp_path, change, named):
    draw_all(tmp_path)
    value = coco_value(LABELS)
    change(value)
    write_json(tmp_path / "coco.json", value)
    refused = [(refusal.path, refusal.code) for refusal in read(tmp_path).refused]
    assert (f"{tmp_path}/coco.json, {named}", "damaged_row") in refused


def test_an_unreadable_split_is_said(tmp_path):
    coco(tmp_path)
    (tmp_path / "annotations/instances_val2017.json").write_text('{"images": [')
    assert any("instances_val2017.json: it is not valid JSON" in note for note in read(tmp_path).notes)


def test_names_that_lead_out_are_refused(tmp_path):
    folder = coco(tmp_path / "data")
    draw(tmp_path / "outside.jpg")
    value = coco_value(LABELS)
    value["images"][0]["file_name"] = "../../outside.jpg"
    write_json(folder / "annotations/instances_train2017.json", value)
    assert [refusal.code for refusal in read(folder).refused] == ["outside"]
