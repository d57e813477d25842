"""Accuracy against the share answered, and the sizes of prediction sets."""

from dataclasses import replace

from fieldguide.report import coverage_plot
from report_made import blocks


def test_the_last_point_answers_all_and_is_the_accuracy(measured):
    curve, _ = blocks(coverage_plot.section(measured), "picture")
    shares = [row[0] for row in curve.numbers.rows]
    assert shares == sorted(shares) and shares[-1] == 1
    assert curve.numbers.rows[-1][1] == measured.evaluation.accuracy.value
    least = [row[4] for row in curve.numbers.rows]
    assert least == sorted(least, reverse=True)
    assert least[-1] == float(measured.outcomes.confidence.min())


def test_every_photo_has_a_set_of_one_size(measured):
    _, sets = blocks(coverage_plot.section(measured), "picture")
    assert sum(row[1] for row in sets.numbers.rows) == measured.evaluation.n
    assert sum(row[2] for row in sets.numbers.rows) == int(measured.outcomes.covered.sum())
    assert [row[0] for row in sets.numbers.rows][-1] == "4 or more"


def test_a_model_without_sets_shows_none(measured):
    limits = {**measured.card["thresholds"], "set": None}
    without = replace(measured, card={**measured.card, "thresholds": limits})
    assert [block.name for block in blocks(coverage_plot.section(without), "picture")] == [
        "accuracy-coverage"
    ]
