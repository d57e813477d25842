"""Weights of a pool."""

import numpy as np
import pytest

from fieldguide.recipes.auto import weights as pools


def answers(labels, sure, seed):
    """Probabilities that are right with a margin that varies from image to image."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(len(labels), 3)) + sure * np.eye(3)[labels]
    table = np.exp(scores)
    return table / table.sum(1, keepdims=True)


@pytest.fixture
def labels():
    return np.arange(300) % 3


@pytest.mark.parametrize("kind", pools.KINDS)
def test_two_that_err_apart_are_pooled_and_the_pool_is_better(labels, kind):
    table = np.stack([answers(labels, 2.0, 0), answers(labels, 2.0, 1), np.full((300, 3), 1 / 3)])
    weights = pools.chosen(table, labels, kind, seed=0)
    assert weights.sum() == 1
    assert (weights >= 0).all()
    assert weights[:2].min() > 0.2
    pooled = pools.pooled(table, weights, kind)
    np.testing.assert_allclose(np.exp(pooled).sum(1), 1)
    single = -np.log(table[0][np.arange(300), labels]).mean()
    assert -pooled[np.arange(300), labels].mean() < single


def test_at_most_three_are_pooled(labels):
    table = np.stack([answers(labels, 2.0, seed) for seed in range(6)])
    for kind in pools.KINDS:
        assert np.count_nonzero(pools.chosen(table, labels, kind, seed=0)) <= pools.MOST_MEMBERS


def test_weights_are_chosen_without_the_fold_that_they_answer(labels):
    """A model that knows the answers of one fold alone is of no use there."""
    table = np.stack([answers(labels, 2.0, 0), answers(labels, 2.0, 1)])
    folds = np.arange(300) % 5
    knows = table.copy()
    knows[1, folds == 0] = np.eye(3)[labels[folds == 0]] * 0.97 + 0.01
    answered = pools.cross_fitted(knows, labels, folds, "linear", seed=0)[folds == 0]
    without = pools.chosen(knows[:, folds != 0], labels[folds != 0], "linear", seed=0)
    np.testing.assert_allclose(answered, pools.pooled(knows[:, folds == 0], without, "linear"))
    everything = pools.chosen(knows, labels, "linear", seed=0)
    assert not np.array_equal(everything, without)


def test_of_very_many_answers_a_part_is_looked_at(labels, monkeypatch):
    table = np.stack([answers(labels, 2.0, 0), answers(labels, 2.0, 1)])
    monkeypatch.setattr(pools, "MOST_ANSWERS", 90)
    first, second = (pools.chosen(table, labels, "linear", seed=seed) for seed in (0, 0))
    assert np.array_equal(first, second)
    assert first.sum() == 1
