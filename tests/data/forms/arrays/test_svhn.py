"""SVHN: ten is zero, the axes in order, a file without its variables."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples_published import made_pixels, svhn


def test_ten_is_zero_and_pixels_are_in_order(tmp_path):
    with open_dataset(svhn(tmp_path)) as dataset:
        assert dataset.select("train").labels == ("1", "1", "0", "0")
        assert np.array_equal(np.asarray(Image.open(dataset.select("train").paths[0])), made_pixels()[0])


def test_a_single_image_and_the_extra_ones(tmp_path):
    svhn(tmp_path)
    savemat(
        tmp_path / "extra_32x32.mat", {"X": made_pixels()[:1].transpose(1, 2, 3, 0), "y": np.array([[7]])}
    )
    with open_dataset(tmp_path) as dataset:
        assert sorted(dataset.select("train").labels) == ["0", "0", "1", "1", "7"]
        assert "extra_32x32.mat was taken as part of train" in dataset.notes


def test_missing_variables_are_named(tmp_path):
    savemat(svhn(tmp_path) / "train_32x32.mat", {"X": made_pixels()})
    with pytest.raises(DataError, match="must hold the variables X and y, got X"), open_dataset(tmp_path):
        pass
