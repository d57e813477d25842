"""Promises that do not hold on other photos are told; chance and small samples are no alarm."""

import numpy as np
import pytest

from fieldguide.evaluation.distribution_shift import distribution_shift


def answers(n=400, covered=0.95, atypical=0.05, seed=0):
    """So large a share is covered, and has a typicality below 0.05."""
    random = np.random.default_rng(seed)
    hold, low = random.random(n) < covered, random.random(n) < atypical
    return hold, np.where(low, random.uniform(0, 0.05, n), random.uniform(0.05, 1, n))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("n", [5, 40, 400, 4000])
def test_where_promises_hold_nothing_is_said(n, seed):
    assert distribution_shift(*answers(n, seed=seed), 0.95) is None


def test_sets_that_hold_the_truth_too_rarely_are_told():
    shift = distribution_shift(*answers(covered=0.68), 0.95)
    assert shift.sets_fail
    assert not shift.looks_fail
    assert "where 95% was promised" in shift.summary
    assert shift.as_dict()["coverage"]["high"] < 0.8
    assert shift.as_dict()["message"] == shift.summary


def test_a_model_that_promised_no_sets_breaks_none():
    assert distribution_shift(*answers(covered=0.3), None) is None


def test_photos_that_look_like_nothing_learned_are_told_though_sets_may_hold():
    shift = distribution_shift(*answers(atypical=0.4), 0.95)
    assert shift.looks_fail
    assert not shift.sets_fail
    assert "look less familiar than 95% of the images held out in training" in shift.summary


def test_a_few_photos_cannot_show_it():
    assert distribution_shift(*answers(6, covered=0.6), 0.95) is None
