"""Folds taken in their order, whatever ends first."""

import itertools

import pytest

from fieldguide.experiments.folds_in_order import FoldsInOrder

ORDERS = list(itertools.permutations(range(4)))


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_heard_is_the_same_in_any_order(order):
    heard = []
    course = FoldsInOrder(4, lambda results: heard.append(list(results)) or False)
    for count, fold in enumerate(order, start=1):
        course.take(fold, f"fold {fold}")
        assert course.done == count
    assert heard == [[f"fold {fold}" for fold in range(end)] for end in range(1, 5)]
    assert course.ended
    assert course.error is None


@pytest.mark.parametrize("order", ORDERS)
def test_the_first_fold_that_failed_is_told(order):
    course, errors = FoldsInOrder(4), {1: ValueError("one"), 3: ValueError("three")}
    for fold in order:
        if course.wants(fold):
            course.take(fold, errors.get(fold, "right"))
    assert course.error is errors[1]
    assert (course.ended, course.done) == (True, 4)


@pytest.mark.parametrize("order", ORDERS)
def test_what_ends_it_early_is_the_same_in_any_order(order):
    course = FoldsInOrder(4, lambda results: len(results) == 2)
    taken = [fold for fold in order if course.wants(fold) and course.take(fold, fold) is None]
    assert course.results == [0, 1]
    assert course.ended
    assert {0, 1} <= set(taken)


def test_folds_behind_one_that_failed_are_not_wanted():
    course = FoldsInOrder(4)
    course.take(2, ValueError())
    assert [course.wants(fold) for fold in range(4)] == [True, True, True, False]
