"""Tables as plain lists of images, for `predict` and what else needs no labels: paths in their order.

Columns are found as in DATA (:mod:`fieldguide.data.forms.columns`). What differs: every row stays, and a path
may lead anywhere, for the list names a person's own files. Rules for paths stand in docs/data.md.
"""

import contextlib
import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fieldguide.data.cells import shown, text_of, word_of
from fieldguide.data.embedded_images import ImageFolder, parts_of
from fieldguide.data.forms.columns import NAMES, TableColumns, find_columns
from fieldguide.data.forms.embedded import describe
from fieldguide.data.table_formats import Cells, read_cells
from fieldguide.data.text_encoding import as_code_page, has_odd_bytes
from fieldguide.errors import DataError
from fieldguide.files import scratch_folder

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".xlsx", ".jsonl", ".parquet"})
"""Endings by which a file is taken for a table wherever it is named, lower case."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table, as text; what a cell does not say is empty."""

    number: int
    """Its place in the table, from 1, the header not counted."""
    path: str
    label: str


@dataclass(frozen=True)
class ImageTable:
    """The rows of a table."""

    root: str
    """The folder that paths count from: the table's, or a temporary one with the images that it holds."""
    rows: tuple[TableRow, ...]
    damaged: tuple[int, ...]
    """Numbers of rows that are no JSON object."""
    notes: tuple[str, ...]
    embedded: bool = False
    """Whether the images stood in the table."""


def read_table(path: Path, stack: contextlib.ExitStack | None = None) -> ImageTable:
    r"""Read a table by its suffix.

    Parameters
    ----------
    path
        The table.
    stack
        Keeps images that stand in the table itself until it closes; None refuses such a table.

    Raises
    ------
    DataError
        If the file cannot be read, has no column of paths, holds a list or an object as a label, is in a code
        page that is not read, or needs a package that is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     listed = Path(folder, "photos.csv")
    ...     _ = listed.write_text("Image;Class\na.jpg;cat\nb.jpg;\n", encoding="utf-8")
    ...     read_table(listed).rows
    (TableRow(number=1, path='a.jpg', label='cat'), TableRow(number=2, path='b.jpg', label=''))
    """
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        allowed = ", ".join(sorted(TABLE_SUFFIXES))
        raise DataError(f"{path}: a table must end in {allowed}, got {suffix or 'no suffix'}; convert it")
    cells = read_cells(path)
    held = describe(path) if suffix == ".parquet" else None
    if held is not None:
        return _embedded(path, cells, held.image_columns, stack)
    columns = find_columns(cells, partial(_exists, path), {}, path)
    if columns is None:
        got = ", ".join(shown(name) for name in cells.header[:8]) or "nothing"
        raise DataError(
            f"{path}: a column must name the images, such as path, image, file or filename, got {got}; add it"
        )
    return _listed(path, cells, columns)


def path_in(folder: str, name: str) -> str:
    """The path that a cell means, counted from the table's folder.

    Tables come from Windows, too: backslashes are slashes, and bytes that are no UTF-8 are Windows-1252,
    where no file has the name as it stands.
    """
    path = os.path.join(folder, name)  # noqa: PTH118
    if os.path.lexists(path):
        return path
    plain = (as_code_page(name) or name) if has_odd_bytes(name) else name
    return os.path.join(folder, *re.split(r"[/\\]", plain)) if "\\" in plain else os.path.join(folder, plain)  # noqa: PTH118


def _exists(table: Path, name: str) -> bool:
    try:
        return os.path.isfile(path_in(os.fspath(table.parent), name))  # noqa: PTH113
    except ValueError:
        return False


def _listed(path: Path, cells: Cells, columns: TableColumns) -> ImageTable:
    classes = _class_names(cells, columns.label) if columns.has_header else ()
    records = cells.records() if columns.has_header else itertools.chain([cells.header], cells.records())
    damaged = frozenset(cells.damaged)
    rows = []
    for number, record in enumerate(records, start=1):
        if number not in damaged:
            name = _path(path, number, _cell(record, columns.path))
            rows.append(TableRow(number, name, _label(path, number, _cell(record, columns.label), classes)))
    return ImageTable(os.fspath(path.parent), tuple(rows), cells.damaged, cells.notes)


def _embedded(
    path: Path, cells: Cells, image_columns: Sequence[str], stack: contextlib.ExitStack | None
) -> ImageTable:
    """A table that the images stand in; they are named as the table names them, else by their rows."""
    if stack is None:
        raise DataError(f"{path}: holds images itself, and a list of paths is needed; save them as files")
    images = ImageFolder(stack.enter_context(scratch_folder()), path)
    usual = (name for name in NAMES["path"] if name in image_columns)
    place = cells.header.index(next(usual, image_columns[0]))
    label = next((cells.header.index(name) for name in NAMES["label"] if name in cells.header), None)
    classes = _class_names(cells, label)
    rows = []
    for number, record in enumerate(cells.records(), start=1):
        parts = parts_of(record[place])
        written = images.add(number, *parts) if parts is not None else ""
        rows.append(TableRow(number, written, _label(path, number, _cell(record, label), classes)))
    return ImageTable(os.fspath(images.folder), tuple(rows), (), cells.notes, embedded=True)


def _class_names(cells: Cells, label: int | None) -> Sequence[str]:
    return cells.class_names.get(cells.header[label], ()) if label is not None else ()


def _cell(record: Sequence[Any], place: int | None) -> Any:
    """A row may be shorter than its header: what is missing is empty."""
    return record[place] if place is not None and place < len(record) else None


def _path(table: Path, number: int, cell: Any) -> str:
    if isinstance(cell, dict) and isinstance(cell.get("path"), str):
        cell = cell["path"]
    try:
        return text_of(cell)
    except ValueError as error:
        raise DataError(
            f"{table}, row {number}: a path must be text, got {error}; name the image's file"
        ) from None


def _label(table: Path, number: int, cell: Any, classes: Sequence[str]) -> str:
    """A label as text, by its name where the table numbers its classes."""
    if isinstance(cell, int) and not isinstance(cell, bool) and 0 <= cell < len(classes):
        return classes[cell]
    return word_of(cell, f"{table}, row {number}", "label")
