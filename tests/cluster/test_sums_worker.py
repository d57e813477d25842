"""sums_worker.py: which features another process can read, and what it adds up of them."""

import numpy as np
import pytest

from fieldguide.cluster.sums_worker import (
    FeatureFile,
    SumsJob,
    SumsPart,
    SumsWorker,
    added_up,
    ends_checksum,
)
from fieldguide.heads.scatter import whole
from fieldguide.heads.training_table import TrainingTable
from fieldguide.large_arrays import in_file, in_named_file


def table_in(vectors, count=60, width=5):
    random = np.random.default_rng(0)
    vectors[:count] = random.normal(2, 3, size=(count, width))
    return TrainingTable.of(vectors[:count], np.arange(count) % 4, np.arange(count) // 4 % 3)


@pytest.fixture
def table(tmp_path):
    """As a feature pass leaves it: the file has room for images that were refused."""
    return table_in(in_named_file((64, 5), np.float16, tmp_path / "features", "features"))


def job_of(table):
    return SumsJob.of(table, FeatureFile.of(table.vectors))


def test_the_first_rows_of_a_named_file_are_one_and_nothing_else_is(table, tmp_path):
    file = FeatureFile.of(table.vectors)
    assert (file.path, file.shape) == (tmp_path / "features", (60, 5))
    np.testing.assert_array_equal(file.opened(), table.vectors)
    assert FeatureFile.of(np.asarray(table.vectors)[:9]).shape == (9, 5)
    for other in (table.vectors[1:], table.vectors[:, 1:], table.vectors[::2], np.array(table.vectors)):
        assert FeatureFile.of(other) is None
    assert FeatureFile.of(in_file((4, 5), np.float16, tmp_path, "features")) is None


def test_a_part_has_the_sums_of_its_rows(table):
    rows = np.flatnonzero(table.folds == 1)[3:17]
    done = SumsWorker(job_of(table)).work(SumsPart(7, 1, 3, 17, ends_checksum(table, rows)))
    assert (done.number, done.seen) == (7, True)
    features, labels = table.rows(rows), table.labels[rows]
    np.testing.assert_allclose(whole([done.scatter]), features.T @ features, rtol=1e-5, atol=1e-4)
    assert done.classes.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(done.sums, [features[labels == one].sum(0) for one in range(4)], atol=1e-5)


def test_only_the_classes_of_a_part_are_sent(table):
    done = added_up(table, 0, np.array([2, 3, 6]))
    assert done.classes.tolist() == [2, 3]
    assert done.sums.shape == (2, 5)


def test_what_is_not_this_file_is_not_seen(table, tmp_path):
    part = SumsPart(0, 0, 0, 5, ends_checksum(table, np.flatnonzero(table.folds == 0)[:5]))
    job = job_of(table)
    assert SumsWorker(job).work(part).seen
    (tmp_path / "features").write_bytes(bytes(64 * 5 * 2))  # as one that has not arrived
    assert not SumsWorker(job).work(part).seen
    (tmp_path / "features").write_bytes(bytes(10))
    assert not SumsWorker(job).work(part).seen
    (tmp_path / "features").unlink()
    assert not SumsWorker(job).work(part).seen
