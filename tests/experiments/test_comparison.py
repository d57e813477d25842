"""Which candidate is recommended, and why."""

import pytest

from compared_made import row
from fieldguide.experiments.comparison import recommend
from fieldguide.metrics.intervals import Interval
from fieldguide.metrics.paired_tests import Difference, Pair


def pair(first, second, points, p):
    low = 0.001 if p < 0.05 else -0.01
    return Pair(first, second, Difference(Interval(points, low, points + 0.1), 0, 0, p), p)


@pytest.mark.parametrize(
    ("pairs", "seconds", "name", "reason"),
    [
        ([("a", "b", 0.005, 0.6)], (0.2, 0.1), "b", "the quickest to answer (100 ms a photo against 200 ms"),
        ([("a", "b", 0.005, 0.001)], (0.2, 0.1), "a", "better than every other by more than chance"),
        ([("a", "b", 0.08, 0.3)], (0.2, 0.1), "a", "may still be chance"),
        ([("a", "b", 0.005, 0.6)], (0.1, 0.2), "a", "no slower than what cannot be told from it (b)"),
    ],
)
def test_the_cheapest_that_nothing_tells_from_the_best_is_recommended(pairs, seconds, name, reason):
    rows = [row("a", 90, seconds[0]), row("b", 89, seconds[1])]
    chosen, told = recommend(rows, [pair(*one) for one in pairs])
    assert chosen == name
    assert reason in told


def test_a_difference_is_real_only_where_test_and_interval_agree():
    assert pair("a", "b", 0.1, 0.01).real
    assert not pair("a", "b", 0.1, 0.06).real
    across = Difference(Interval(0.1, -0.001, 0.2), 9, 1, 0.02)
    assert not Pair("a", "b", across, 0.02).real
    assert (
        "cannot be told apart: 10.0 points (-0.1 to 20.0), p = 0.020" in Pair("a", "b", across, 0.02).sentence
    )
