"""Several labels a photo: when a form is read so, how cells of a table write them, rows of one photo joined.

The data decide, and a person may decide otherwise (``--task``): a column ``labels`` or ``tags`` whose cells
hold none or several, cells that are lists, or one column a class with several ones in a row are tags.
"""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fieldguide.data.cells import text_of, word_of
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError
from fieldguide.tasks.tags import Tags, names_of
from fieldguide.tasks.task import Task

NAMES = frozenset({"labels", "tags"})
"""What a column of tags is called, in lower case."""
NOT_READ = "which are not learned"
"""How a form says that it left photos out for their several labels, and would do so if tags were wanted."""
SEPARATORS = ("|", ";")
"""What stands between the tags of a cell, the preferred first."""


@dataclass(frozen=True)
class TagCells:
    """How the cells of a column write tags."""

    separator: str | None
    """Between the tags of a text; None where a text is one tag."""
    lists: bool
    """Whether cells are lists."""
    names: Sequence[str] = ()
    """Names of numbered tags."""

    @property
    def said(self) -> str:
        """How they are written, for a person."""
        if self.lists:
            return "as lists"
        return "one a row" if self.separator is None else f"separated by {self.separator!r}"

    def read(self, cell: Any, where: str) -> Tags:
        """The tags of a cell; an empty one is none.

        Raises
        ------
        DataError
            If an entry is no text or number.

        Examples
        --------
        >>> TagCells("|", lists=False).read("dog|beach", "photos.csv, row 1").present
        ('beach', 'dog')
        >>> TagCells(None, lists=True, names=("beach", "dog")).read([1], "photos.parquet, row 1").present
        ('dog',)
        """
        entries = _entries(cell)
        if entries is None:
            text = word_of(cell, where, "tag")
            entries = text.split(self.separator) if self.separator else [text]
        return Tags.of(self._name(entry, where) for entry in entries)

    def _name(self, entry: Any, where: str) -> str:
        numbered = isinstance(entry, int) and not isinstance(entry, bool)
        if numbered and 0 <= entry < len(self.names):
            return str(self.names[entry])
        return word_of(entry, where, "tag").strip()


def tag_cells(
    name: str, cells: Iterable[Any], wanted: Task | None, names: Sequence[str] = ()
) -> TagCells | None:
    """How a column writes tags; None where it holds one label a row.

    Parameters
    ----------
    name
        Of the column.
    cells
        All of them.
    wanted
        What the person said; None lets the cells decide.
    names
        Of numbered labels, where the format holds them.

    Examples
    --------
    >>> tag_cells("tags", ["dog;sea", ""], None).said, tag_cells("tags", ["dog", "sea"], None)
    ("separated by ';'", None)
    """
    if wanted is Task.SINGLE:
        return None
    lists, empty, seen = False, False, set[str]()
    for cell in cells:
        if _entries(cell) is not None:
            lists = True
            continue
        text = _text(cell)
        empty = empty or not text
        seen.update(mark for mark in SEPARATORS if mark in text)
    called = name.strip().lower() in NAMES
    if wanted is None and not lists and not (called and (seen or empty)):
        return None
    separator = next((mark for mark in SEPARATORS if mark in seen), None)
    return TagCells(separator, lists, names)


def as_wanted(records: Records, wanted: Task | None) -> Records:
    """The same records as tags, where the form or the person says so.

    Parameters
    ----------
    records
        What a reader gave.
    wanted
        What the person said; None leaves it to the reader.

    Raises
    ------
    DataError
        If tags are wanted of a form whose reader keeps no more than one label.
    """
    if (wanted or records.task) is Task.SINGLE:
        return replace(records, task=Task.SINGLE)
    lost = [reason for reason in records.left_out if reason.endswith(NOT_READ)]
    if lost:
        raise DataError(
            f"{records.root}: photos with several labels are not read as tags from this form yet "
            f"({records.said}; {lost[0]}); write them as a table with a column labels, see docs/data.md"
        )
    several = records.tagged or [_as_tags(record) for record in records.records]
    joined: dict[tuple[str, str, str, Any], Record] = {}
    for record in map(_as_tags, several):
        key = (record.name, record.split, record.group, record.box)
        earlier = joined.get(key)
        joined[key] = record if earlier is None else _together(earlier, record)
    left_out = records.left_out - records.left_out_as_single
    rows = len(several) - len(joined)
    notes = (
        [f"{count_of(rows, 'row')} joined with another of the same photo: their tags are added"]
        if rows
        else []
    )
    tags = names_of(record.tags for record in joined.values() if record.tags is not None)
    return replace(
        records,
        task=Task.MULTIPLE,
        records=list(joined.values()),
        left_out=left_out,
        said=f"{records.said}; read as {_counted(tags)}, any number a photo (--task single reads one)",
        notes=[*records.notes, *notes],
    )


def _counted(tags: Sequence[str]) -> str:
    return count_of(len(tags), "tag")


def _as_tags(record: Record) -> Record:
    return record if record.tags is not None else replace(record, tags=Tags.of([record.label]), label="")


def _together(first: Record, second: Record) -> Record:
    assert first.tags is not None and second.tags is not None, "both were made tags"
    both = Tags.of(
        (*first.tags.present, *second.tags.present), (*first.tags.not_known, *second.tags.not_known)
    )
    return replace(first, tags=both)


def _entries(cell: Any) -> list[Any] | None:
    """The entries of a cell that is a list, or a list written as text; None for other cells."""
    if hasattr(cell, "tolist") and getattr(cell, "ndim", 0) == 1:
        return list(cell.tolist())
    if isinstance(cell, list | tuple | set | frozenset):
        return list(cell)
    if isinstance(cell, str) and cell.startswith("[") and cell.endswith("]"):
        try:
            read = ast.literal_eval(cell)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
        return read if isinstance(read, list) else None
    return None


def _text(cell: Any) -> str:
    try:
        return text_of(cell).strip()
    except ValueError as error:
        raise DataError(f"a column of tags must hold text or lists, got {error}; see docs/data.md") from None
