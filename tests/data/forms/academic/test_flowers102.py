"""Flowers: numbers and parts from MATLAB's files."""

import numpy as np
import pytest
from scipy.io import savemat

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples_published import flowers102


def test_parts_and_names(tmp_path):
    with open_dataset(flowers102(tmp_path)) as dataset:
        assert dataset.splits == ("validation", "train", "test", "train", "validation", "test")
        assert "numbers got their names from 'cat_to_name.json'" in dataset.notes


def test_without_names_and_split_there_are_numbers(tmp_path):
    flowers102(tmp_path)
    (tmp_path / "cat_to_name.json").unlink()
    (tmp_path / "setid.mat").unlink()
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("1", "1", "1", "2", "2", "2")
        assert dataset.splits is None


def test_an_image_in_no_part_is_counted(tmp_path):
    flowers102(tmp_path)
    savemat(tmp_path / "setid.mat", {"trnid": np.array([[1, 4]]), "tstid": np.array([[3]])})
    with open_dataset(tmp_path) as dataset:
        assert "3 entries left out: in no part of setid.mat" in dataset.notes


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("imagelabels.mat", {"other": 1}, "must hold the variable 'labels'"),
        ("setid.mat", {"trnid": "ab"}, "numbers"),
    ],
)
def test_a_file_that_lacks_it_is_named(tmp_path, name, values, said):
    flowers102(tmp_path)
    savemat(tmp_path / name, values)
    with pytest.raises(DataError, match=f"{name}: it must hold.*{said.split()[-1]}"), open_dataset(tmp_path):
        pass
