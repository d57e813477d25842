"""The leading directions, beside an exact decomposition and scikit-learn's randomised one."""

import numpy as np
import pytest
from sklearn.utils.extmath import randomized_svd

from fieldguide.heads.randomized_svd import leading_directions


def made(shape, seed=0):
    """Rows whose variances fall slowly, as those of features do."""
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.normal(size=(shape[1], shape[1]))).Q
    rows = random.normal(size=shape) * (np.arange(shape[1]) + 1.0) ** -0.7
    return (rows @ axes.T).astype(np.float32)


@pytest.mark.parametrize("shape", [(500, 200), (120, 300), (12, 40)])
def test_they_are_those_of_the_exact_decomposition(shape):
    rows, count = made(shape), 6
    values, directions = leading_directions(rows, count, 0)
    _, exact, axes = np.linalg.svd(rows.astype(float), full_matrices=False)
    np.testing.assert_allclose(values, exact[:count], rtol=2e-3)
    np.testing.assert_allclose(directions @ directions.T, np.eye(count), atol=1e-5)
    assert abs(np.sum(directions[0] * axes[0])) > 0.999


def test_as_much_is_explained_as_by_scikit_learn():
    rows = made((900, 400), seed=1)
    _, reference, axes = randomized_svd(rows, 50, n_iter=2, random_state=0)
    values, directions = leading_directions(rows, 50, 0)
    np.testing.assert_allclose(values[:20], reference[:20], rtol=5e-3)
    explained, theirs = (float(((rows @ found.T) ** 2).sum()) for found in (directions, axes))
    assert explained > 0.999 * theirs


def test_all_directions_of_a_few_rows():
    rows = made((4, 30))
    values, directions = leading_directions(rows, 4, 0)
    np.testing.assert_allclose((directions.T * values**2) @ directions, rows.T @ rows, atol=1e-3)


def test_identical_rows_have_one_direction():
    values, _ = leading_directions(np.ones((10, 30), np.float32), 3, 0)
    assert values[0] == pytest.approx(300**0.5)
    assert (values[1:] < 1e-2).all()


def test_the_same_seed_gives_the_same_bytes():
    first, second = (leading_directions(made((80, 50)), 7, 3)[1] for _ in range(2))
    assert first.tobytes() == second.tobytes()
