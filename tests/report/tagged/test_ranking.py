"""ROC and precision-recall of tags."""

import dataclasses

import numpy as np
import pytest

from fieldguide.evaluation.tag_result import measure_tags
from fieldguide.report.tagged.ranking import section
from report_made import blocks
from tag_report_made import with_answers


def test_both_curves_with_the_mean_of_the_evaluation(tagged):
    made = section(tagged)
    _, precision_recall = blocks(made, "picture")
    mean = tagged.evaluation.average_precision.mean.value
    assert f"mean average precision {mean:.3f}" in precision_recall.alt
    assert "4 tags" in precision_recall.alt
    (table,) = blocks(made, "table")
    assert table.columns[0].name == "tag"
    values = sorted(tagged.evaluation.average_precision.values.tolist())
    assert [row[2] for row in table.rows] == pytest.approx(values)


def test_without_photos_on_both_sides_there_is_no_section(tagged):
    made = with_answers(tagged, tags=np.zeros((120, 4), np.int8))
    measured = measure_tags(made.outcomes, tagged.classes)
    assert section(dataclasses.replace(made, evaluation=measured)) is None
