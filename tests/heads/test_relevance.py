"""Weights by the analysis of variance, against scikit-learn's F values."""

import numpy as np
from sklearn.feature_selection import f_classif

from fieldguide.heads.relevance import LARGEST, SMALLEST, class_sums, relevance

LABELS = np.arange(60) % 3


def rows_of(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(60, 12)) + random.uniform(0, 2, 12) * (LABELS[:, None] == 1)
    return ((rows - rows.mean(0)) / rows.std(0)).astype(np.float32)


def test_weights_are_roots_of_f_values_over_their_mean() -> None:
    f_values, _ = f_classif(rows_of(), LABELS)
    expected = np.clip(np.sqrt(f_values / f_values.mean()), SMALLEST, LARGEST)
    np.testing.assert_allclose(relevance(rows_of(), LABELS, 3), expected, rtol=1e-3)
    assert expected.max() == LARGEST or expected.max() > 1.2  # they differ, or nothing was compared


def test_a_class_that_is_absent_changes_nothing() -> None:
    gap = np.array([0, 1, 3])[LABELS]
    np.testing.assert_array_equal(relevance(rows_of(), gap, 5), relevance(rows_of(), LABELS, 3))


def test_a_feature_without_variance_within_classes_does_not_drown_the_others() -> None:
    rows = np.repeat(rows_of(), 100, axis=1)
    rows[:, 0] = LABELS - LABELS.mean()
    assert np.median(relevance(rows, LABELS, 3)[1:]) > 0.05
    assert relevance(rows, LABELS, 3)[0] == LARGEST


def test_features_that_never_move_have_the_smallest_weight() -> None:
    rows = rows_of()
    rows[:, 3] = 0
    assert relevance(rows, LABELS, 3)[3] == np.float32(SMALLEST)
    assert np.isfinite(relevance(np.zeros_like(rows), LABELS, 3)).all()


def test_one_image_a_class_gives_finite_weights() -> None:
    weights = relevance(rows_of()[:3], np.arange(3), 3)
    assert np.isfinite(weights).all() and (weights > 0).all()


def test_class_sums_are_those_of_a_loop() -> None:
    rows, labels = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32), np.arange(50) % 7 % 5
    expected = [rows[labels == label].sum(0) for label in range(6)]
    np.testing.assert_allclose(class_sums(labels, rows, 6), expected, rtol=1e-5, atol=1e-6)
