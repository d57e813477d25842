"""The two forms of the discriminant agree with each other, with scikit-learn and with plain refitting."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from fieldguide.heads.lda import ByProducts, ByRelevance, ByScatter, discriminant
from fieldguide.heads.relevance import relevance
from fieldguide.heads.training_table import TrainingTable


@pytest.fixture
def table() -> TrainingTable:
    random = np.random.default_rng(0)
    labels = np.arange(90) % 3
    vectors = random.normal(size=(90, 24)).astype(np.float32) + 2 * np.eye(3, 24)[labels].astype(np.float32)
    vectors[:, 5] = 7.0
    return TrainingTable.of(vectors, labels, np.arange(90) // 3 % 5)


EVERYTHING = np.arange(90)
BOTH = (0.4, 0.7)


def test_both_forms_give_the_same_scores(table: TrainingTable) -> None:
    products, scatter = ByProducts(table), ByScatter(table)
    np.testing.assert_allclose(
        products.out_of_fold(BOTH, EVERYTHING), scatter.out_of_fold(BOTH, EVERYTHING), rtol=2e-3, atol=2e-3
    )
    for one, other in zip(products.fit(0.4), scatter.fit(0.4), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)


def test_little_shrinkage_is_scikit_learns_discriminant(table: TrainingTable) -> None:
    rows = table.rows(slice(None))
    weights, bias = ByScatter(table).fit(1e-6)
    scores = rows @ weights + bias
    moving = np.delete(rows, 5, axis=1)
    reference = LinearDiscriminantAnalysis(solver="lsqr", priors=[1 / 3] * 3).fit(moving, table.labels)
    expected = reference.decision_function(moving) * 87 / 90  # scikit-learn divides by n, not n - classes
    centred, wanted = scores - scores.mean(1, keepdims=True), expected - expected.mean(1, keepdims=True)
    np.testing.assert_allclose(centred, wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("form", [ByProducts, ByScatter, ByRelevance])
def test_out_of_fold_scores_are_those_of_a_model_without_the_fold(table: TrainingTable, form: type) -> None:
    scores = form(table).out_of_fold((0.3, 0.5), EVERYTHING)[1]
    hold = table.folds == 2
    alone = TrainingTable(
        table.vectors[~hold], table.labels[~hold], table.folds[~hold], 3, table.mean, table.scale
    )
    weights, bias = form(alone).fit(0.5)
    np.testing.assert_allclose(
        scores[hold], table.rows(np.flatnonzero(hold)) @ weights + bias, rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("form", [ByProducts, ByScatter, ByRelevance])
def test_a_class_of_one_fold_never_wins_there(table: TrainingTable, form: type) -> None:
    labels = table.labels.copy()
    labels[0] = 3
    scores = form(TrainingTable.of(table.vectors, labels, table.folds)).out_of_fold((0.5,), EVERYTHING)[0]
    assert np.isneginf(scores[table.folds == table.folds[0], 3]).all()
    assert np.isfinite(scores[table.folds != table.folds[0]]).all()


@pytest.mark.parametrize("form", [ByProducts, ByScatter, ByRelevance])
def test_some_rows_are_answered_as_among_all(table: TrainingTable, form: type) -> None:
    rows = np.array([1, 8, 40, 41, 77])
    whole = form(table).out_of_fold(BOTH, EVERYTHING)
    np.testing.assert_allclose(form(table).out_of_fold(BOTH, rows), whole[:, rows], rtol=1e-3, atol=1e-3)


def test_weighted_features_are_a_table_with_another_scale(table: TrainingTable) -> None:
    weights = relevance(table.rows(slice(None)), table.labels, 3)
    scaled = replace(table, scale=table.scale / weights)
    for one, other in zip(ByRelevance(table).fit(0.4), ByProducts(scaled).fit(0.4), strict=True):
        expected = other * weights[:, None] if other.ndim == 2 else other
        np.testing.assert_allclose(one, expected, rtol=2e-3, atol=2e-3)


def test_weights_have_not_seen_the_labels_of_those_held_out() -> None:
    """With labels by chance nothing can be known; weights of all images would be right nine times in ten."""
    random = np.random.default_rng(0)
    vectors, labels = random.normal(size=(100, 3000)).astype(np.float32), np.arange(100) % 2
    held = ByRelevance(TrainingTable.of(vectors, labels, np.arange(100) // 2 % 5))
    scores = held.out_of_fold((0.5,), np.arange(100))[0]
    assert 0.35 < (scores.argmax(1) == labels).mean() < 0.65


def test_many_images_go_by_scatter(table: TrainingTable) -> None:
    assert isinstance(discriminant(table), ByScatter)
    few = TrainingTable.of(table.vectors[:20], table.labels[:20], table.folds[:20])
    assert isinstance(discriminant(few), ByProducts)


def test_identical_images_do_not_break_it() -> None:
    vectors = np.ones((10, 40), dtype=np.float32)
    table = TrainingTable.of(vectors, np.arange(10) % 2, np.arange(10) // 2)
    assert np.isfinite(discriminant(table).out_of_fold((0.5,), np.arange(10))).all()
