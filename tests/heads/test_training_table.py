"""training_table.py: rows are standardised by mean and deviation of all images."""

import numpy as np
import pytest

from fieldguide.heads.training_table import TrainingTable


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_rows_are_standardised_and_features_that_never_move_are_zero(kind):
    vectors = np.random.default_rng(0).normal(50, 9, size=(300, 6)).astype(kind)
    vectors[:, 2] = 0.3
    table = TrainingTable.of(vectors, np.arange(300) % 3, np.arange(300) % 5)
    rows = table.rows(slice(None))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(rows.std(0), [1, 1, 0, 1, 1, 1], atol=1e-3)
    np.testing.assert_array_equal(table.rows(np.array([7, 3]), np.array([5, 0])), rows[[7, 3]][:, [5, 0]])
    assert (table.n_classes, table.n_features, table.shares.tolist()) == (3, 6, [1 / 3] * 3)
