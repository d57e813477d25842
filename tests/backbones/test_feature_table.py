"""Features in memory, and in a nameless file where they are many."""

import os
from pathlib import Path

import numpy as np
import pytest

from fieldguide.backbones import feature_table
from fieldguide.backbones.feature_table import FeatureTable, allocate
from fieldguide.errors import OutputError
from fieldguide.heads.training_table import TrainingTable


def test_few_vectors_are_in_memory_and_many_in_a_nameless_file(tmp_path, monkeypatch):
    assert allocate(3, 4, tmp_path).dtype == np.float32
    monkeypatch.setattr(feature_table, "IN_MEMORY_BYTES", 100)
    table = FeatureTable(30, 4, tmp_path / "new")
    assert isinstance(table.vectors, np.memmap)
    assert table.vectors.dtype == np.float16
    assert list((tmp_path / "new").iterdir()) == []
    table.put([2, 3], np.array([[1, 2, 3, 4], [1e9, -1e9, 0, 0.5]], np.float32))
    assert table.vectors[2].tolist() == [1, 2, 3, 4]
    assert table.vectors[3].tolist() == [65504, -65504, 0, 0.5]


def test_many_vectors_are_in_a_file_with_a_name_where_one_is_given(tmp_path, monkeypatch):
    assert isinstance(allocate(3, 4, tmp_path, lambda: pytest.fail("asked")), np.ndarray)
    monkeypatch.setattr(feature_table, "IN_MEMORY_BYTES", 100)
    table = FeatureTable(30, 4, None, lambda: tmp_path / "features")
    table.put([2], np.array([[1, 2, 3, 4]], np.float32))
    assert np.fromfile(tmp_path / "features", np.float16)[8:12].tolist() == [1, 2, 3, 4]


def file_pages():
    """Megabytes of files that count as this process's memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssFile", "RssShmem"))) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no Linux")
def test_vectors_in_a_file_do_not_fill_the_memory_as_they_are_written_and_read(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_table, "IN_MEMORY_BYTES", 100)
    rows, width = 8192, 4096
    table = FeatureTable(rows, width, tmp_path)
    before = file_pages()
    for start in range(0, rows, 1024):
        table.put(range(start, start + 1024), np.full((1024, width), start, np.float32))
    assert file_pages() < before + 20  # of 64
    read = TrainingTable.of(table.vectors[:], np.arange(rows) % 2, np.zeros(rows, np.int64))
    assert read.mean.tolist() == [3584.0] * width
    assert read.rows(slice(1024, 1025)).std() == 0
    assert file_pages() < before + 20


def test_no_room_for_the_file_is_said_at_the_start(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match=r"no room for 2\.0 GB of features \(No space left"):
        allocate(10**6, 1000, tmp_path)


def test_rows_are_numbered_as_they_come_and_know_their_path():
    table = FeatureTable(5, 2, None)
    assert table.stacked_signatures().shape == (0, 0)
    assert [table.add(position, bytes([position] * 32), np.full(3, position)) for position in (1, 4)] == [
        0,
        1,
    ]
    assert table.rows == [1, 4]
    assert table.digests == ["01" * 32, "04" * 32]
    assert table.stacked_signatures().tolist() == [[1, 1, 1], [4, 4, 4]]
