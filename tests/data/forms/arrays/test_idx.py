"""IDX: heads that lie about what follows."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.arrays import idx
from fieldguide.errors import DataError
from form_samples_published import idx as sample


def test_parts_and_pixels(tmp_path):
    with open_dataset(sample(tmp_path)) as dataset:
        assert (len(dataset.select("train")), len(dataset.select("test"))) == (4, 2)
    with open_dataset(tmp_path / "train-images-idx3-ubyte.gz") as dataset:
        assert len(dataset) == 6


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x00\x08\x03\x00\x00\x00\x04", "must begin as IDX files of 1 axes do"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x05\x00\x01", "must hold 5 bytes after its head, got 2"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01\x00\x01", "must hold 1 bytes after its head, got 2"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01\x00", "and a label each, got uint8 of"),
    ],
)
def test_damaged_files_are_named(tmp_path, content, said):
    (sample(tmp_path) / "train-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=said), open_dataset(tmp_path):
        pass


def test_a_head_of_huge_size_reads_nothing(tmp_path, monkeypatch):
    sample(tmp_path)
    monkeypatch.setattr(idx, "MOST_BYTES", 100)
    with pytest.raises(DataError, match="must hold at most 0 GiB, got 1568 bytes"), open_dataset(tmp_path):
        pass
