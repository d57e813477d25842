"""The figures of tags as the page Results shows them; tests/app/test_tag_pages.py has the page."""

import pytest

from fieldguide.app.tag_results import _tag_row, figures, measured
from fieldguide.data.dataset import open_dataset
from fieldguide.prediction.predictor import load
from fieldguide.progress import silent
from fieldguide.tasks.task import EITHER
from tags_made import write_tagged
from tiny_model import tiny_tag_model


@pytest.fixture
def found(tmp_path):
    (tmp_path / "tags.onnx").write_bytes(tiny_tag_model())
    with open_dataset(write_tagged(tmp_path, 24), tasks=EITHER) as dataset:
        return measured(load(tmp_path / "tags.onnx"), dataset, silent)


def test_the_row_of_a_model_says_what_evaluate_says(found):
    row, said = figures("tags.onnx", found), found.as_dict()
    assert row["mean average precision"] == f"{said['map']['value']:.3f}"
    assert row["macro F1"] == f"{said['macro_f1']['value']:.3f}"
    assert row["photos"] == said["n"] == 24
    assert row["tags in a set"] == round(said["mean_set_size"], 2)


def test_a_tag_that_no_photo_has_has_no_average_precision(found):
    row = found.per_class_rows()[0] | {"ap": None, "ece": None, "label": "\u202etag"}
    shown = _tag_row(row)
    assert (shown["average precision"], shown["range"], shown["calibration error"]) == (None, "", None)
    assert "\u202e" not in shown["tag"]
