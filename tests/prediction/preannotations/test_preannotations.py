"""Predictions as pre-annotations: written for a tool, corrected there, read back with `open_dataset`."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import OptionError, OutputError
from fieldguide.prediction.inputs import EmbeddedImage, Inputs, find_inputs
from fieldguide.prediction.preannotations import FORMS, write_preannotations
from preannotations_made import Model, written


def corrected(file, form):
    """What the tool exports once a person has said that b is a dog, and c is right."""
    if form == "label-studio":
        tasks = json.loads(file.read_text())
        for number, task in enumerate(tasks, start=1):
            chosen = [result for one in task.get("predictions", ()) for result in one["result"]]
            if "b.jpg" in task["data"]["image"]:
                chosen[0]["value"]["choices"] = ["dog & co"]
            task |= {
                "id": number,
                "annotations": [{"result": chosen, "was_cancelled": False}] if chosen else [],
            }
        file.write_text(json.dumps(tasks))
    elif form == "cvat":
        tree = ElementTree.parse(file)
        tag = next(image for image in tree.iter("image") if image.get("name").endswith("b.jpg")).find("tag")
        tag.set("label", "dog & co")
        tag.set("source", "manual")
        tree.write(file)
    else:
        value = json.loads(file.read_text())
        value["labels"]["photos/b"]["label"] = 1
        file.write_text(json.dumps(value))


@pytest.mark.parametrize("form", FORMS)
def test_what_a_person_corrects_is_read_back(photos, form):
    corrected(written(photos, form), form)
    with open_dataset(photos) as dataset:
        found = {Path(path).name: label for path, label in zip(dataset.paths, dataset.labels, strict=True)}
    assert found == {"a.jpg": "cat", "b.jpg": "dog & co", "c.jpg": "dog & co"}
    assert [refusal for refusal in dataset.refused if "new" in refusal.path] == []


@pytest.mark.parametrize("form", ["cvat", "fiftyone"])
def test_labels_that_nobody_has_changed_are_told_of(photos, form):
    written(photos, form)
    with open_dataset(photos) as dataset:
        assert any("3 " in note and "came from a model" in note for note in dataset.notes)


def test_what_cannot_be_written_is_said_before_any_work(photos):
    class Never(Model):
        def predict_stream(self, sources, *, top=5):
            raise AssertionError("work was begun")

    def write(inputs, name, form):
        write_preannotations(Never(), inputs, photos / name, form)

    inputs = find_inputs([photos / "photos"])
    with pytest.raises(OptionError, match=r"--form cvat is written as \.xml; got \.json"):
        write(inputs, "x.json", "cvat")
    with pytest.raises(OptionError, match="--form must be one of label-studio, cvat, fiftyone"):
        write(inputs, "x.json", "coco")
    (photos / "elsewhere").mkdir()
    with pytest.raises(OutputError, match=r"must lie above the photos.*a\.jpg' elsewhere"):
        write(inputs, "elsewhere/x.json", "label-studio")
    with pytest.raises(OutputError, match="inside a table or an archive; save the images first"):
        write(Inputs([EmbeddedImage("t.parquet/a.jpg", "/tmp/a.jpg")]), "x.json", "label-studio")
    with pytest.raises(OutputError, match=r"a\.jpg and photos/a\.png: FiftyOne tells photos apart"):
        write(Inputs([str(photos / "photos/a.jpg"), str(photos / "photos/a.png")]), "x.json", "fiftyone")
    with pytest.raises(OutputError, match=r"odd\\udcff\.jpg.*text that XML can hold"):
        write(Inputs([f"{photos}/odd\udcff.jpg"]), "x.xml", "cvat")


def test_a_run_that_was_killed_goes_on(photos):
    class Killed(Model):
        def predict_stream(self, sources, *, top=5):
            yield from list(super().predict_stream(sources))[:2]
            raise KeyboardInterrupt

    out, inputs = photos / "x.json", find_inputs([photos / "photos"])
    with pytest.raises(KeyboardInterrupt):
        write_preannotations(Killed(), inputs, out, "fiftyone")
    assert write_preannotations(Model(), inputs, out, "fiftyone").kept == 2
    assert len(json.loads(out.read_text())["labels"]) == 5
