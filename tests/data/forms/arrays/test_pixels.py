"""Labels from arrays, images to files: what is refused says what to do."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.forms.arrays.pixels import check_images, class_labels
from fieldguide.errors import DataError

FILE = Path("x.npz")


@pytest.mark.parametrize(
    ("array", "labels"),
    [
        (np.array([3, 1]), ["3", "1"]),
        (np.array([[3], [1]], np.uint8), ["3", "1"]),
        (np.array([True, False]), ["1", "0"]),
        (np.array(["cat", "dog"]), ["cat", "dog"]),
        (np.array([[0, 1, 0], [1, 0, 0]]), ["1", "0"]),
        (np.eye(2, dtype=np.float32), ["0", "1"]),
    ],
)
def test_labels(array, labels):
    assert class_labels(array, FILE, "y") == labels


@pytest.mark.parametrize(
    "array", [np.array([[1, 1], [0, 1]]), np.array([[0, 0]]), np.array([0.5]), np.zeros((2, 2, 2))]
)
def test_labels_that_are_none(array):
    with pytest.raises(DataError, match=r"x\.npz: 'y' must be a whole number or text an image, or one-hot"):
        class_labels(array, FILE, "y")


def test_images_that_are_none():
    check_images(np.zeros((2, 4, 4, 3), np.uint8), 2, FILE, "x")
    with pytest.raises(DataError, match=r"got float32 .* of 0 to 1 as \(255 \* images\)"):
        check_images(np.zeros((2, 4, 4, 3), np.float32), 2, FILE, "x")
    for shape, count in (((2, 4, 4, 3), 3), ((2, 4), 2), ((2, 4, 4, 5), 2), ((2, 0, 4), 2)):
        with pytest.raises(DataError, match="and a label each, got uint8"):
            check_images(np.zeros(shape, np.uint8), count, FILE, "x")
