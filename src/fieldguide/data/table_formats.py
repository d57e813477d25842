"""Table files as rows of cells, whatever its format: CSV, TSV, text, Excel, JSON, JSON lines, Parquet.

Nothing is known here of images or labels: only rows, columns and, where there may be one, a header.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.data.text_encoding import decoded, has_odd_bytes
from fieldguide.errors import DataError
from fieldguide.installation import command_for

Row = Sequence[Any]

CODE_PAGE_NOTE = (
    "the table is not UTF-8 throughout; its other words were read as Windows-1252, the code page of "
    "Western Europe: look whether their letters are right, else save the table as UTF-8"
)
DELIMITERS = (",", ";", "\t", "|")
_TOLD_DELIMITER = re.compile(r"\s*\"?sep=([,;\t|])\"?[ \t]*(?:\r\n|\n|\r)", re.IGNORECASE)
"""A first line by which Excel is told what separates cells."""
_PARQUET_ROWS, _PARQUET_BYTES_ROWS = 10_000, 16
"""Rows read at a time; fewer where a column is binary, which may hold photos."""
_HEAD = 50
"""Records by which a delimiter is judged."""


@dataclass(frozen=True)
class Cells:
    """A table as rows of cells.

    Examples
    --------
    >>> Cells(("id", "breed"), lambda: iter([("a", "beagle")])).head(5)
    [('a', 'beagle')]
    """

    header: tuple[str, ...]
    """The names of the columns; of a format without certain names, the first record."""
    records: Callable[[], Iterator[Row]]
    """The records in order, without the header; each call begins anew."""
    header_is_certain: bool = False
    """Whether the format itself names its columns, as JSON and Parquet do."""
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of numbered classes by column, where the format holds them."""
    damaged: tuple[int, ...] = ()
    """Numbers of entries, from 1, that are no record."""
    notes: tuple[str, ...] = ()
    """Sentences on how the file was read."""

    def head(self, count: int) -> list[Row]:
        """The first records, at most `count`."""
        return [record for record, _ in zip(self.records(), range(count), strict=False)]


def read_cells(path: Path) -> Cells:
    r"""Read a table by its suffix.

    Raises
    ------
    DataError
        If the file cannot be read, is not what its suffix says, or needs a package that is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     listed = Path(folder, "list.txt")
    ...     _ = listed.write_text("my photos/a.jpg 0\nmy photos/b.jpg 1\n", encoding="utf-8")
    ...     read_cells(listed).header
    ('my photos/a.jpg', '0')
    """
    suffix = path.suffix.lower()
    if suffix not in CELL_READERS:
        allowed = ", ".join(sorted(CELL_READERS))
        raise DataError(f"{path}: a table must end in {allowed}, got {suffix or 'no suffix'}; convert it")
    try:
        return CELL_READERS[suffix](path)
    except OSError as error:
        raise DataError(
            f"{path}: the table cannot be read ({error.strerror or error}); check the file"
        ) from error


def _read(path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a file, and what to say of its encoding."""
    text, notes = decoded(path.read_bytes())
    return text, (*notes, CODE_PAGE_NOTE) if has_odd_bytes(text) else notes


def _separated(path: Path) -> Cells:
    text, notes = _read(path)
    spaced = path.suffix.lower() == ".txt"
    told = _TOLD_DELIMITER.match(text)
    text = text[told.end() :] if told else text
    delimiter = told[1] if told else _delimiter(text) or (" " if spaced else ",")
    split = _spaced if delimiter == " " else lambda text: _parsed(path, text, delimiter)
    header = next(split(text), ())
    return Cells(tuple(header), lambda: _after_first(split(text)), notes=notes)


def _after_first(records: Iterator[Row]) -> Iterator[Row]:
    next(records, None)
    return records


def _parsed(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    # A cell may hold a quoted newline, so the text goes in whole and not line by line.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from (record for record in reader if any(record))
    except csv.Error as error:
        raise DataError(
            f"{path}: line {reader.line_num} is not valid CSV ({error}); save the table again"
        ) from error


def _spaced(text: str) -> Iterator[Row]:
    """Path and label as text lists have them: the path may hold spaces, the label holds none."""
    return (line.rsplit(None, 1) for line in text.splitlines() if line.strip())


def _delimiter(text: str) -> str | None:
    """The delimiter that cuts the first records into equally many cells, the more the better."""
    head = "".join(text.splitlines(keepends=True)[:_HEAD])
    best, most = None, (False, 1)
    for delimiter in DELIMITERS:
        try:
            widths = [
                len(row) for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter) if row
            ]
        except csv.Error:
            continue
        usual = max(set(widths), key=widths.count, default=1)
        # a header that is not cut as the rows are, is not cut by this mark: tags are joined by some
        merit = (widths[:1] == [usual], usual)
        if usual > 1 and merit > most and widths.count(usual) * 2 > len(widths):
            best, most = delimiter, merit
    return best


def _json_lines(path: Path) -> Cells:
    text, notes = _read(path)
    objects = [_object(line) for line in text.split("\n") if line.strip()]
    return _from_objects(objects, notes)


def _json(path: Path) -> Cells:
    """Records as of pandas with ``orient="records"``; an object of columns, or of labels by image."""
    text, notes = _read(path)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: it is not valid JSON ({error}); save it again") from error
    if isinstance(value, list):
        return _from_objects([entry if isinstance(entry, dict) else None for entry in value], notes)
    if isinstance(value, dict) and value and all(map(_is_label_of_image, value.items())):
        pairs = list(value.items())
        return Cells(("image", "label"), lambda: iter(pairs), header_is_certain=True, notes=notes)
    if isinstance(value, dict) and value and all(isinstance(column, list) for column in value.values()):
        header = tuple(value)
        return Cells(header, lambda: zip(*value.values(), strict=False), header_is_certain=True, notes=notes)
    raise DataError(f"{path}: a JSON table must be a list of objects, got {type(value).__name__}; convert it")


def _is_label_of_image(pair: tuple[str, Any]) -> bool:
    """Names of classes by number are objects of text, too; their keys have no ending."""
    return isinstance(pair[1], str) and "." in pair[0]


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _from_objects(objects: Sequence[dict[str, Any] | None], notes: tuple[str, ...]) -> Cells:
    header = tuple(dict.fromkeys(key for entry in objects if entry is not None for key in entry))
    damaged = tuple(number for number, entry in enumerate(objects, start=1) if entry is None)

    def records() -> Iterator[Row]:
        # an entry that is none keeps its number, so that messages name the right one
        return ([entry.get(key) for key in header] if entry is not None else () for entry in objects)

    return Cells(header, records, header_is_certain=True, damaged=damaged, notes=notes)


def _parquet(path: Path) -> Cells:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            f"{path}: a .parquet table needs the package pyarrow, which is not installed; save the table as "
            f".csv or run: {command_for('parquet')}"
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            header, names = tuple(file.schema_arrow.names), _class_names(file.schema_arrow)
            size = _PARQUET_BYTES_ROWS if _has_bytes(file.schema_arrow) else _PARQUET_ROWS
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: it is not a readable Parquet file; write it again") from error

    def records() -> Iterator[Row]:
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=size):
                    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{path}: it is not a readable Parquet file; write it again") from error

    return Cells(header, records, header_is_certain=True, class_names=names)


def _has_bytes(schema: Any) -> bool:
    """Whether a column is binary, or a struct with a binary part."""
    import pyarrow

    kinds = list(schema.types)
    for kind in kinds[:]:
        if pyarrow.types.is_struct(kind):
            kinds.extend(kind.field(place).type for place in range(kind.num_fields))
    return any(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind) for kind in kinds)


def _class_names(schema: Any) -> dict[str, list[str]]:
    """What Hugging Face's `datasets` has left in the schema of a Parquet file."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: [str(label) for label in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and isinstance(feature.get("names"), list)
        }
    except (KeyError, TypeError, ValueError):
        return {}


def _excel(path: Path) -> Cells:
    """The first sheet that holds something."""
    try:
        import openpyxl
    except ImportError as error:
        raise DataError(
            f"{path}: an .xlsx table needs the package openpyxl, which is not installed; save the table as "
            f".csv or run: {command_for('excel')}"
        ) from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets: list[list[Row]] = [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]
    except Exception as error:  # whatever a damaged workbook makes of the library
        raise DataError(f"{path}: it is not a readable Excel workbook; save it again") from error
    filled = ([row for row in sheet if any(cell is not None for cell in row)] for sheet in sheets)
    rows: list[Row] = next((sheet for sheet in filled if sheet), [])
    header = tuple("" if cell is None else str(cell) for cell in rows[0]) if rows else ()
    return Cells(header, lambda: iter(rows[1:]))


CELL_READERS: dict[str, Callable[[Path], Cells]] = {
    ".csv": _separated,
    ".tsv": _separated,
    ".txt": _separated,
    ".xlsx": _excel,
    ".jsonl": _json_lines,
    ".json": _json,
    ".parquet": _parquet,
}
"""Endings by which a file is taken for a table, lower case, and what reads it."""
