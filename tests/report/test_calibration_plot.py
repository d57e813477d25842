"""The reliability diagram: what is drawn, and the verdict."""

from dataclasses import replace

import numpy as np
import pytest

from fieldguide.report import calibration_plot
from report_made import blocks


def stated(measured, right, confidence):
    """The same measurement with every answer stated with this probability; a share of them is right."""
    n = measured.evaluation.n
    hits = np.arange(n) < right * n
    out = measured.outcomes
    predicted = np.where(hits, out.truth, (out.truth + 1) % len(measured.classes))
    return replace(measured, outcomes=replace(out, predicted=predicted, confidence=np.full(n, confidence)))


@pytest.mark.parametrize(
    ("right", "confidence", "verdict"),
    [
        (0.5, 0.95, "The model is somewhat too sure of itself on these photos."),
        (0.9, 0.55, "The model is somewhat too modest on these photos."),
        (0.75, 0.75, "The probabilities can be taken at their word"),
    ],
)
def test_the_verdict_is_that_of_the_numbers(measured, right, confidence, verdict):
    section = calibration_plot.section(stated(measured, right, confidence))
    assert blocks(section, "text")[0].text.startswith(verdict)
    assert verdict in blocks(section, "picture")[0].alt


def test_the_diagram_holds_a_row_a_bin_with_its_range(measured):
    diagram, _ = blocks(calibration_plot.section(stated(measured, 0.75, 0.75)), "picture")
    ((count, sure, reached, low, high),) = diagram.numbers.rows
    assert (count, reached) == (measured.evaluation.n, 0.75)
    assert sure == pytest.approx(0.75) and low < 0.75 < high


def test_every_photo_is_counted_once_as_right_or_wrong(measured):
    _, counts = blocks(calibration_plot.section(measured), "picture")
    right, wrong = (sum(row[column] for row in counts.numbers.rows) for column in (2, 3))
    assert (right, wrong) == (int(measured.right.sum()), int((~measured.right).sum()))
