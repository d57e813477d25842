"""Thresholds a class: what is promised for each class holds on images that were not used to choose them."""

import numpy as np
import pytest

from fieldguide.heads.calibration import set_threshold
from fieldguide.heads.set_thresholds import FEWEST_OF_A_CLASS, class_set_thresholds, class_sets_summary

COVERAGE = 0.95
SHARPNESS = np.array([6.0, 5.0, 2.5])
"""Of the classes, from easy to hard."""


def drawn(counts, seed):
    """Probabilities of images, right the more often the sharper their class, and their labels."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    scores = random.standard_normal((len(labels), len(counts)))
    scores[np.arange(len(labels)), labels] += SHARPNESS[labels]
    exponents = np.exp(scores)
    return exponents / exponents.sum(1, keepdims=True), labels


def floors_of(probabilities, labels):
    common = set_threshold(probabilities[np.arange(len(labels)), labels], COVERAGE)
    return common, class_set_thresholds(probabilities, labels, common, COVERAGE)


def covered(probabilities, labels, floors):
    own = probabilities[np.arange(len(labels)), labels] >= np.broadcast_to(floors, 3)[labels]
    return np.array([own[labels == number].mean() for number in range(3)])


def test_each_class_is_covered_where_one_number_leaves_out_the_hard_one():
    common, floors = floors_of(*drawn([400, 400, 400], 0))
    fresh = drawn([20_000, 20_000, 20_000], 1)
    assert covered(*fresh, common).min() < 0.90
    np.testing.assert_allclose(covered(*fresh, floors), COVERAGE, atol=0.035)
    assert covered(*fresh, floors).min() > 0.92


def test_on_the_average_of_draws_the_promise_is_kept_exactly():
    fresh, means = drawn([4_000, 4_000, 4_000], 1), []
    for seed in range(2, 42):
        _, floors = floors_of(*drawn([60, 80, 100], seed))
        means.append(covered(*fresh, floors))
    assert np.mean(means, 0).min() > COVERAGE - 0.01
    assert np.mean(means, 0).max() < COVERAGE + 0.03


def test_rare_classes_share_a_threshold():
    rare = FEWEST_OF_A_CLASS - 1
    probabilities, labels = drawn([400, rare, rare], 3)
    _, floors = floors_of(probabilities, labels)
    own = probabilities[np.arange(len(labels)), labels]
    assert floors[1] == floors[2] == set_threshold(own[labels > 0], COVERAGE)
    assert floors[0] == set_threshold(own[labels == 0], COVERAGE) > floors[1]


def test_a_class_of_which_nothing_was_held_out_has_the_common_threshold():
    probabilities, labels = drawn([400, 400, 0], 4)
    common, floors = floors_of(probabilities, labels)
    assert floors[2] == common != floors[1]


def test_with_few_images_a_class_one_number_serves_all():
    few = FEWEST_OF_A_CLASS - 1
    assert floors_of(*drawn([few, few, few], 5))[1] is None
    assert floors_of(*drawn([FEWEST_OF_A_CLASS, few, few], 5))[1] is not None


def test_one_number_serves_all_where_sets_would_grow_by_more_than_a_tenth():
    # A class that is told from the others by nothing is in every set once it is to be covered.
    guessed, truth = drawn([900, 900, 90], 6)
    guessed[truth == 2] = guessed[truth == 2][:, [2, 0, 1]]
    assert floors_of(guessed, truth)[1] is None


@pytest.mark.parametrize(
    ("floors", "counts", "words"),
    [
        (np.array([0.1, 0.2]), [50, 50], "95% for each class, by a threshold of its own"),
        (np.array([0.1, 0.2]), [50, 5], "one class shares one, with fewer than 39 held-out images each"),
        (np.array([0.1, 0.2, 0.2]), [50, 5, 5], "2 classes share one"),
        (None, [5, 5], "95% of all photos, by one threshold for all classes"),
    ],
)
def test_the_sentence_says_for_whom_the_promise_holds(floors, counts, words):
    assert words in class_sets_summary(floors, np.repeat(np.arange(len(counts)), counts), COVERAGE)
