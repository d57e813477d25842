"""IDX files, as MNIST, Fashion-MNIST and EMNIST come: images and labels in two files, perhaps gzipped.

https://yann.lecun.com/exdb/mnist/ : a magic number, the sizes as big-endian 32-bit numbers, then the bytes.
"""

import gzip
import math
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.forms.arrays.pixels import check_images, class_labels, name_numbers, write_images
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import MOST_BYTES, DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "IDX: train-images-idx3-ubyte and train-labels-idx1-ubyte, with or without .gz"

_IMAGES = re.compile(r"(?P<part>.*)images(?P<dot>[-.])idx3-ubyte(?:\.gz)?")
_UBYTE = 8
"""The code of unsigned bytes in the magic number."""


def recognise(source: DataSource) -> Sequence[Path]:
    """Files of images and of labels in turn, gzipped or not."""
    named = source.files("-ubyte", "-ubyte.gz") if source.file is None else sorted(source.folder.iterdir())
    found: dict[str, list[Path]] = {}
    for file in named:
        match = _IMAGES.fullmatch(file.name)
        labels = _labels_of(file, match) if match else None
        if match and labels:
            found.setdefault(str(file.parent / match["part"]), [file, labels])
    pairs = [file for pair in found.values() for file in pair]
    return pairs if source.file is None or source.file in pairs else []


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The images, written as PNG into a temporary folder, with their class numbers.

    Raises
    ------
    DataError
        If a file is damaged, or images and labels are not equally many.
    """
    parts = [_split(file) for file in files[::2]]
    apart = all(parts) and len(set(parts)) > 1
    records = Records("", source.scratch, has_splits=apart)
    for images_file, labels_file, part in zip(files[::2], files[1::2], parts, strict=True):
        images, labels = _array(images_file, 3), _array(labels_file, 1)
        texts = class_labels(labels, labels_file, "labels")
        check_images(images, len(texts), images_file, "images")
        write_images(source, records, images_file.name, images, (texts, part if apart else ""))
    name_numbers(records, (files[0].parent,))
    names = " and ".join(file.name for file in files[::2])
    records.said = f"IDX files {names}: {count_of(len(records.records), 'image')}"
    return records


def _labels_of(file: Path, match: re.Match[str]) -> Path | None:
    name = f"{match['part']}labels{match['dot']}idx1-ubyte"
    return next((path for end in ("", ".gz") if (path := file.with_name(name + end)).is_file()), None)


def _split(file: Path) -> str:
    name = file.name.lower()
    return "train" if "train" in name else "test" if "t10k" in name or "test" in name else ""


def _array(file: Path, n_axes: int) -> NDArray[np.uint8]:
    head = 4 + 4 * n_axes
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            start = opened.read(head)
            sizes = [int.from_bytes(start[at : at + 4], "big") for at in range(4, head, 4)]
            if len(start) < head or start[:4] != bytes((0, 0, _UBYTE, n_axes)):
                raise DataError(f"{file}: it must begin as IDX files of {n_axes} axes do, got {start[:4]!r}")
            count = math.prod(sizes)
            if count > MOST_BYTES:
                raise DataError(
                    f"{file}: it must hold at most {MOST_BYTES >> 30} GiB, got {count} bytes; split it"
                )
            content = opened.read(count + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file}: it cannot be read ({error}); get it again") from error
    if len(content) != count:
        raise DataError(
            f"{file}: it must hold {count} bytes after its head, got {len(content)}; get it again"
        )
    return np.frombuffer(content, np.uint8).reshape(sizes)
