"""Arrays in a file without a name."""

import os

import numpy as np
import pytest

from fieldguide.errors import OutputError
from fieldguide.large_arrays import in_file, in_named_file, let_pages_go


def test_an_array_in_a_file_holds_what_is_written_and_leaves_nothing_behind(tmp_path):
    array = in_file((3, 4), np.float32, tmp_path / "new", "features")
    assert isinstance(array, np.memmap)
    assert (array == 0).all()
    array[1] = 7
    let_pages_go(array[1:])
    assert array.sum() == 28
    assert list((tmp_path / "new").iterdir()) == []


def test_an_array_in_a_named_file_is_read_by_others_until_nothing_refers_to_it(tmp_path):
    array = in_named_file((3, 4), np.float16, tmp_path / "features", "features")
    assert (array == 0).all()
    array[1] = 7
    part = array[:2]
    del array
    np.testing.assert_array_equal(np.memmap(tmp_path / "features", np.float16, "r", shape=(2, 4)), part)
    del part
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_replaced_by_the_systems(tmp_path):
    (tmp_path / "file").write_text("")
    array = in_file((2,), np.uint8, tmp_path / "file" / "folder", "pixels")
    array[:] = 3
    assert array.tolist() == [3, 3]


def test_a_full_disk_is_named_with_what_was_to_lie_there(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    for make in (in_file, lambda shape, kind, folder, what: in_named_file(shape, kind, folder / "it", what)):
        with pytest.raises(
            OutputError, match=r"no room for 2\.0 GB of pixels \(No space left on device\); free some"
        ):
            make((1000, 1000, 2000), np.uint8, tmp_path, "pixels")


def test_an_array_in_memory_has_no_pages_to_let_go():
    array = np.arange(5)
    let_pages_go(array)
    assert array.tolist() == [0, 1, 2, 3, 4]
