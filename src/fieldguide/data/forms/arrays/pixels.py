"""From arrays of pixels and labels to image files in a temporary folder, and records that name them."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fieldguide.data.forms.label_names import named
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.errors import DataError

Images = NDArray[Any]


def class_labels(array: NDArray[Any], file: Path, name: str) -> list[str]:
    """Labels as text: whole numbers or text of shape (n,) or (n, 1), or one-hot of shape (n, k).

    Raises
    ------
    DataError
        If they are others, or a row has several ones, or none.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]  # (n, 1) -> (n,)
    elif array.ndim == 2 and array.dtype.kind in "iubf" and bool(np.isin(array, (0, 1)).all()):
        ones = array.astype(bool).sum(axis=1)  # (n, k) -> (n,)
        if bool((ones == 1).all()):
            array = array.argmax(axis=1)  # (n, k) -> (n,)
    if array.ndim != 1 or array.dtype.kind not in "iubU":
        raise DataError(
            f"{file}: {name!r} must be a whole number or text an image, or one-hot with exactly one 1 a row, "
            f"got {array.dtype} of {array.shape}; several labels of an image are tags, which are not learned"
        )
    return [str(int(label) if array.dtype.kind == "b" else label) for label in array.tolist()]


def check_images(images: Images, n_labels: int, file: Path, name: str) -> None:
    """Refuse arrays that are not bytes of grey or colour images with a label each.

    Raises
    ------
    DataError
        If they are of another type, shape or number.
    """
    grey = images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 1)
    colour = images.ndim == 4 and images.shape[3] in (3, 4)
    wanted = f"{file}: {name!r} must be uint8 of shape (n, height, width) or (n, height, width, 3)"
    got = f"got {images.dtype} of {images.shape} and {n_labels} labels"
    if images.dtype.kind == "f":
        raise DataError(
            f"{wanted}, {got}; how they were scaled cannot be told from the file: save pixels from 0 "
            "to 255, of 0 to 1 as (255 * images).round().astype('uint8')"
        )
    if (
        not (grey or colour)
        or images.dtype != np.uint8
        or len(images) != n_labels
        or not all(images.shape[1:])
    ):
        raise DataError(f"{wanted}, and a label each, {got}; convert it")


def write_images(
    source: DataSource,
    records: Records,
    stem: str,
    images: Iterable[Images],
    labelled: tuple[Sequence[str], str],
) -> None:
    """Write images as PNG into the source's temporary folder and append a record each.

    Parameters
    ----------
    source : Source
        DATA.
    records : Records
        Gets the records; its root is the temporary folder.
    stem : str
        What the images come from, for their folder's name.
    images : iterable of ndarray of shape (height, width) or (height, width, channels), uint8
        The images.
    labelled : sequence of str, str
        A label each, and the split of all.
    """
    labels, split = labelled
    folder = source.scratch / (re.sub(r"[^\w.-]", "_", stem) + (f"-{split}" if split else ""))
    folder.mkdir(exist_ok=True)
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True), start=1):
        name = os.path.join(folder.name, f"{number:07d}.png")  # noqa: PTH118
        plain = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels  # grey has two axes
        Image.fromarray(np.ascontiguousarray(plain)).save(source.scratch / name, compress_level=1)
        records.records.append(Record(number, name, label, split))


def name_numbers(records: Records, folders: Iterable[Path]) -> None:
    """Give labels that are numbers their names, where a list lies in one of the folders."""
    names, listed = named((record.label for record in records.records), folders)
    if names:
        records.records = [
            Record(record.number, record.name, names[record.label], record.split)
            for record in records.records
        ]
        records.notes.append(f"numbers got their names from {Path(listed).name!r}")
