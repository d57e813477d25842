"""The few forms of numbers that all sections use, and what a card promised."""

from dataclasses import replace

import pytest

from fieldguide.metrics.intervals import Interval
from fieldguide.report.material import listed, named, percent, plural, span


def test_shares_are_written_with_a_space_that_does_not_break():
    assert percent(0.9314) == "93.1\N{NO-BREAK SPACE}%"
    assert percent(1, 0) == "100\N{NO-BREAK SPACE}%"
    assert span(Interval(0.5, 0.25, 0.755)) == "25.0 to 75.5\N{NO-BREAK SPACE}%"


def test_names_in_a_plot_are_short_and_obey_nothing():
    assert named("ant") == "ant"
    assert named("a" * 18) == "a" * 18 and named("a" * 19) == "a" * 17 + "…"
    assert named("a\u202eb") == r"a\u202eb"


def test_counts_take_the_right_form():
    assert plural(1, "class", "classes") == "1 class"
    assert plural(0, "photo") == "0 photos"
    assert plural(1200, "class", "classes") == "1,200 classes"


@pytest.mark.parametrize(
    ("names", "told"),
    [(("a",), "a"), (("a", "b", "c"), "a, b and c"), (("a", "b", "c", "d"), "a, b and 2 more")],
)
def test_lists_end_in_and(names, told):
    assert listed(names, most=3 if len(names) < 4 else 2) == told


@pytest.mark.parametrize("accuracy", [None, 0.9, {"value": 0.9}])
def test_a_card_that_promises_nothing_flatters_nobody(measured, accuracy):
    without = replace(measured, card={**measured.card, "metrics": {"accuracy": accuracy}})
    assert without.promised is None and not without.flattered


@pytest.mark.parametrize(("high", "flattered"), [(0.1, True), (0.99, False)])
def test_flattered_is_more_than_was_promised_and_not_by_chance(measured, high, flattered):
    promise = {"value": high - 0.05, "low": 0.0, "high": high}
    made = replace(measured, card={**measured.card, "metrics": {"accuracy": promise}})
    assert made.flattered == flattered
