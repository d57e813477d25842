"""scatter.py: the sums are those of their definition, and heads take whatever is asked to add them up."""

import numpy as np
import pytest

from fieldguide.heads import scatter
from fieldguide.heads.lda import ByScatter
from fieldguide.heads.scatter import FoldSums, Triangle, add_rows, fold_sums, fold_sums_here, summed_by, whole
from fieldguide.heads.training_table import TrainingTable


@pytest.fixture
def table():
    random = np.random.default_rng(0)
    vectors, labels = random.normal(3, 2, size=(90, 7)).astype(np.float32), random.integers(0, 4, 90)
    return TrainingTable.of(vectors, labels, np.array([5, 2, 9])[np.arange(90) % 3])


def by_definition(table, name):
    rows = table.rows(np.flatnonzero(table.folds == name)).astype(np.float64)
    labels = table.labels[table.folds == name]
    sums = np.array([rows[labels == number].sum(0) for number in range(table.n_classes)])
    return np.bincount(labels, minlength=table.n_classes), sums, rows.T @ rows


@pytest.mark.parametrize(("block", "panel"), [(2048, 512), (7, 3), (30, 7)])
def test_sums_are_those_of_their_definition(table, block, panel, monkeypatch):
    monkeypatch.setattr(scatter, "BLOCK", block)
    monkeypatch.setattr(scatter, "PANEL", panel)
    found = fold_sums_here(table)
    assert found.names.tolist() == [2, 5, 9]
    for place, name in enumerate(found.names):
        counts, sums, products = by_definition(table, name)
        assert found.counts[place].tolist() == counts.tolist()
        np.testing.assert_allclose(found.sums[place], sums, atol=1e-4)
        np.testing.assert_allclose(whole([found.scatters[place]]), products, atol=1e-4)


def test_sums_of_some_images_and_of_the_others_add_up(table):
    at_once, found = fold_sums_here(table), FoldSums.empty(table)
    for place, name in enumerate(found.names):
        rows = np.flatnonzero(table.folds == name)
        for some in (rows[20:], rows[:1], rows[1:20]):
            add_rows(table, some, found.sums[place], found.scatters[place])
    np.testing.assert_allclose(found.sums, at_once.sums, atol=1e-4)
    np.testing.assert_allclose(whole(found.scatters), whole(at_once.scatters), atol=1e-4)


@pytest.mark.parametrize("panel", [2, 5, 9])
def test_a_sum_of_triangles_is_whole(panel, monkeypatch):
    monkeypatch.setattr(scatter, "PANEL", panel)
    rows = np.random.default_rng(0).integers(-9, 9, (3, 4, 5)).astype(np.float32)
    triangles = [Triangle.zeros(5) for _ in rows]
    for triangle, some in zip(triangles, rows, strict=True):
        triangle.add_products(some)
    triangles[0].add(triangles[2])
    flat = rows[[0, 1, 2]].reshape(-1, 5)
    np.testing.assert_array_equal(whole(triangles[:2]), flat.T @ flat)


def test_many_images_are_not_lost_to_rounding():
    """In single precision 2**31 and fifty more are 2**31."""
    triangle, ones = Triangle.zeros(1), np.ones((2048, 1), dtype=np.float32)
    triangle.panels[0][:] = 2.0**31
    for _ in range(4):
        triangle.add_products(ones[:50])
    assert triangle.panels[0].item() - 2**31 == 200


def test_a_head_is_fitted_from_what_somebody_else_adds_up_until_the_context_ends(table):
    asked = []

    def elsewhere(given):
        asked.append(given)
        return fold_sums_here(given)

    with summed_by(elsewhere):
        weights, bias = ByScatter(table).fit(0.5)
    assert asked == [table]
    for one, other in zip(ByScatter(table).fit(0.5), (weights, bias), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(asked) == 1


def test_an_exception_ends_the_context_too(table):
    with pytest.raises(ValueError, match="stop"), summed_by(lambda given: pytest.fail("asked")):
        raise ValueError("stop")
    fold_sums(table)
