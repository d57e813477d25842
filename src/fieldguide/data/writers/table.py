"""A table of paths and labels beside the photos."""

from pathlib import Path
from typing import Any, TypeAlias

from fieldguide.data.writers.placing import PlacedPhoto, Placing
from fieldguide.files import atomic_write
from fieldguide.plain_text import csv_line
from fieldguide.tasks.tags import Tags, names_of
from fieldguide.tasks.task import EITHER

TITLE = "images/ and labels.csv with path, label (or labels) and if known split and group"
PLACING = Placing.IMAGES
NAME = "labels.csv"
TASKS = EITHER
"""What it can hold: one label a photo, or tags."""
NOT_KNOWN = True
"""Whether it can hold that nobody knows whether a photo has a tag."""
Columns: TypeAlias = list[tuple[str, list[Any]]]


def write(photos: list[PlacedPhoto], folder: Path) -> None:
    """Write ``labels.csv``."""
    write_rows(photos, folder / NAME)


def write_rows(photos: list[PlacedPhoto], file: Path) -> None:
    """Write the table of photos whose names count from the file's folder.

    Tags stand in a column `labels`, joined by a mark that none of them holds; where it is not known whether
    photos have some, they stand in a column a tag: 1, 0, or empty.
    """
    columns = with_splits_and_groups([("path", [photo.name for photo in photos]), *_labels(photos)], photos)
    with atomic_write(file) as opened:
        opened.write(csv_line([name for name, _ in columns]))
        for row in zip(*(cells for _, cells in columns), strict=True):
            opened.write(csv_line(row))


def with_splits_and_groups(columns: Columns, photos: list[PlacedPhoto]) -> Columns:
    """Columns with those of splits and groups behind, where photos have some."""
    beside = {name: [getattr(photo, name) for photo in photos] for name in ("split", "group")}
    return [*columns, *((name, cells) for name, cells in beside.items() if any(cells))]


def _labels(photos: list[PlacedPhoto]) -> Columns:
    """The column of labels, or the columns of tags."""
    tags = [photo.tags for photo in photos if photo.tags is not None]
    if not tags:
        return [("label", [photo.label for photo in photos])]
    names = names_of(tags)
    mark = next((mark for mark in ("|", ";") if not any(mark in name for name in names)), None)
    if mark is not None and not any(one.not_known for one in tags):
        return [("labels", [mark.join(one.present) for one in tags])]
    return [(name, [cell_of_tag(one, name) for one in tags]) for name in names]


def cell_of_tag(tags: Tags, name: str) -> int | str:
    """1, 0, or empty where it is not known whether a photo has the tag."""
    if name in tags.not_known:
        return ""
    return int(name in tags.present)
