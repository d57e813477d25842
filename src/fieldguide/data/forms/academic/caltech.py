"""Caltech-101 and Caltech-256: class folders in a folder of the data set's own name.

https://data.caltech.edu/records/mzrjq-6wc02 and https://data.caltech.edu/records/nyy15-4j048
"""

import os
from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of

TITLE = "Caltech-101 or Caltech-256: 101_ObjectCategories or 256_ObjectCategories with class folders"

NAMES = ("101_ObjectCategories", "256_ObjectCategories")
_NOT_A_CLASS = ("BACKGROUND_Google", "257.clutter")
"""Folders of photos that show none of the classes."""


def recognise(source: DataSource) -> Sequence[Path]:
    """The folder of class folders: DATA itself or one below."""
    if source.file is not None:
        return []
    if source.folder.name in NAMES:
        return [source.folder]
    return [Path(folder) for folder in source.scan.folders if os.path.basename(folder) in NAMES][:1]  # noqa: PTH119


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The folder of each image, as Caltech names it: ``001.ak47`` keeps its number."""
    return joined([_read_one(source, folder) for folder in files])


def _read_one(source: DataSource, folder: Path) -> Records:
    records = Records("", source.base)
    start = os.path.join(folder, "")  # noqa: PTH118
    for number, path in enumerate(source.scan.images, start=1):
        if not path.startswith(start):
            records.left_out[f"outside {folder.name}"] += 1
            continue
        label, below, _ = path[len(start) :].partition(os.sep)
        if not below:
            records.left_out["in no class folder"] += 1
        else:
            records.records.append(Record(number, os.path.relpath(path, source.base), label))
    labels = {record.label for record in records.records}
    for name in sorted(labels & {*_NOT_A_CLASS}):
        records.notes.append(
            f"{name!r} holds photos that show none of the classes; it is learned as a class: take its folder "
            "out if unknown photos are to be told by typicality"
        )
    edition, classes = folder.name.partition("_")[0], count_of(len(labels), "class folder")
    records.said = f"Caltech-{edition}: {count_of(len(records.records), 'image')} in {classes}"
    return records
