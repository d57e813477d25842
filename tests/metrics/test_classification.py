"""metrics.py against scikit-learn's definitions, and by hand where scikit-learn has none."""

import warnings

import numpy as np
import pytest
from sklearn import metrics as reference

from fieldguide.metrics import classification


def answers(seed, n=200, classes=7, missing=()):
    """True classes and probabilities, with some classes absent from the truth."""
    rng = np.random.default_rng(seed)
    allowed = [number for number in range(classes) if number not in missing]
    truth = rng.choice(allowed, n)
    probabilities = rng.dirichlet(np.full(classes, 0.3), n)
    probabilities[np.arange(n), truth] += rng.random(n)
    return truth, probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("missing", [(), (2,), (0, 6)])
@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_scikit_learns(seed, missing):
    truth, probabilities = answers(seed, missing=missing)
    predicted = probabilities.argmax(axis=1)
    confusion = classification.confusion_matrix(truth, predicted, 7)
    scores = classification.class_scores(confusion)

    np.testing.assert_array_equal(confusion, reference.confusion_matrix(truth, predicted, labels=range(7)))
    assert classification.accuracy(confusion) == pytest.approx(reference.accuracy_score(truth, predicted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of predicted classes that are not in the truth
        expected = reference.balanced_accuracy_score(truth, predicted)
        macro = reference.precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
        each = reference.precision_recall_fscore_support(truth, predicted, labels=range(7), zero_division=0)
    assert classification.balanced_accuracy(confusion) == pytest.approx(expected)
    ours = [
        classification.macro_average(column, confusion)
        for column in (scores.precision, scores.recall, scores.f1)
    ]
    assert ours == pytest.approx(macro[:3])
    for column, theirs in zip(
        (scores.precision, scores.recall, scores.f1, scores.support), each, strict=True
    ):
        np.testing.assert_allclose(column, theirs)


def test_a_class_nobody_saw_or_guessed_does_not_lower_the_macro_average():
    confusion = classification.confusion_matrix(np.array([0, 1]), np.array([0, 1]), 3)
    assert classification.macro_average(classification.class_scores(confusion).f1, confusion) == 1.0


@pytest.mark.parametrize("k", [1, 2, 5])
def test_ranks_give_scikit_learns_top_k(k):
    truth, probabilities = answers(3)
    expected = reference.top_k_accuracy_score(truth, probabilities, k=k, labels=range(7))
    assert (classification.truth_ranks(truth, probabilities) < k).mean() == pytest.approx(expected)


def test_equal_probabilities_are_ranked_by_class_number_as_argmax_does():
    probabilities = np.full((4, 4), 0.25)
    np.testing.assert_array_equal(classification.truth_ranks(np.arange(4), probabilities), [0, 1, 2, 3])


def test_log_loss_equals_scikit_learns():
    truth, probabilities = answers(4)
    own = probabilities[np.arange(len(truth)), truth]
    assert classification.log_loss(own) == pytest.approx(
        reference.log_loss(truth, probabilities, labels=range(7))
    )


def test_log_loss_of_an_impossible_truth_is_large_but_finite():
    assert classification.log_loss(np.array([0.0])) == pytest.approx(-np.log(np.finfo(np.float32).eps))
    assert classification.log_loss(np.array([1.0])) == 0.0


def test_calibration_error_by_hand():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.5, 0.5])
    correct = np.array([True, True, True, False, True, False])
    assert classification.expected_calibration_error(confidence, correct) == pytest.approx(4 / 6 * 0.2)


def test_calibration_error_vanishes_for_honest_confidence_and_shows_boasting():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 1.0, 50_000)
    correct = rng.random(50_000) < confidence
    assert classification.expected_calibration_error(confidence, correct) < 0.01
    assert classification.expected_calibration_error(np.full(50_000, 0.99), correct) == pytest.approx(
        0.39, abs=0.01
    )


def test_calibration_error_takes_the_ends_of_the_scale():
    assert classification.expected_calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0.0


def test_area_under_the_curve_equals_scikit_learns_with_ties():
    rng = np.random.default_rng(1)
    low, high = rng.integers(0, 10, 80) / 10, rng.integers(3, 14, 50) / 10
    expected = reference.roc_auc_score(np.repeat([0, 1], [80, 50]), np.concatenate([low, high]))
    assert classification.auroc(low, high) == pytest.approx(expected)
