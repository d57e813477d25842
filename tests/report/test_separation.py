"""ROC and precision-recall."""

import numpy as np

from fieldguide.data.dataset import Dataset
from fieldguide.report import separation
from fieldguide.report.assembly import page_of
from fieldguide.report.gather import gather
from fieldguide.report.page import render
from report_made import ASKED, CLASSES, blocks, photos, sections
from report_oracle import oracle


def test_two_classes_one_of_them_absent(tmp_path):
    truth = np.zeros(15, dtype=int)
    paths = photos(tmp_path / "photos", [f"{n}.png" for n in range(15)])
    images = Dataset(tmp_path, tuple(paths), ("ant",) * 15)
    made = gather(oracle(("ant", "bee"), truth), images, ASKED)
    assert "separation" not in sections(made)  # nothing to tell apart
    render(page_of(made))


def test_the_weakest_class_is_named_and_stands_first(measured):
    section = separation.section(measured)
    (table,) = blocks(section, "table")
    precision = [row[2] for row in table.rows]
    assert precision == sorted(precision) and len(precision) == len(CLASSES)
    _, second = blocks(section, "picture")
    assert f"weakest {table.rows[0][0]} with {precision[0]:.3f}" in second.alt


def test_curves_begin_and_end_where_they_must(measured):
    roc, _ = blocks(separation.section(measured), "picture")
    assert roc.numbers.rows[0][0] == 0 and roc.numbers.rows[-1] == (1.0, 1.0, 1.0)
    recall = [row[1] for row in roc.numbers.rows]
    assert recall == sorted(recall)
