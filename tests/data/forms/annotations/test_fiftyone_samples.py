"""FiftyOneDataset: the field of the labels, splits as tags, detections of one class."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.entries import SEVERAL
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from form_samples import draw, fiftyone_samples, write_json


def sample(folder, stem, tags=(), **fields):
    draw(folder / f"data/{stem}.jpg")
    return {"filepath": f"data/{stem}.jpg", "tags": list(tags), **fields}


def one(label):
    return {"_cls": "Classification", "label": label}


def several(*labels):
    return {"_cls": "Detections", "detections": [{"_cls": "Detection", "label": label} for label in labels]}


def read(folder, *samples, **options):
    write_json(folder / "samples.json", {"samples": list(samples)})
    with open_dataset(folder, options=DataOptions(**options)) as dataset:
        return dataset


def test_the_truth_goes_before_predictions_unless_a_person_says_otherwise(tmp_path):
    fiftyone_samples(tmp_path)
    with open_dataset(tmp_path) as dataset:
        assert "with one label in 'ground_truth'" in dataset.notes[0]
    with open_dataset(tmp_path, options=DataOptions(label_column="model"), minimum_classes=1) as dataset:
        assert dataset.classes == ("cat",)


def test_tags_that_are_called_as_splits_are_splits(tmp_path):
    samples = [
        sample(tmp_path, "a", ["train", "new"], kind=one("cat")),
        sample(tmp_path, "b", ["train"], kind=one("dog")),
    ]
    samples.append(sample(tmp_path, "c", ["test"], kind=one("dog")))
    assert read(tmp_path, *samples).splits == ("train", "train", "test")


def test_detections_of_one_class(tmp_path):
    labels = {"a": several("cat", "cat"), "b": several("dog"), "c": several("cat", "dog"), "d": None}
    dataset = read(tmp_path, *(sample(tmp_path, stem, objects=value) for stem, value in labels.items()))
    assert dataset.labels == ("cat", "dog")
    assert f"1 entry left out: {SEVERAL}" in dataset.notes
    assert "1 entry left out: no label in 'objects'" in dataset.notes


def test_no_field_of_labels_and_no_path(tmp_path):
    with pytest.raises(DataError, match=r"one field must hold the label.*got none"):
        read(tmp_path, sample(tmp_path, "a"))
    good = [sample(tmp_path, "a", kind=one("cat")), sample(tmp_path, "b", kind=one("dog"))]
    dataset = read(tmp_path, *good, {"filepath": 3, "kind": one("cat")}, None)
    assert [refusal.path.rpartition(", ")[2] for refusal in dataset.refused] == ["sample 4", "sample 3"]
