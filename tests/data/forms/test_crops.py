"""Boxes cut out of their photos: pixels, labels, groups, splits; what cannot be is refused by name."""

import json

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms import FORMS, WITH_BOXES
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from form_samples import SAMPLES, write_json

SIDE = (32, 24)
BOXES = {"a": [("cat", (2, 3, 12, 13)), ("dog", (12, 4, 30, 20))], "b": [("dog", (0, 0, 32, 24))]}
"""Label and edges, in pixels, of the boxes of each photo."""


def pixels(stem):
    return np.random.default_rng(ord(stem)).integers(0, 255, (24, 32, 3), dtype=np.uint8)


def draw(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for stem in BOXES:
        Image.fromarray(pixels(stem)).save(folder / f"{stem}.png")


def coco(folder):
    draw(folder / "images")
    images = [
        {"id": number, "file_name": f"{stem}.png", "width": 32, "height": 24}
        for number, stem in enumerate(BOXES)
    ]
    annotations = [
        {
            "id": 10 * image + number,
            "image_id": image,
            "category_id": ["cat", "dog"].index(label),
            "bbox": [left, top, right - left, bottom - top],
        }
        for image, boxes in enumerate(BOXES.values())
        for number, (label, (left, top, right, bottom)) in enumerate(boxes)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(("cat", "dog"))]
    value = {"images": images, "annotations": annotations, "categories": categories}
    write_json(folder / "annotations.json", value)
    return folder / "annotations.json"


def pascal_voc(folder):
    draw(folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    for stem, boxes in BOXES.items():
        objects = "".join(
            f"<object><name>{label}</name><bndbox><xmin>{left + 1}</xmin><ymin>{top + 1}</ymin>"
            f"<xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
            for label, (left, top, right, bottom) in boxes
        )
        size = "<size><width>32</width><height>24</height></size>"
        text = f"<annotation><filename>{stem}.png</filename>{size}{objects}</annotation>"
        (folder / f"Annotations/{stem}.xml").write_text(text)


def yolo(folder):
    draw(folder / "images")
    (folder / "labels").mkdir()
    (folder / "classes.txt").write_text("cat\ndog\n")
    for stem, boxes in BOXES.items():
        lines = [
            f"{['cat', 'dog'].index(label)} {(left + right) / 64} {(top + bottom) / 48} "
            f"{(right - left) / 32} {(bottom - top) / 24}\n"
            for label, (left, top, right, bottom) in boxes
        ]
        (folder / f"labels/{stem}.txt").write_text("".join(lines))


def cvat(folder):
    draw(folder / "images")
    images = "".join(
        f'<image id="0" name="{stem}.png" width="32" height="24">'
        + "".join(
            f'<box label="{label}" xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}"/>'
            for label, (left, top, right, bottom) in boxes
        )
        + "</image>"
        for stem, boxes in BOXES.items()
    )
    (folder / "annotations.xml").write_text(f"<?xml version='1.0'?><annotations>{images}</annotations>")


MAKE = {"coco": coco, "pascal-voc": pascal_voc, "yolo": yolo, "cvat": cvat}


def opened(folder, **options):
    with open_dataset(folder, minimum_classes=1, options=DataOptions(crops=True, **options)) as dataset:
        contents = [np.asarray(Image.open(path)) for path in dataset.paths]
    return dataset, contents


@pytest.mark.parametrize("form", MAKE)
def test_each_box_is_an_image_and_its_photo_the_group(tmp_path, form):
    MAKE[form](tmp_path)
    dataset, contents = opened(tmp_path)
    assert dataset.labels == ("cat", "dog", "dog")
    folder = "JPEGImages" if form == "pascal-voc" else "images"
    assert dataset.groups == (f"{folder}/a.png",) * 2 + (f"{folder}/b.png",)
    assert [dataset.display(path) for path in dataset.paths] == [
        f"{folder}/{stem}.png/{stem}_{'-'.join(map(str, edges))}.png"
        for stem, boxes in BOXES.items()
        for _, edges in boxes
    ]
    wanted = [(stem, edges) for stem, boxes in BOXES.items() for _, edges in boxes]
    for content, (stem, (left, top, right, bottom)) in zip(contents, wanted, strict=True):
        np.testing.assert_array_equal(content, pixels(stem)[top:bottom, left:right])
    assert "3 boxes cut out of 2 photos; those of one photo stay on one side of every split" in dataset.notes
    assert not dataset.refused


def test_a_form_without_boxes_says_which_have(tmp_path):
    for form in ("imagefolder", "label-studio"):
        folder = tmp_path / form
        folder.mkdir()
        with pytest.raises(
            DataError, match=f"--crops needs boxes as coco, pascal-voc, yolo, cvat.*got {form}"
        ):
            opened(SAMPLES[form](folder))
    for name in ("cat", "dog"):
        (tmp_path / "folders" / name).mkdir(parents=True)
        (tmp_path / "folders" / name / "a.jpg").touch()
    with pytest.raises(DataError, match="--crops needs boxes"):
        opened(tmp_path / "folders")
    with pytest.raises(DataError, match="got folders"):
        opened(tmp_path / "folders", form="folders")
    assert set(WITH_BOXES) <= set(FORMS)


def test_photos_of_several_classes_are_left_out_with_the_way_to_learn_them(tmp_path):
    coco(tmp_path)
    with open_dataset(tmp_path, minimum_classes=1) as dataset:
        assert "1 left out; --crops learns each box by itself" in dataset.notes[0]


def changed(tmp_path, change):
    file = coco(tmp_path)
    value = json.loads(file.read_text())
    change(value)
    write_json(file, value)
    return opened(tmp_path)[0]


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ([0, 0, 2, 20], "must have 4 pixels a side"),
        ([40, 0, 10, 10], "must have 4 pixels a side"),
        ([float("nan"), 0, 10, 10], "its edges must be numbers"),
    ],
)
def test_a_box_that_is_none_is_refused_by_its_place(tmp_path, box, said):
    dataset = changed(tmp_path, lambda value: value["annotations"][1].update(bbox=box))
    (refusal,) = dataset.refused
    assert (refusal.path, refusal.code) == ("images/a.png, box 2", "damaged_row")
    assert said in refusal.message
    assert dataset.labels == ("cat", "dog")


def test_a_photo_of_another_shape_than_its_boxes_is_refused(tmp_path):
    dataset = changed(tmp_path, lambda value: value["images"][0].update(width=24, height=32))
    assert [refusal.message for refusal in dataset.refused] == [
        "it was drawn on a photo of 24 x 32 pixels, and this one has 32 x 24"
    ] * 2


def test_boxes_follow_a_photo_that_was_made_smaller(tmp_path):
    def double(value):
        for image in value["images"]:
            image.update(width=64, height=48)
        for annotation in value["annotations"]:
            annotation["bbox"] = [2 * edge for edge in annotation["bbox"]]

    file = coco(tmp_path)
    value = json.loads(file.read_text())
    double(value)
    write_json(file, value)
    _, contents = opened(tmp_path)
    np.testing.assert_array_equal(contents[0], pixels("a")[3:13, 2:12])


def test_crowds_missing_photos_and_damaged_ones_are_told_once(tmp_path):
    def change(value):
        value["annotations"].append({**value["annotations"][2], "id": 99, "iscrowd": 1})
        value["images"].append({"id": 7, "file_name": "gone.png"})
        value["annotations"] += [{**value["annotations"][0], "id": 50 + n, "image_id": 7} for n in (0, 1)]
        value["images"].append({"id": 8, "file_name": "bad.png"})
        value["annotations"] += [{**value["annotations"][0], "id": 60 + n, "image_id": 8} for n in (0, 1)]
        (tmp_path / "images/bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    dataset = changed(tmp_path, change)
    assert sorted(refusal.code for refusal in dataset.refused) == ["missing", "truncated"]
    assert len(dataset) == 3
    assert any("1 entry left out: a box of a crowd" in note for note in dataset.notes)


def test_boxes_upon_boxes_do_not_fill_the_disk(tmp_path):
    def pile(value):
        value["annotations"] = [{**value["annotations"][2], "id": number} for number in range(100)]

    dataset = changed(tmp_path, pile)
    assert len(dataset) == 20
    assert {refusal.message for refusal in dataset.refused} == {"the boxes of its photo hold too many pixels"}


def test_splits_are_kept_and_turned_boxes_counted(tmp_path):
    cvat(tmp_path)
    file = tmp_path / "annotations.xml"
    text = file.read_text().replace('name="a.png"', 'name="a.png" subset="train"')
    text = text.replace('name="b.png"', 'name="b.png" subset="test"')
    polygon = (
        '<polygon label="cat" points="1,2;9,2;5,12"/><box label="cat" rotation="30" xtl="1"/><box label="x"/>'
    )
    file.write_text(text.replace("</image></annotations>", f"{polygon}</image></annotations>"))
    dataset, contents = opened(tmp_path)
    assert dataset.splits == ("train", "train", "test", "test")
    assert contents[3].shape == (10, 8, 3)
    assert any("1 entry left out: a box that is turned" in note for note in dataset.notes)
    assert [refusal.path.rpartition(", ")[2] for refusal in dataset.refused] == ["image 2"]


def test_the_same_box_twice_and_long_names_stay_apart(tmp_path):
    draw(tmp_path / "images")
    long = "n" * 200 + ".png"
    Image.fromarray(pixels("b")).save(tmp_path / "images" / long)
    images = [{"id": 0, "file_name": "a.png"}, {"id": 1, "file_name": long}]
    boxes = [(0, 0), (0, 1), (0, 0), (1, 0)]
    annotations = [
        {"id": number, "image_id": image, "category_id": category, "bbox": [1, 2, 10, 9]}
        for number, (image, category) in enumerate(boxes)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(("cat", "dog"))]
    value = {"images": images, "annotations": annotations, "categories": categories}
    write_json(tmp_path / "annotations.json", value)
    dataset, contents = opened(tmp_path, form="coco")
    assert [path.rpartition("/")[2] for path in dataset.paths] == [
        "a_1-2-11-11.png",
        "a_1-2-11-11_2.png",
        "a_1-2-11-11_3.png",
        "1_1-2-11-11.png",
    ]
    assert dataset.labels == ("cat", "dog", "cat", "cat")
    assert len({content.tobytes() for content in contents[:3]}) == 1
