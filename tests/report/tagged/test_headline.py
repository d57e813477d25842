"""How good a model of tags is, in one look."""

import dataclasses

import pytest

from fieldguide.evaluation.tag_result import TagsWithout
from fieldguide.metrics.intervals import Interval
from fieldguide.report.tagged.headline import section
from report_made import blocks


def test_the_figures_are_those_of_the_evaluation(tagged):
    tiles = {tile.name: tile for tile in blocks(section(tagged), "tiles")[0].tiles}
    found = tagged.evaluation
    assert tiles["Mean average precision"].value == f"{100 * found.average_precision.mean.value:.1f}\xa0%"
    assert tiles["All tags right"].value == f"{100 * found.exact_match.value:.1f}\xa0%"
    assert "promised 95" in tiles["Sets hold"].note
    assert tiles["Tags given"].value == f"{found.mean_labels:.2f}"
    assert "Of 100 tags that it gives" in blocks(section(tagged), "text")[0].text


@pytest.mark.parametrize(("stated", "said"), [(0.3, "give more"), (0.99, "give less")])
def test_another_figure_than_training_promised_is_said(tagged, stated, said):
    card = {**tagged.card, "metrics": {"map": {"value": stated, "low": stated, "high": stated}}}
    notices = blocks(section(dataclasses.replace(tagged, card=card)), "notice")
    assert any(said in notice.text for notice in notices)


def test_leaks_and_strangers_are_said(tagged):
    leaks = TagsWithout(3, 120, "3 photos are in the training split", 117, Interval(0.5, 0.4, 0.6))
    measured = dataclasses.replace(tagged.evaluation, leaks=leaks, learned=leaks, strangers=(("fox", 2),))
    notices = told(tagged, measured)
    assert any("Without them, on 117 photos, mean average precision is 50.0" in text for text in notices)
    assert "1 tag of the data was left out, since the model does not know it: fox." in notices
    nothing = dataclasses.replace(measured, leaks=dataclasses.replace(leaks, map_without=None))
    notices = told(tagged, nothing)
    assert any("No photo is left" in text for text in notices)


def told(made, evaluation):
    changed = dataclasses.replace(made, evaluation=evaluation)
    return [notice.text for notice in blocks(section(changed), "notice")]
