"""Pre-annotations of a model of tags, read back as a person would leave them."""

import json
from xml.etree import ElementTree

import pytest
from PIL import Image

import fieldguide
from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.prediction.preannotations.answers import ModelAnswer
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER, Task
from tiny_model import tiny_tag_model

COLOURS = {
    "two.png": (230, 20, 200),
    "none.png": (3, 20, 3),
    "unknown.png": (128, 128, 128),
    "one.png": (10, 10, 240),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tags.onnx").write_bytes(tiny_tag_model())
    for name, colour in COLOURS.items():
        Image.new("RGB", (20, 16), colour).save(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"no photo")
    return tmp_path


def written(folder, form, suffix):
    out = folder / f"answers{suffix}"
    names = [folder / name for name in (*COLOURS, "broken.png")]
    done = fieldguide.predict(folder / "tags.onnx", names, out=out, form=form, progress=False)
    assert (done.rows, done.refused) == (5, 1)
    return out


def test_cvat_has_a_tag_element_for_each_with_its_probability(folder):
    root = ElementTree.parse(written(folder, "cvat", ".xml")).getroot()
    images = {image.get("name"): image for image in root.iter("image")}
    assert set(images) == set(COLOURS)
    found = {tag.get("label"): tag for tag in images["two.png"].iter("tag")}
    assert set(found) == {"red", "blue"}
    shares = [float(tag.find("attribute[@name='probability']").text) for tag in found.values()]
    assert min(shares) > 0.9
    assert not list(images["unknown.png"]) and not list(images["none.png"])


def test_label_studio_has_all_choices_in_one_prediction(folder):
    tasks = json.loads(written(folder, "label-studio", ".json").read_text())
    by_name = {task["data"]["image"].rpartition("=")[2]: task for task in tasks}
    (prediction,) = by_name["two.png"]["predictions"]
    assert sorted(prediction["result"][0]["value"]["choices"]) == ["blue", "red"]
    # Green is the doubtful one: how sure the model is that it is not there.
    assert 0.5 < prediction["score"] < 0.7
    assert by_name["none.png"]["predictions"][0]["result"] == []
    assert "predictions" not in by_name["unknown.png"]
    assert by_name["unknown.png"]["meta"]["unknown"].startswith("like none of the photos learned from")


def test_fiftyone_has_a_list_that_is_read_back_as_tags(folder):
    out = written(folder, "fiftyone", ".json")
    labels = json.loads(out.read_text())["labels"]
    assert labels["unknown"] is None and labels["none"] == []
    assert all(one["confidence"] > 0.9 for one in labels["two"])
    with open_dataset(out, minimum_classes=1, options=DataOptions(task=Task.MULTIPLE), tasks=EITHER) as again:
        found = {path.rpartition("/")[2]: tags for path, tags in zip(again.paths, again.tags, strict=True)}
    assert found == {"two.png": Tags(("blue", "red")), "none.png": Tags(), "one.png": Tags(("blue",))}


def test_a_probability_that_the_row_does_not_hold_is_none():
    row = {
        "path": "a.jpg",
        "error": None,
        "unknown": False,
        "label": "a",
        "typicality": 0.5,
        "labels": ["a", "b"],
    }
    answer = ModelAnswer.of({**row, "top": [{"label": "a", "probability": 0.8}]}, "a.jpg")
    assert answer.given == (("a", 0.8), ("b", None))
    assert answer.probability == 0.8
