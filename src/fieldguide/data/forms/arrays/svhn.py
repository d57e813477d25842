"""Street View House Numbers, cropped digits: MATLAB's files with pixels `X` and digits `y`, where 10 is 0.

http://ufldl.stanford.edu/housenumbers/
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fieldguide.data.forms.arrays.matlab import variables
from fieldguide.data.forms.arrays.pixels import check_images, class_labels, write_images
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "SVHN: train_32x32.mat and test_32x32.mat, and extra_32x32.mat if it is there"

_PARTS = {"train_32x32.mat": "train", "extra_32x32.mat": "train", "test_32x32.mat": "test"}


def recognise(source: DataSource) -> Sequence[Path]:
    """The files by their names."""
    return [file for file in source.files("_32x32.mat") if file.name in _PARTS]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The images, written as PNG into a temporary folder, with their digits.

    Raises
    ------
    DataError
        If a file cannot be read or lacks what it must have.
    """
    apart = len({_PARTS[file.name] for file in files}) > 1
    records = Records("", source.scratch, has_splits=apart)
    for file in files:
        found = variables(file, ["X", "y"])
        if len(found) < 2:
            raise DataError(f"{file}: it must hold the variables X and y, got {', '.join(found) or 'none'}")
        pixels, numbers = np.asarray(found["X"]), np.atleast_1d(found["y"])
        pixels = pixels[..., None] if pixels.ndim == 3 else pixels  # SciPy drops the axis of a single image
        images = (
            pixels.transpose(3, 0, 1, 2) if pixels.ndim == 4 else pixels
        )  # (32, 32, 3, n) -> (n, 32, 32, 3)
        labels = ["0" if label == "10" else label for label in class_labels(numbers, file, "y")]
        check_images(images, len(labels), file, "X")
        write_images(source, records, file.stem, images, (labels, _PARTS[file.name] if apart else ""))
    records.said = f"SVHN: {count_of(len(records.records), 'image')} in {count_of(len(files), 'file')}"
    if any(file.name.startswith("extra") for file in files):
        records.notes.append("extra_32x32.mat was taken as part of train")
    return records
