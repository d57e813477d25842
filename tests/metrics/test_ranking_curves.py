"""ranking_curves.py against scikit-learn, which keeps every probability."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fieldguide.metrics.ranking_curves import ScoreCounts, tag_curves


def drawn(n=3000, classes=5, sharpness=2.0):
    rng = np.random.default_rng(0)
    truth = rng.integers(classes, size=n)
    scores = rng.normal(size=(n, classes)) + sharpness * np.eye(classes)[truth]
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return truth, shares.astype(np.float32)


@pytest.mark.parametrize("sharpness", [0.0, 1.0, 4.0])
def test_areas_are_those_of_scikit_learn(sharpness):
    truth, shares = drawn(sharpness=sharpness)
    counts = ScoreCounts(5)
    for row, label in zip(shares, truth.tolist(), strict=True):
        counts.add(row, label)
    curves = counts.curves()
    for number in range(5):
        own = truth == number
        assert curves.auroc[number] == pytest.approx(roc_auc_score(own, shares[:, number]), abs=0.002)
        average = average_precision_score(own, shares[:, number])
        assert curves.average_precision[number] == pytest.approx(average, abs=0.01)
    assert (np.diff(curves.recall) >= 0).all() and (curves.recall[:, -1] == 1).all()
    assert (curves.precision[:, 0] == 1).all()


def test_a_class_without_images_has_no_area():
    counts = ScoreCounts(3)
    counts.add(np.array([0.7, 0.2, 0.1], dtype=np.float32), 0)
    counts.add(np.array([0.1, 0.8, 0.1], dtype=np.float32), 1)
    curves = counts.curves()
    assert curves.auroc[:2].tolist() == [1.0, 1.0]
    assert np.isnan(curves.auroc[2]) and np.isnan(curves.average_precision[2])


def test_certainty_does_not_break_the_logarithm():
    counts = ScoreCounts(2)
    counts.add(np.array([1.0, 0.0], dtype=np.float32), 0)
    counts.add(np.array([0.0, 1.0], dtype=np.float32), 1)
    assert counts.curves().auroc.tolist() == [1.0, 1.0]


def test_curves_of_tags_are_those_of_scikit_learn_on_what_is_known():
    rng = np.random.default_rng(3)
    shown, known = rng.random((400, 3)) < 0.3, rng.random((400, 3)) < 0.8
    probabilities = np.clip(0.3 + 0.25 * shown + rng.normal(0, 0.2, shown.shape), 0.01, 0.99).astype("f4")
    curves = tag_curves(probabilities, shown, known)
    for tag in range(3):
        rows = known[:, tag]
        area = roc_auc_score(shown[rows, tag], probabilities[rows, tag])
        average = average_precision_score(shown[rows, tag], probabilities[rows, tag])
        assert curves.auroc[tag] == pytest.approx(area, abs=0.005)
        assert curves.average_precision[tag] == pytest.approx(average, abs=0.02)


@pytest.mark.parametrize("n", [60, 3000])
def test_probabilities_of_a_tag_that_lie_close_together_are_told_apart(n):
    """A nearly flat calibration curve gives every photo about the same."""
    rng = np.random.default_rng(4)
    shown = rng.random((n, 1)) < 0.3
    probabilities = (0.337 + 1e-3 * (shown + rng.normal(0, 0.5, shown.shape))).astype("f4")
    curves = tag_curves(probabilities, shown, np.ones_like(shown))
    assert curves.auroc[0] == pytest.approx(roc_auc_score(shown[:, 0], probabilities[:, 0]), abs=0.001)
    average = average_precision_score(shown[:, 0], probabilities[:, 0])
    assert curves.average_precision[0] == pytest.approx(average, abs=0.01)
