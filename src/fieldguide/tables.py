"""Read a table that lists images: CSV, TSV, JSON lines or Parquet, as people and programs write them.

Columns are found by name, letter case ignored: the image's path in `path`, `image`, `file` or `filename`; its
label in `label` or `class`; if present `split` and `group`. Rules for paths stand in docs/data.md.
"""

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import DataError

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".jsonl", ".parquet"})
"""Endings by which a file is taken for a table, lower case."""
COLUMN_NAMES = {
    "path": ("path", "image", "file", "filename"),
    "label": ("label", "class"),
    "split": ("split",),
    "group": ("group",),
}
"""Field of a :class:`Row` to the column names it may have, the preferred first."""

_DELIMITERS = (",", ";", "\t", "|")
_PARQUET_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, as text; what a cell does not say is empty."""

    number: int
    """Its place in the table, from 1, the header not counted."""
    path: str
    label: str
    split: str
    group: str


@dataclass(frozen=True)
class Table:
    """The rows of a table and which columns it has."""

    rows: tuple[Row, ...]
    has_label: bool
    has_split: bool
    has_group: bool
    damaged: tuple[int, ...]
    """Numbers of rows that are no JSON object."""
    notes: tuple[str, ...]


def read_table(path: Path) -> Table:
    """Read a table by its suffix.

    Delimiter (comma, semicolon, tab, bar) and encoding (UTF-8 with or without byte-order mark, UTF-16) are
    found out; bytes that are no UTF-8 are kept as :func:`os.fsdecode` keeps them, so that file names match.

    Raises
    ------
    DataError
        If the file cannot be read, has no path column, or needs pyarrow and that is missing.
    """
    suffix = path.suffix.lower()
    readers = {
        ".csv": _read_separated,
        ".tsv": _read_separated,
        ".jsonl": _read_lines,
        ".parquet": _read_parquet,
    }
    if suffix not in readers:
        allowed = ", ".join(sorted(TABLE_SUFFIXES))
        raise DataError(f"{path}: a table must end in {allowed}, got {suffix or 'no suffix'}; convert it")
    try:
        return readers[suffix](path)
    except OSError as error:
        raise DataError(
            f"{path}: the table cannot be read ({error.strerror or error}); check the file"
        ) from error


def path_in(folder: str, name: str) -> str:
    """The path that a cell means, counted from the table's folder.

    Tables come from Windows, too: backslashes are slashes where no file has the name as it stands.
    """
    path = os.path.join(folder, name)  # noqa: PTH118
    if "\\" in name and not os.path.lexists(path):
        path = os.path.join(folder, *re.split(r"[/\\]", name))  # noqa: PTH118
    return path


def _read_separated(path: Path) -> Table:
    text, notes = _decode(path.read_bytes())
    delimiter = _delimiter(text, path)
    # A cell may hold a quoted newline, so the text goes in whole and not line by line.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = next(reader, [])
        records = (record for record in reader if any(record))
        return _table(path, header, enumerate(records, start=1), notes=notes)
    except csv.Error as error:
        raise DataError(
            f"{path}: line {reader.line_num} is no CSV ({error}); save the table again"
        ) from error


def _read_lines(path: Path) -> Table:
    text, notes = _decode(path.read_bytes())
    objects = [_json_object(line) for line in text.split("\n") if line.strip()]
    header = list(dict.fromkeys(key for entry in objects if entry is not None for key in entry))
    damaged = tuple(number for number, entry in enumerate(objects, start=1) if entry is None)
    records = (
        (number, [entry.get(key) for key in header])
        for number, entry in enumerate(objects, start=1)
        if entry is not None
    )
    return _table(path, header, records, damaged, notes)


def _read_parquet(path: Path) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            f"{path}: a .parquet table needs the package pyarrow, which is not installed; "
            'pip install "fieldguide[parquet]" or save the table as .csv'
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            header = list(file.schema_arrow.names)
            columns = [name for name in _columns(header).values() if name is not None]
            return _table(path, columns, enumerate(_parquet_records(file, columns), start=1))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: it is no Parquet file that can be read; write it again") from error


def _parquet_records(file: Any, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=list(columns)):
        yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def _decode(content: bytes) -> tuple[str, tuple[str, ...]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), ()
    if b"\0" in content[:2]:
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
        return content.decode(encoding, errors="replace"), ("the table was read as UTF-16",)
    text = content.decode("utf-8-sig", errors="surrogateescape")
    if text.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in text):
        return text, ()
    return text, ("the table is not UTF-8 throughout; its odd bytes were kept as they are",)


def _delimiter(text: str, path: Path) -> str:
    """The delimiter with which the header names a path, and a label if any delimiter can."""
    named = [(delimiter, _columns(_first_record(text, delimiter))) for delimiter in _DELIMITERS]
    for wanted in ("label", "path"):
        for delimiter, columns in named:
            if columns["path"] is not None and columns[wanted] is not None:
                return delimiter
    raise _no_path_column(path, _first_record(text, ","))


def _first_record(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def _columns(header: Sequence[str]) -> dict[str, str | None]:
    """The name that each field has in this header."""
    found = {name.strip().lower(): name for name in reversed(header)}
    return {
        field: next((found[name] for name in names if name in found), None)
        for field, names in COLUMN_NAMES.items()
    }


def _no_path_column(path: Path, header: Sequence[str]) -> DataError:
    got = ", ".join(repr(name) for name in header[:8]) or "nothing"
    return DataError(
        f"{path}: the first line must name a column path, image, file or filename, got {got}; add it"
    )


def _table(
    path: Path,
    header: Sequence[str],
    records: Iterable[tuple[int, Sequence[Any]]],
    damaged: tuple[int, ...] = (),
    notes: tuple[str, ...] = (),
) -> Table:
    columns = _columns(header)
    if columns["path"] is None and (header or not damaged):
        raise _no_path_column(path, header)
    places = {field: header.index(name) for field, name in columns.items() if name is not None}
    # A million cells of the same label are one text.
    known: dict[str, str] = {}
    rows = tuple(_row(number, record, places, known) for number, record in records)
    return Table(rows, "label" in places, "split" in places, "group" in places, damaged, notes)


def _row(number: int, record: Sequence[Any], places: dict[str, int], known: dict[str, str]) -> Row:
    """A row may be shorter than its header: what is missing is empty."""
    texts = {field: _text(record[place]) for field, place in places.items() if place < len(record)}
    path = texts.pop("path", "")
    label, split, group = (texts.get(field, "") for field in ("label", "split", "group"))
    return Row(number, path, *(known.setdefault(text, text) for text in (label, split, group)))


def _text(cell: Any) -> str:
    """A cell as text; nothing, and a number that is none (as pandas writes an empty cell), are empty."""
    if cell is None or cell != cell:
        return ""
    return cell if isinstance(cell, str) else str(cell)


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
