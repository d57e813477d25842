"""STL-10 in its binary version: pixels column by column, channels apart, labels from 1.

https://cs.stanford.edu/~acoates/stl10/
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fieldguide.data.forms.academic.text_lists import beside, lines_of
from fieldguide.data.forms.arrays.pixels import write_images
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import DataSource, content_of
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "STL-10: train_X.bin, train_y.bin, test_X.bin, test_y.bin and class_names.txt"

_PARTS = ("train", "test")
_SIDE = 96
_SIZE = 3 * _SIDE * _SIDE


def recognise(source: DataSource) -> Sequence[Path]:
    """The files of images that have labels beside them."""
    names = {f"{part}_X.bin" for part in _PARTS}
    files = [file for file in source.files("_X.bin", "_x.bin") if file.name in names]
    return [file for file in files if beside(file, file.name.replace("_X", "_y"))]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The labelled images, written as PNG into a temporary folder, with the names of their classes.

    Raises
    ------
    DataError
        If a file does not consist of whole images, or of a label each.
    """
    records = Records("", source.scratch, has_splits=len(files) > 1)
    for file in files:
        _read_one(source, file, records)
    if beside(files[0], "unlabeled_X.bin"):
        records.notes.append("the images of unlabeled_X.bin have no labels and are not used")
    records.said = f"STL-10: {count_of(len(records.records), 'image')} in {count_of(len(files), 'file')}"
    return records


def _read_one(source: DataSource, file: Path, records: Records) -> None:
    labels_file, names_file = file.with_name(file.name.replace("_X", "_y")), beside(file, "class_names.txt")
    content = np.frombuffer(content_of(file), np.uint8)
    numbers = list(content_of(labels_file))
    if not numbers or len(content) != len(numbers) * _SIZE:
        raise DataError(
            f"{file}: it must hold {_SIZE} bytes for each of {len(numbers)} labels, got {len(content)}"
        )
    names = [line for _, line in lines_of(names_file)] if names_file else []
    if names and not all(1 <= number <= len(names) for number in numbers):
        raise DataError(
            f"{labels_file}: labels must be 1 to {len(names)}, got {min(numbers)} to {max(numbers)}"
        )
    labels = [names[number - 1] if names else str(number) for number in numbers]
    images = content.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 3, 2, 1)  # (n_images, rows, columns, 3)
    split = file.name.partition("_")[0] if records.has_splits else ""
    write_images(source, records, file.stem, images, (labels, split))
