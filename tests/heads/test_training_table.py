"""training_table.py: rows are standardised by mean and deviation of all images."""

import numpy as np
import pytest

from fieldguide.heads import training_table
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


def test_rows_from_all_over_a_file_are_given_back_a_few_at_a_time(monkeypatch):
    """The system takes pages around each, and with a block at once would hold most of the file."""
    vectors = np.random.default_rng(0).normal(size=(900, 3)).astype(np.float16)
    table = TrainingTable.of(vectors, np.arange(900) % 2, np.arange(900) % 5)
    given_back = []
    monkeypatch.setattr(training_table, "let_pages_go", given_back.append)
    rows = np.random.default_rng(1).permutation(900)
    np.testing.assert_array_equal(table.rows(rows), table.rows(slice(None))[rows])
    assert len(given_back) >= len(rows) / training_table.GATHERED
