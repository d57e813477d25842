"""COCO Camera Traps: cameras are groups, empty is a class, corrupt photos are left out."""

from fieldguide.data.dataset import open_dataset
from form_samples import LABELS, coco_value, draw_all, write_json


def read(folder, value):
    draw_all(folder / "images")
    write_json(folder / "traps.json", value)
    with open_dataset(folder) as dataset:
        return dataset


def traps():
    value = coco_value(LABELS)
    value["annotations"] = value["annotations"][:6]
    for number, image in enumerate(value["images"]):
        image.update(location=number // 2, seq_id=f"s{number}")
    return value


def test_the_place_of_the_camera_is_the_group(tmp_path):
    dataset = read(tmp_path, traps())
    assert dataset.groups == ("0", "0", "1", "1", "2", "2")
    assert dataset.notes[0].endswith("groups by 3 place or sequences")


def test_without_a_place_it_is_the_sequence(tmp_path):
    value = traps()
    for image in value["images"][:3]:
        del image["location"]
    del value["images"][0]["seq_id"]
    dataset = read(tmp_path, value)
    assert dataset.groups == ("", "s1", "s2", "1", "2", "2")
    assert "1 image with neither location nor seq_id" in dataset.notes


def test_empty_is_a_class_and_corrupt_photos_are_counted(tmp_path):
    value = traps()
    value["categories"].append({"id": 0, "name": "empty"})
    for entry in value["annotations"][:2]:
        entry.update(category_id=0, sequence_level_annotation=True)
    value["images"][5]["corrupt"] = True
    dataset = read(tmp_path, value)
    assert dataset.classes == ("cat", "dog", "empty")
    assert "1 entry left out: marked as corrupt" in dataset.notes
    assert "2 annotations of a whole sequence: single images may be empty" in dataset.notes
