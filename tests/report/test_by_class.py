"""Precision, recall and F1 by class."""

import numpy as np

from fieldguide.data.dataset import Dataset
from fieldguide.report import by_class
from fieldguide.report.gather import gather
from report_made import ASKED, blocks, material, photos
from report_oracle import oracle


def rows_of(made):
    (table,) = blocks(by_class.section(made), "table")
    return {
        row[0]: dict(zip((column.name for column in table.columns), row, strict=True)) for row in table.rows
    }


def test_each_class_has_its_recall_and_what_it_is_taken_for(tmp_path):
    made = material(tmp_path / "photos", data={"per_class": {"ant": 7}})
    confusion, rows = made.evaluation.confusion, rows_of(made)
    assert rows["ant"]["learned from"] == 7 and rows["bee"]["learned from"] is None
    for number, name in enumerate(made.classes):
        assert rows[name]["photos"] == 20
        assert rows[name]["recall"] == confusion[number, number] / 20
        wrong = np.where(np.arange(6) == number, 0, confusion[number])
        told = f"{made.classes[wrong.argmax()]} ({wrong.max()})" if wrong.any() else ""
        assert rows[name]["most often taken for"] == told


def test_a_class_without_photos_stands_last_and_has_no_scores(tmp_path):
    paths = photos(tmp_path / "photos", [f"{number}.png" for number in range(12)])
    truth = np.arange(12) % 2
    images = Dataset(tmp_path, tuple(paths), tuple(("ant", "bee")[number] for number in truth))
    rows = rows_of(gather(oracle(("ant", "bee", "cow"), truth), images, ASKED))
    assert list(rows)[-1] == "cow"
    assert rows["cow"]["recall, range"] == "no photos here"
    assert rows["cow"]["recall"] is None and rows["cow"]["F1"] is None
