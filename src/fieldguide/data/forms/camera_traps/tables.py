"""Rows of a table by the names of their columns, and what was seen on each photo."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fieldguide.data.forms.columns import sample_text
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import DataSource
from fieldguide.errors import DataError

BLANK = "blank"
"""The class of a photo that shows nothing."""
SEVERAL = "several species on a photo are tags, which are not learned"
UNNAMED = "not identified"

Row = Mapping[str, str]


def columns_of(source: DataSource, file: Path) -> set[str]:
    """The names of a table's columns; none if it is no table that can be read."""
    try:
        return {name.strip() for name in source.cells(file).header}
    except DataError:
        return set()


def rows_of(source: DataSource, file: Path) -> Iterator[tuple[int, Row]]:
    """The rows of a table with their numbers from 1; cells that a row lacks are empty.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    cells = source.cells(file)
    header = [name.strip() for name in cells.header]
    for number, row in enumerate(cells.records(), start=1):
        texts = [sample_text(cell).strip() for cell in row[: len(header)]]
        yield number, dict(zip(header, texts + [""] * (len(header) - len(texts)), strict=True))


def one_label(labels: Iterable[str], records: Records) -> str | None:
    """The one thing that was seen on a photo; several, or none that has a name, are counted as left out."""
    seen = list(dict.fromkeys(label for label in labels if label))
    if len(seen) == 1:
        return seen[0]
    records.left_out[SEVERAL if seen else UNNAMED] += 1
    return None


def is_true(text: str) -> bool:
    """Whether a cell says yes, as programs write it.

    Examples
    --------
    >>> is_true("TRUE"), is_true("1"), is_true("")
    (True, True, False)
    """
    return text.lower() in ("1", "1.0", "true", "yes")
