"""A table with a column a class: 1 where a photo shows it, 0 where not, empty where nobody knows."""

from pathlib import Path
from typing import Any

from fieldguide.data.writers.placing import PlacedPhoto, Placing, names_in
from fieldguide.data.writers.table import NAME, cell_of_tag, with_splits_and_groups
from fieldguide.errors import OutputError
from fieldguide.files import atomic_write
from fieldguide.plain_text import csv_line
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER

TITLE = "images/ and labels.csv with path and a column a class of 0 and 1"
PLACING = Placing.IMAGES
TASKS = EITHER
NOT_KNOWN = True
"""Whether it can hold that nobody knows whether a photo has a tag."""
_TAKEN = frozenset({"path", "split", "group"})


def write(photos: list[PlacedPhoto], folder: Path) -> None:
    """Write ``labels.csv``.

    Raises
    ------
    OutputError
        If a class is called as another column is.
    """
    names = names_in(photos)
    taken = [name for name in names if name.lower() in _TAKEN]
    if taken:
        raise OutputError(
            f"a class must not be called as a column of the table is, got {taken[0]!r}; write --to table"
        )
    tags = [photo.tags or Tags.of([photo.label]) for photo in photos]
    columns: list[tuple[str, list[Any]]] = [("path", [photo.name for photo in photos])]
    columns += [(name, [cell_of_tag(one, name) for one in tags]) for name in names]
    columns = with_splits_and_groups(columns, photos)
    with atomic_write(folder / NAME) as opened:
        opened.write(csv_line([name for name, _ in columns]))
        for row in zip(*(cells for _, cells in columns), strict=True):
            opened.write(csv_line(row))
