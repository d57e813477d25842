"""CIFAR-10 and CIFAR-100 in their binary version; the Python version is pickled, and not read.

https://www.cs.toronto.edu/~kriz/cifar.html : a record is a label (CIFAR-100: coarse and fine) and 3 × 32 × 32
bytes.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fieldguide.data.forms.academic.text_lists import lines_of
from fieldguide.data.forms.arrays.pixels import write_images
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import DataSource, content_of
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "CIFAR-10 or CIFAR-100, binary version: data_batch_1.bin … and batches.meta.txt"

_TEN = {**{f"data_batch_{number}.bin": "train" for number in range(1, 6)}, "test_batch.bin": "test"}
_HUNDRED = {"train.bin": "train", "test.bin": "test"}
_NAMES = {1: "batches.meta.txt", 2: "fine_label_names.txt"}
"""Labels a record has, and the list of the names of the last one."""
_PICKLED = {"cifar-10-batches-py": "cifar-10-binary.tar.gz", "cifar-100-python": "cifar-100-binary.tar.gz"}
_PIXELS = 3 * 32 * 32


def recognise(source: DataSource) -> Sequence[Path]:
    """The batches, beside the names of their classes; or the folder of pickles, to be refused by name."""
    files = [file for file in source.files(".bin") if _n_labels(file)]
    if files or source.file is not None:
        return files
    folders = [source.base, *map(Path, source.scan.folders)]
    return [folder for folder in folders if folder.name in _PICKLED][:1]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The images, written as PNG into a temporary folder, with the names of their classes.

    Raises
    ------
    DataError
        If they are pickled, or a file does not consist of whole records.
    """
    if files[0].name in _PICKLED:
        raise DataError(
            f"{files[0]}: it is CIFAR's Python version, which is pickled, and a pickle may run anything; get "
            f"the binary version, {_PICKLED[files[0].name]}, from the same page"
        )
    splits = {file: (_TEN | _HUNDRED)[file.name] for file in files}
    apart = len(set(splits.values())) > 1
    records = Records("", source.scratch, has_splits=apart)
    for file in files:
        _read_one(source, file, records, splits[file] if apart else "")
    records.said = (
        f"CIFAR's binary version: {count_of(len(records.records), 'image')} in {count_of(len(files), 'file')}"
    )
    return records


def _n_labels(file: Path) -> int:
    """How many labels a record has; 0 if it is no such file."""
    n_labels = 1 if file.name in _TEN else 2 if file.name in _HUNDRED else 0
    return n_labels if n_labels and file.with_name(_NAMES[n_labels]).is_file() else 0


def _read_one(source: DataSource, file: Path, records: Records, split: str) -> None:
    n_labels = _n_labels(file)
    size = n_labels + _PIXELS
    content = np.frombuffer(content_of(file), np.uint8)
    if not len(content) or len(content) % size:
        raise DataError(
            f"{file}: it must hold records of {size} bytes, got {len(content)} bytes; get it again"
        )
    names = [line for _, line in lines_of(file.with_name(_NAMES[n_labels]))]
    rows = content.reshape(-1, size)  # (n_images, labels + pixels)
    numbers = rows[:, n_labels - 1].tolist()
    if names and max(numbers) >= len(names):
        raise DataError(f"{file}: class numbers must be below {len(names)}, got {max(numbers)}; get it again")
    images = rows[:, n_labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # (n_images, 32, 32, 3)
    labels = [names[number] if names else str(number) for number in numbers]
    write_images(source, records, os.fspath(file.stem), images, (labels, split))
