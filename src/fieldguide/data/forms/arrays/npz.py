"""Arrays in one file: MedMNIST's and Keras's ``.npz``; nothing is unpickled.

https://medmnist.com/ has ``train_images``, ``train_labels``, ``val_…``, ``test_…``; Keras has ``x_train`` and
``y_train``.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.forms.arrays.pixels import check_images, class_labels, name_numbers, write_images
from fieldguide.data.forms.records import Records, joined
from fieldguide.data.forms.source import MOST_BYTES, DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "arrays in .npz: MedMNIST's or Keras's names, or images and labels"

PAIRS = (
    ("train", "train_images", "train_labels"),
    ("validation", "val_images", "val_labels"),
    ("test", "test_images", "test_labels"),
    ("train", "x_train", "y_train"),
    ("validation", "x_val", "y_val"),
    ("test", "x_test", "y_test"),
    ("", "images", "labels"),
    ("", "x", "y"),
)
"""Split, and the names of its images and labels."""


def recognise(source: DataSource) -> Sequence[Path]:
    """The files that hold a pair of arrays under known names."""
    return [file for file in source.files(".npz") if _pairs(file)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The images, written as PNG into a temporary folder, with their labels."""
    return joined([_read_one(source, file) for file in files])


def _pairs(file: Path) -> list[tuple[str, str, str]]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return []
    return [pair for pair in PAIRS if {pair[1], pair[2]} <= names]


def _read_one(source: DataSource, file: Path) -> Records:
    pairs = _pairs(file)
    records = Records("", source.scratch, has_splits=len(pairs) > 1)
    for split, images_name, labels_name in pairs:
        images = _array(file, images_name)
        labels = class_labels(_array(file, labels_name), file, labels_name)
        check_images(images, len(labels), file, images_name)
        write_images(source, records, f"{file.stem}-{images_name}", images, (labels, split))
    name_numbers(records, (file.parent,))
    shapes = ", ".join(f"{split or 'images'} {name}" for split, name, _ in pairs)
    records.said = f"arrays in {file.name!r}: {count_of(len(records.records), 'image')} ({shapes})"
    return records


def _array(file: Path, name: str) -> NDArray[Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            size = archive.getinfo(f"{name}.npy").file_size
        if size > MOST_BYTES:
            raise DataError(
                f"{file}: {name!r} must have at most {MOST_BYTES >> 30} GiB, got {size} bytes; split it"
            )
        with np.load(file, allow_pickle=False) as arrays:
            return np.asarray(arrays[name])
    except DataError:
        raise
    except Exception as error:  # whatever damaged bytes make of zip's and NumPy's parsers
        raise DataError(f"{file}: the array {name!r} cannot be read ({error}); save plain arrays") from error
