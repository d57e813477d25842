"""Paired tests: against the textbook, scipy, and counting every outcome."""

import itertools

import numpy as np
import pytest
from scipy import stats

from fieldguide.metrics.paired_tests import compare_answers, holm, sign_test


def answers(both, only_first, only_second, neither):
    first = np.repeat([True, True, False, False], [both, only_first, only_second, neither])
    second = np.repeat([True, False, True, False], [both, only_first, only_second, neither])
    return first, second


@pytest.mark.parametrize(
    ("above", "below"), [(0, 0), (1, 0), (3, 9), (9, 3), (40, 41), (700, 600), (5, 3000)]
)
def test_the_sign_test_is_scipys(above, below):
    expected = stats.binomtest(above, above + below).pvalue if above + below else 1.0
    assert sign_test(above, below) == pytest.approx(expected, rel=1e-9)


def test_the_sign_test_counts_every_outcome():
    outcomes = [sum(coins) for coins in itertools.product((0, 1), repeat=10)]
    extreme = sum(heads <= 2 or heads >= 8 for heads in outcomes)
    assert sign_test(8, 2) == pytest.approx(extreme / len(outcomes))


def test_many_images_cost_little_and_do_not_overflow():
    assert 0 < sign_test(50_000, 50_500) < 1
    assert sign_test(0, 100_000) == 0.0


def test_only_images_that_one_model_got_right_count():
    few = compare_answers(*answers(10, 9, 1, 10))
    many = compare_answers(*answers(1000, 9, 1, 1000))
    assert few.p == many.p == pytest.approx(stats.binomtest(1, 10).pvalue)
    assert (few.only_first, few.only_second) == (9, 1)
    assert few.value.value == pytest.approx(8 / 30)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    # Newcombe (1998), method 10.
    [((36, 12, 2, 0), 0.0569, 0.3404), ((20, 12, 2, 16), 0.0562, 0.3292)],
)
def test_the_interval_of_the_difference_is_newcombes(cells, low, high):
    difference = compare_answers(*answers(*cells)).value
    assert (difference.low, difference.high) == pytest.approx((low, high), abs=6e-5)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(500):
        hard = rng.random(150)
        first, second = hard + 0.25 * rng.random(150) < 0.9, hard + 0.25 * rng.random(150) < 0.85
        truth = 0.9 - 0.125 - (0.85 - 0.125)
        difference = compare_answers(first, second).value
        held += difference.low <= truth <= difference.high
    assert 0.93 <= held / 500 <= 0.99


def test_groups_count_once():
    """Ten copies of each photo are no more evidence than the photos; counted singly they would be."""
    first, second = answers(20, 6, 2, 4)
    alone = compare_answers(first, second)
    copied = np.repeat(first, 10), np.repeat(second, 10)
    groups = np.repeat(np.arange(len(first)) + 7, 10)
    together = compare_answers(*copied, groups)
    assert together.p == alone.p
    assert compare_answers(*copied).p < alone.p / 100
    width = alone.value.high - alone.value.low
    assert together.value.high - together.value.low == pytest.approx(width, rel=0.1)


def test_equal_answers_do_not_differ():
    first, _ = answers(10, 0, 0, 5)
    same = compare_answers(first, first)
    assert same.p == 1
    assert same.value.value == 0
    assert same.value.low <= 0 <= same.value.high


def test_holm_is_the_step_down_of_the_paper():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_keeps_false_alarms_rare():
    rng = np.random.default_rng(1)
    alarms = sum(min(holm(rng.random(6).tolist())) < 0.05 for _ in range(1500))
    assert alarms / 1500 < 0.06
