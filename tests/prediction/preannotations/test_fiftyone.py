"""FiftyOne's labels with confidences."""

import json

from preannotations_made import CLASSES, written


def test_fiftyone_s_labels(photos):
    value = json.loads(written(photos, "fiftyone").read_text())
    assert value["classes"] == list(CLASSES)
    assert value["labels"] == {
        "photos/a": label_of(0),
        "photos/b": label_of(0),
        "photos/deep/c": label_of(1),
        "photos/bad": None,
        "photos/new": None,
    }


def label_of(place):
    return {
        "label": place,
        "confidence": 0.75,
        "attributes": {"typicality": 0.5, "model": "fieldguide-0123456789ab"},
    }
