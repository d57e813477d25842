"""Confident learning: how many labels are wrong, and which."""

import numpy as np
import pytest

from fieldguide.audit.confident_learning import doubtful_labels, off_diagonal


def noisy(seed, n=3000, classes=6, share=0.05, skill=3.0):
    """Calibrated probabilities of a good model, true labels, and labels of which some are flipped."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, classes, n)
    scores = chance.normal(0, 1, (n, classes))
    scores[np.arange(n), truth] += skill
    probabilities = np.exp(scores * skill)
    probabilities /= probabilities.sum(1, keepdims=True)
    labels = truth.copy()
    flipped = chance.choice(n, round(share * n), replace=False)
    labels[flipped] = (labels[flipped] + chance.integers(1, classes, len(flipped))) % classes
    return probabilities, labels, set(flipped.tolist())


def test_most_flipped_labels_are_found_and_few_others():
    for seed in range(3):
        probabilities, labels, flipped = noisy(seed)
        found = set(doubtful_labels(probabilities, labels).rows.tolist())
        assert len(found & flipped) >= 0.9 * len(flipped)
        assert len(found & flipped) >= 0.7 * len(found)


def test_the_number_of_errors_is_estimated():
    probabilities, labels, flipped = noisy(0)
    estimate = off_diagonal(probabilities, labels)
    assert len(flipped) * 0.8 < estimate < len(flipped) * 1.6
    clean, truth, _ = noisy(0, share=0.0)
    assert off_diagonal(clean, truth) < 0.4 * estimate


def test_the_least_probable_label_comes_first_and_probable_ones_never():
    probabilities, labels, _ = noisy(1)
    doubts = doubtful_labels(probabilities, labels)
    own = probabilities[doubts.rows, labels[doubts.rows]]
    assert (np.diff(own) >= 0).all()
    assert own.max() <= 0.1


@pytest.mark.parametrize(("own", "doubted"), [(0.05, True), (0.1, True), (0.11, False), (0.25, False)])
def test_a_label_more_probable_than_a_tenth_is_never_doubted(own, doubted):
    probabilities = np.array([[0.9, 0.1]] * 9 + [[own, 1 - own]] + [[0.3, 0.7]] * 10)
    doubts = doubtful_labels(probabilities, np.array([0] * 10 + [1] * 10))
    assert doubts.estimated == 1
    assert doubts.rows.tolist() == ([9] if doubted else [])


def test_sound_labels_are_not_doubted():
    labels = np.arange(60) % 3
    probabilities = np.full((60, 3), 0.05)
    probabilities[np.arange(60), labels] = 0.9
    assert doubtful_labels(probabilities, labels).rows.tolist() == []


def test_a_class_that_nobody_has_is_nobodys_true_class():
    labels = np.arange(60) % 2
    probabilities = np.full((60, 3), 0.45)
    probabilities[np.arange(60), labels] = 0.5
    probabilities[:, 2] = 0.05
    assert off_diagonal(probabilities, labels) == 0
