"""MedMNIST's and Keras's archives: parts, names, sizes told before anything is read, nothing unpickled."""

import numpy as np
import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.arrays import npz
from fieldguide.errors import DataError

IMAGES = np.arange(4 * 8 * 8, dtype=np.uint8).reshape(4, 8, 8)


def test_medmnist_has_three_parts(tmp_path):
    parts = {
        f"{part}_{what}": values
        for part in ("train", "val", "test")
        for what, values in (("images", IMAGES), ("labels", np.array([[0], [1], [0], [1]])))
    }
    np.savez_compressed(tmp_path / "pneumoniamnist.npz", **parts)
    with open_dataset(tmp_path) as dataset:
        assert [len(dataset.select(part)) for part in ("train", "validation", "test")] == [4, 4, 4]


def test_the_size_is_checked_before_it_is_read(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", x_train=IMAGES, y_train=np.array([0, 1, 0, 1]))
    monkeypatch.setattr(npz, "MOST_BYTES", 100)
    monkeypatch.setattr(np, "load", None)
    with (
        pytest.raises(DataError, match="'x_train' must have at most 0 GiB, got 384 bytes"),
        open_dataset(tmp_path),
    ):
        pass


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.array([{}], dtype=object), labels=np.array([1]))
    with (
        pytest.raises(DataError, match=r"'images' cannot be read .*save plain arrays"),
        open_dataset(tmp_path),
    ):
        pass
