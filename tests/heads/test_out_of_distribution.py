"""The distance behind typicality: what it computes, and that it holds where there is little to learn from."""

import itertools

import numpy as np
import pytest

from fieldguide.heads import out_of_distribution
from fieldguide.heads.calibration import reference_distances, typicality
from fieldguide.heads.out_of_distribution import (
    MOST_DIRECTIONS,
    OTHER_DIRECTIONS,
    WIDEST,
    deep_columns,
    fit,
    out_of_fold_distances,
)
from fieldguide.heads.training_table import TrainingTable

COLUMNS = np.arange(4, 30)


def made(count, classes=3, width=30, seed=0):
    """A table of classes that differ in their mean and vary most along a few directions."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    spread = random.normal(size=(count, 6)) * [9, 7, 5, 4, 3, 2]
    vectors = 0.3 * random.normal(size=(count, width)) + spread @ random.normal(size=(6, width))
    vectors += 4 * random.normal(size=(classes, width))[labels]
    return TrainingTable.of(vectors.astype(np.float32), labels, np.arange(count) // classes % 5)


def direct(model, rows):
    """Smallest (x - c)ᵀ (P Pᵀ + γ I) (x - c), in double precision and without any expansion."""
    matrix = model.directions.astype(float) @ model.directions.T.astype(float)
    matrix += model.evenness * np.eye(len(matrix))
    known = model.centres[np.isfinite(model.centres[:, 0])].astype(float)
    apart = (rows[:, model.columns] / model.scale).astype(float)[:, None] - known
    return np.einsum("ncd,de,nce->nc", apart, matrix, apart).min(1)


@pytest.mark.parametrize("count", [300, 9])
def test_distances_are_those_of_the_dense_matrix(count):
    table = made(count)
    rows = table.rows(slice(None))
    model = fit(table, COLUMNS, np.arange(count), 0)
    for features in (rows, rows * 3 + 1):
        np.testing.assert_allclose(model.distances(features), direct(model, features), rtol=5e-4)


def test_along_a_leading_direction_the_measure_is_its_own_variance_or_that_of_all():
    table = made(600)
    model = fit(table, COLUMNS, np.arange(600), 0)
    assert model.directions.shape == (26, 13)
    rows = (table.rows(slice(None))[:, COLUMNS] / model.scale).astype(float)
    means = np.stack([rows[table.labels == label].mean(0) for label in range(3)])
    np.testing.assert_allclose(model.centres, means, atol=1e-5)
    centred = rows - means[table.labels]
    variances, directions = np.linalg.eigh(centred.T @ centred / (600 - 3))
    matrix = model.directions.astype(float) @ model.directions.T + model.evenness * np.eye(26)
    own = np.maximum(1 / variances, model.evenness)
    assert (own > model.evenness)[-6:].any()
    for place in range(1, 7):  # the largest ones, which a randomised decomposition finds exactly
        direction = directions[:, -place]
        assert direction @ matrix @ direction == pytest.approx(own[-place], rel=0.02)
    assert model.evenness == pytest.approx(OTHER_DIRECTIONS * 13 / variances.sum(), rel=1e-3)


def test_held_out_distances_are_those_of_models_without_the_fold():
    table = made(60)
    held = out_of_fold_distances(table, COLUMNS, np.arange(len(table.labels)), 0)
    for fold in range(5):
        hold = np.flatnonzero(table.folds == fold)
        without = fit(table, COLUMNS, np.flatnonzero(table.folds != fold), 0)
        np.testing.assert_allclose(held[hold], direct(without, table.rows(hold)), rtol=2e-4)
    own = fit(table, COLUMNS, np.arange(60), 0).distances(table.rows(slice(None)))
    assert not np.allclose(held, own, rtol=0.05)


def test_of_new_images_about_one_in_a_hundred_is_atypical():
    """With few images too: the model of all finds new ones no farther off than its folds found theirs."""
    shares, width = [], 80
    for seed in range(5):
        random = np.random.default_rng(seed)
        labels = np.arange(640) % 4
        axes = np.linalg.qr(random.normal(size=(width, width)))[0] * (np.arange(width) + 1.0) ** -0.7
        vectors = 10 * random.normal(size=(640, width)) @ axes.T + 2 * random.normal(size=(4, width))[labels]
        vectors = vectors.astype(np.float32)
        table = TrainingTable.of(vectors[:140], labels[:140], random.permutation(140) % 5)
        reference = reference_distances(
            out_of_fold_distances(table, np.arange(width), np.arange(len(table.labels)), 0).astype(float)
        )
        model = fit(table, np.arange(width), np.arange(140), 0)
        new = model.distances((vectors[140:] - table.mean) / table.scale).astype(float)
        shares.append([(typicality(reference, new) < threshold).mean() for threshold in (0.01, 0.05)])
    low, high = np.mean(shares, axis=0)
    assert low < 0.025
    assert 0.02 < high < 0.09


def test_what_is_far_away_has_larger_distances():
    table = made(200)
    model = fit(table, COLUMNS, np.arange(200), 0)
    rows, away = table.rows(slice(None)), np.random.default_rng(1).normal(size=30).astype(np.float32)
    steps = [model.distances(rows + length * away) for length in (0, 5, 25, 125)]
    assert all(near.max() < far.min() for near, far in itertools.pairwise(steps[1:]))
    assert np.median(steps[0]) < np.median(steps[1])


def test_only_the_chosen_columns_count():
    table = made(60)
    model = fit(table, COLUMNS, np.arange(60), 0)
    rows = table.rows(slice(None))
    other = rows.copy()
    other[:, :4] += 100
    np.testing.assert_array_equal(model.distances(other), model.distances(rows))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_handful_of_images(count):
    vectors = np.random.default_rng(0).normal(size=(count, 30)).astype(np.float32)
    table = TrainingTable.of(vectors, np.arange(count) % 2, np.arange(count) // 2)
    model = fit(table, COLUMNS, np.arange(count), 0)
    near, far = (model.distances(table.rows(slice(None)) + step) for step in (0, 50))
    assert np.isfinite(near).all()
    assert (far > near).all()


def test_identical_images():
    vectors = np.ones((10, 30), dtype=np.float32)
    table = TrainingTable.of(vectors, np.arange(10) % 2, np.arange(10) // 2)
    assert out_of_fold_distances(table, COLUMNS, np.arange(len(table.labels)), 0).tolist() == [0] * 10
    model = fit(table, COLUMNS, np.arange(10), 0)
    assert (model.distances(table.rows(slice(None)) + 1) > 1).all()


def test_a_class_without_images_is_nobodys_nearest():
    table = made(60)
    rows = np.flatnonzero(table.labels != 1)
    model = fit(table, COLUMNS, rows, 0)
    assert np.isnan(model.centres[1]).all()
    got = model.distances(table.rows(slice(None)))
    np.testing.assert_allclose(got, direct(model, table.rows(slice(None))), rtol=2e-4)
    whole = fit(table, COLUMNS, np.arange(60), 0)
    assert (got[table.labels == 1] > whole.distances(table.rows(slice(None)))[table.labels == 1]).all()


def test_of_many_images_a_rare_class_keeps_its_mean(monkeypatch):
    """Only the covariance is estimated from a sample; a class that the sample missed must not be lost."""
    monkeypatch.setattr(out_of_distribution, "MOST_IMAGES", 40)
    table = made(900)
    labels = table.labels.copy()
    labels[:3] = 3
    rare = TrainingTable.of(table.vectors, labels, table.folds)
    for seed in range(3):
        model = fit(rare, COLUMNS, np.arange(900), seed)
        rows = rare.rows(slice(None))[:, COLUMNS] / model.scale
        means = np.stack([rows[labels == label].mean(0) for label in range(4)])
        np.testing.assert_allclose(model.centres, means, atol=1e-4)


def test_the_same_seed_gives_the_same_bytes():
    table = made(300)
    first, second = (fit(table, COLUMNS, np.arange(300), 7) for _ in range(2))
    assert first.directions.tobytes() == second.directions.tobytes()


def test_directions_are_limited():
    table = made(400, width=300)
    assert fit(table, np.arange(300), np.arange(400), 0).directions.shape == (300, MOST_DIRECTIONS)
    few = made(45, width=300)  # the folds learn from 36 images of 3 classes
    for rows in (np.arange(45), np.arange(9, 45)):
        assert fit(few, np.arange(300), rows, 0).directions.shape == (300, 16)


def test_the_deepest_means_are_looked_at():
    depths = (("a", 3), ("a:max", 3), ("b", 4), ("b:max", 4))
    assert deep_columns(depths).tolist() == [0, 1, 2, 6, 7, 8, 9]
    wide = (("a", 700), ("b", WIDEST - 1000), ("b:max", 50), ("final", 1000), ("final:max", 1000))
    assert deep_columns(wide).tolist() == [*range(700, WIDEST - 300), *range(WIDEST - 250, WIDEST + 750)]
    assert len(deep_columns((("early", 9), ("final", WIDEST + 1)))) == WIDEST + 1
    # Nothing is taken from before a part that is too wide, small as it may be.
    assert deep_columns((("small", 5), ("wide", WIDEST), ("final", 9))).tolist() == [
        *range(WIDEST + 5, WIDEST + 14)
    ]


def test_deviations_are_those_within_the_images_learned_from():
    table = made(60)
    rows = np.flatnonzero(table.vectors[:, 7] > np.median(table.vectors[:, 7]))  # whose mean is not 0
    features = table.rows(rows)[:, COLUMNS]
    np.testing.assert_allclose(fit(table, COLUMNS, rows, 0).scale, features.std(0), rtol=1e-4)


def test_a_class_without_images_takes_no_freedom():
    """Variances of the same images are the same, whether the table knows of another class or not."""
    table = made(60)
    rows = np.flatnonzero(table.labels != 2)
    two = TrainingTable(table.vectors, table.labels, table.folds, 2, table.mean, table.scale)
    more, fewer = (fit(one, COLUMNS, rows, 0, directions=5) for one in (table, two))
    assert more.evenness == pytest.approx(fewer.evenness, rel=1e-6)


def test_with_a_single_degree_of_freedom_the_variance_is_the_square_itself():
    """Three images of two classes: two differ in their class, by which alone anything varies."""
    vectors = np.zeros((3, 4), dtype=np.float32)
    vectors[:, 0], vectors[1, 1] = (1, 1, -2), 3
    table = TrainingTable.of(vectors, np.array([0, 0, 1]), np.arange(3))
    model = fit(table, np.arange(4), np.arange(3), 0, directions=1)
    rows = table.rows(slice(None)) / model.scale
    half = (rows[0] - rows[1]) / 2
    variance = 2 * float(half @ half)
    direction = half / np.linalg.norm(half)
    along = float(((direction @ model.directions) ** 2).sum()) + model.evenness
    assert along == pytest.approx(1 / variance, rel=1e-4)
