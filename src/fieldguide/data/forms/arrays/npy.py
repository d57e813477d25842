"""A pair of arrays in two files: ``images.npy`` and ``labels.npy``, ``X_train.npy`` and ``y_train.npy``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.forms.arrays.npz import PAIRS
from fieldguide.data.forms.arrays.pixels import check_images, class_labels, name_numbers, write_images
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "arrays in .npy: images.npy and labels.npy, or x_train.npy, y_train.npy and so on"


def recognise(source: DataSource) -> Sequence[Path]:
    """Files of images and of labels in turn, of one folder."""
    named = source.files(".npy") if source.file is None else sorted(source.folder.glob("*.npy"))
    for folder in dict.fromkeys(file.parent for file in named):
        files = {file.stem.lower(): file for file in named if file.parent == folder}
        found = [files[name] for _, *names in PAIRS if {*names} <= files.keys() for name in names]
        if found and (source.file is None or source.file in found):
            return found
    return []


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The images, written as PNG into a temporary folder, with their labels.

    Raises
    ------
    DataError
        If a file holds no plain array of such shape.
    """
    records = Records("", source.scratch, has_splits=len(files) > 2)
    splits = {images: split for split, images, _ in PAIRS}
    for images_file, labels_file in zip(files[::2], files[1::2], strict=True):
        images = _array(images_file)
        labels = class_labels(_array(labels_file), labels_file, labels_file.stem)
        check_images(images, len(labels), images_file, images_file.stem)
        split = splits[images_file.stem.lower()] if records.has_splits else ""
        write_images(source, records, images_file.stem, images, (labels, split))
    name_numbers(records, (files[0].parent,))
    names = ", ".join(file.name for file in files)
    records.said = f"arrays in {names}: {count_of(len(records.records), 'image')}"
    return records


def _array(file: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
    except Exception as error:  # whatever damaged bytes make of NumPy's parser of headers
        raise DataError(f"{file}: it is not a readable plain array ({error}); save it again") from error
