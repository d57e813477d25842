"""Pairs of .npy files: Keras's parts, one of the files named, objects refused."""

import numpy as np
import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples_published import NUMBERS, made_pixels, npy


def test_parts_in_capital_letters(tmp_path):
    for part in ("train", "test"):
        np.save(tmp_path / f"X_{part}.npy", made_pixels())
        np.save(tmp_path / f"y_{part}.npy", np.eye(2)[NUMBERS])
    with open_dataset(tmp_path) as dataset:
        assert (len(dataset.select("train")), len(dataset.select("test"))) == (6, 6)
        assert dataset.classes == ("0", "1")


def test_either_file_may_be_named(tmp_path):
    npy(tmp_path)
    for name in ("images.npy", "labels.npy"):
        with open_dataset(tmp_path / name) as dataset:
            assert len(dataset) == 6


def test_objects_are_not_unpickled(tmp_path):
    npy(tmp_path)
    np.save(tmp_path / "labels.npy", np.array([{}], dtype=object))
    with (
        pytest.raises(DataError, match=r"labels\.npy: .* not a readable plain array"),
        open_dataset(tmp_path),
    ):
        pass
