"""Label Studio's tasks with predictions."""

import json

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from fieldguide.prediction.inputs import Inputs
from fieldguide.prediction.preannotations import write_preannotations
from preannotations_made import Model, written


def test_label_studio_s_tasks(photos):
    tasks = {
        task["data"]["image"][-5:]: task for task in json.loads(written(photos, "label-studio").read_text())
    }
    assert tasks["c.jpg"] == {
        "data": {"image": "/data/local-files/?d=photos/deep/c.jpg"},
        "predictions": [
            {
                "model_version": "fieldguide-0123456789ab",
                "score": 0.75,
                "result": [
                    {
                        "id": "label",
                        "from_name": "choice",
                        "to_name": "image",
                        "type": "choices",
                        "value": {"choices": ["dog & co"]},
                    }
                ],
            }
        ],
        "meta": {"typicality": 0.5},
    }
    assert tasks["w.jpg"] == {
        "data": {"image": "/data/local-files/?d=photos/new.jpg"},
        "meta": {"unknown": "like none of the classes, most like cat"},
    }
    assert tasks["d.jpg"]["meta"] == {"refused": "truncated: the file ends too early"}


def test_label_studio_s_predictions_alone_are_no_labels(photos):
    written(photos, "label-studio")
    with pytest.raises(DataError, match="nobody has annotated"), open_dataset(photos):
        pass


def test_an_address_holds_any_name(tmp_path):
    write_preannotations(
        Model(), Inputs([f"{tmp_path}/odd\udcff &?.jpg"]), tmp_path / "x.json", "label-studio"
    )
    (task,) = json.loads((tmp_path / "x.json").read_text())
    assert task["data"]["image"] == "/data/local-files/?d=odd%FF%20%26%3F.jpg"
