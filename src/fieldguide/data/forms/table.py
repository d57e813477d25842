"""A table with a row an image, in any format of :mod:`fieldguide.data.cells`, with or without a header."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fieldguide.data.cells import text_of, word_of
from fieldguide.data.forms.columns import TableColumns, find_columns
from fieldguide.data.forms.label_names import named
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.forms.tagging import TagCells, tag_cells
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.data.table_formats import CODE_PAGE_NOTE
from fieldguide.errors import DataError, Refusal
from fieldguide.tasks.task import Task

TITLE = "a table of image paths and labels: .csv, .tsv, .txt, .xlsx, .json, .jsonl or .parquet"

SUGGESTED = "suggested"
"""A column of what a model guesses, as `next` writes it: people fill in the column of labels beside it."""
_SUBMISSION = re.compile(r"sample[ _-]?submission", re.IGNORECASE)
"""Kaggle's example of an answer: its labels are made up."""


def recognise(source: DataSource) -> Sequence[Path]:
    """The table that was named; in a folder, those whose cells are images, with labels."""
    if source.file is not None:
        return source.tables()
    files = [file for file in source.tables() if not _SUBMISSION.match(file.name)]
    readable = {file: columns for file in files if (columns := _columns_or_none(source, file))}
    return [file for file, columns in readable.items() if columns.label is not None and columns.found > 0]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The rows of one table, or of one a split.

    Raises
    ------
    DataError
        If a table names no images or no labels, or there are several that are not called as splits are.
    """
    splits = [_split_of(file) for file in files]
    if len(files) > 1 and not all(splits):
        raise DataError(
            f"{source.path}: DATA must hold one table, or one a split such as train.csv and test.csv, got "
            f"{', '.join(file.name for file in files[:5])}; give the one to read"
        )
    apart = len(set(splits)) > 1
    parts = [
        _read_one(source, file, split if apart else "") for file, split in zip(files, splits, strict=True)
    ]
    return parts[0] if len(parts) == 1 else joined(parts)


def _split_of(file: Path) -> str:
    return split_of(file.stem) or ""


def _columns_or_none(source: DataSource, file: Path) -> TableColumns | None:
    try:
        return _columns(source, file)
    except DataError:  # another file of the folder; if it is the only one, reading it says what is wrong
        return None


def _columns(source: DataSource, file: Path) -> TableColumns | None:
    exists, by_number = partial(source.exists, file), partial(source.exists_by_number, file)
    return find_columns(source.cells(file), exists, source.options.columns, file, by_number)


def _read_one(source: DataSource, file: Path, split: str) -> Records:
    cells, columns = source.cells(file), _columns(source, file)
    if columns is None:
        got = ", ".join(repr(name[:40]) for name in cells.header[:8]) or "nothing"
        raise DataError(
            f"{file}: a column must name the images, such as path, image, file or filename, got {got}; "
            "say which with --path-column"
        )
    rows: Iterable[tuple[int, Sequence[Any]]] = enumerate(
        _rows(cells.header, cells.records(), columns), start=1
    )
    damaged = frozenset(cells.damaged)
    records = Records("", source.base, has_splits=bool(split) or columns.split is not None)
    records.has_groups, records.has_labels = columns.group is not None, columns.label is not None
    reader = _Rows(source, file, columns, split)
    records.task = Task.SINGLE if reader.tags is None else Task.MULTIPLE
    for number, row in rows:
        if number in damaged:
            said = "the line is not a JSON object"
            records.refused.append(Refusal(f"{file}, row {number}", "damaged_row", said))
        elif reader.is_to_fill_in(row):
            said = "nobody has filled in its tags; write | for none of them"
            records.refused.append(Refusal(f"{file}, row {number}", "unlabelled", said))
        else:
            records.records.append(reader.record(number, row))
    if not records.records and not records.refused:
        raise DataError(f"{file}: the table must list at least one image, got 0 rows; add some")
    told = _told(source, file, records, columns)
    if reader.tags is not None:
        told.said += f", tags {reader.tags.said}"
    return told


class _Rows:
    """The rows of one table on their way to records."""

    def __init__(self, source: DataSource, file: Path, columns: TableColumns, split: str) -> None:
        self.source, self.file, self.columns, self.split = source, file, columns, split
        cells = source.cells(file)
        name = cells.header[columns.label] if columns.label is not None and columns.has_header else ""
        self._names = cells.class_names.get(name, [])
        self._odd = CODE_PAGE_NOTE in cells.notes
        # a million cells of the same label are one text
        self._known: dict[str, str] = {}
        self.tags = self._tag_cells(name)
        """How the column of labels writes tags; None where it holds one label a row."""
        self._filled_in_by_people = columns.has_header and SUGGESTED in cells.header

    def _tag_cells(self, name: str) -> TagCells | None:
        place, cells = self.columns.label, self.source.cells(self.file)
        if place is None:
            return None
        column = (row[place] if place < len(row) else None for row in cells.records())
        return tag_cells(name, column, self.source.options.task, self._names)

    def is_to_fill_in(self, row: Sequence[Any]) -> bool:
        """Whether nobody has said yet which tags it has; in other tables, an empty cell says: none."""
        if self.tags is None or not self._filled_in_by_people:
            return False
        cell = _cell(row, self.columns.label)
        return cell is None or (isinstance(cell, str) and not cell.strip())

    def record(self, number: int, row: Sequence[Any]) -> Record:
        """A row may be shorter than its header: what is missing is empty."""
        where = f"{self.file}, row {number}"
        label = "" if self.tags else self._word(row, self.columns.label, where, "label")
        split = self._word(row, self.columns.split, where, "split")
        group = self._word(row, self.columns.group, where, "group")
        tags = None if self.tags is None else self.tags.read(_cell(row, self.columns.label), where)
        return Record(number, self._path(row, where), label, self.split or split, group, tags=tags)

    def _word(self, row: Sequence[Any], place: int | None, where: str, what: str) -> str:
        cell = _cell(row, place)
        numbered = what == "label" and isinstance(cell, int) and not isinstance(cell, bool)
        if numbered and cell is not None and 0 <= cell < len(self._names):
            cell = self._names[cell]
        # an escape in JSON is meant; only bytes that are no UTF-8 are words of a code page
        word = cell if isinstance(cell, str) and not self._odd else word_of(cell, where, what)
        return self._known.setdefault(word, word)

    def _path(self, row: Sequence[Any], where: str) -> str:
        cell = row[self.columns.path] if self.columns.path < len(row) else None
        if isinstance(cell, dict) and isinstance(cell.get("path"), str):
            cell = cell["path"]
        try:
            path = text_of(cell)
        except ValueError as error:
            raise DataError(f"{where}: a path must be text, got {error}; name the image's file") from None
        return self.source.name_in(self.file, path) if path else ""


def _cell(row: Sequence[Any], place: int | None) -> Any:
    return row[place] if place is not None and place < len(row) else None


def _rows(
    header: Sequence[Any], records: Iterator[Sequence[Any]], columns: TableColumns
) -> Iterator[Sequence[Any]]:
    return records if columns.has_header else itertools.chain([header], records)


def _told(source: DataSource, file: Path, records: Records, columns: TableColumns) -> Records:
    """Give numbers their names and say what was understood."""
    header = source.cells(file).header if columns.has_header else ()
    labels = (record.label for record in records.records)
    names, listed = named(labels, (file.parent, source.base), file)
    if names and records.task is Task.SINGLE:
        records.records = [
            Record(
                record.number, record.name, names.get(record.label, record.label), record.split, record.group
            )
            for record in records.records
        ]
        records.notes.append(f"numbers got their names from {Path(listed).name!r}")
    used = {"images": columns.path, "labels": columns.label, "splits": columns.split, "groups": columns.group}
    places = [
        f"{what} in {repr(header[place]) if header else f'column {place + 1}'}"
        for what, place in used.items()
        if place is not None
    ]
    records.said = f"table {file.name!r}: {count_of(len(records.records), 'row')}, {', '.join(places)}"
    records.notes.extend(source.cells(file).notes)
    records.doubts.extend(columns.doubts)
    return records
