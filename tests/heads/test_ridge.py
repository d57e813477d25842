"""Ridge regression on tags: both forms agree, folds are held out, what is not known counts neither way."""

import numpy as np
import pytest

from fieldguide.heads import ridge
from fieldguide.heads.ridge import TagTable
from fieldguide.heads.training_table import TrainingTable


def made(images=240, features=30, tags=4, unknown=0.0, seed=0):
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(images, features)).astype(np.float32)
    scores = vectors @ chance.normal(size=(features, tags)) + chance.normal(size=(images, tags))
    shown = (scores > 1).astype(np.int8)
    shown[chance.random(shown.shape) < unknown] = -1
    folds = np.arange(images) % 5
    return TagTable(TrainingTable.of(vectors, np.zeros(images, np.int64), folds), shown)


@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_both_forms_of_the_algebra_agree(unknown):
    tags = made(unknown=unknown)
    for without in (None, 2):
        (first,) = ridge._ByProducts(tags).solutions(without, [0.6])
        (second,) = ridge._ByScatter(tags).solutions(without, [0.6])
        np.testing.assert_allclose(first.weights, second.weights, atol=1e-5)
        np.testing.assert_allclose(first.bias, second.bias, atol=1e-5)


def exact(tags, tag, shrinkage):
    """The heads from the photos of which the tag is known alone, with the same ridge."""
    rows = tags.table.rows(slice(None)).astype(np.float64)
    known = tags.indicators[:, tag] >= 0
    spread = np.trace(np.cov(rows.T, bias=True)) / rows.shape[1]
    strength = len(rows) * spread * shrinkage / (1 - shrinkage)
    own, target = rows[known], tags.indicators[known, tag].astype(np.float64)
    centred = own - own.mean(0)
    system = centred.T @ centred + strength * np.eye(rows.shape[1])
    return np.linalg.solve(system, centred.T @ (target - target.mean()))


def test_what_is_not_known_is_as_if_it_were_not_there():
    tags = made(unknown=0.4)
    solution = ridge.fit(tags, 0.5)
    for tag in range(4):
        np.testing.assert_allclose(solution.weights[:, tag], exact(tags, tag, 0.5), atol=3e-4)


def test_what_is_not_known_taken_as_absent_would_differ():
    tags = made(unknown=0.4)
    absent = TagTable(tags.table, np.where(tags.indicators < 0, 0, tags.indicators).astype(np.int8))
    assert np.abs(ridge.fit(absent, 0.5).weights - ridge.fit(tags, 0.5).weights).max() > 0.005


def test_an_image_is_scored_by_heads_that_have_not_seen_its_fold():
    tags = made()
    scores = ridge.out_of_fold(tags, [0.5], np.arange(240))[0]
    changed = tags.indicators.copy()
    changed[tags.folds == 3] = 1 - changed[tags.folds == 3]
    again = ridge.out_of_fold(TagTable(tags.table, changed), [0.5], np.arange(240))[0]
    np.testing.assert_allclose(again[tags.folds == 3], scores[tags.folds == 3], atol=1e-6)
    assert np.abs(again[tags.folds != 3] - scores[tags.folds != 3]).max() > 0.01


def test_shares_count_what_is_known():
    table = TrainingTable.of(np.ones((4, 2), np.float32), np.zeros(4, np.int64), np.arange(4))
    tags = TagTable(table, np.array([[1, 0], [0, -1], [0, 1], [0, -1]], np.int8))
    assert tags.shares.tolist() == [0.25, 0.5]
