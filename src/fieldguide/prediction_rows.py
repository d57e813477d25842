"""Rows of results as CSV, JSON lines and Parquet: one line an input, names exact, no cell a formula."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

COLUMNS = ("path", "label", "probability", "typicality", "unknown", "set", "top", "error", "message")
"""Of CSV and Parquet: those of the JSON rows, `error` being its code and `message` its sentence."""

_FORMULA = re.compile("[-=+@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
# A spreadsheet that separates by semicolons would begin a new cell inside this one.
_SPLIT_FORMULA = re.compile(r";[\s\"']*[=+\-@]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPELLED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_ROW_GROUP = 10_000

Row = dict[str, Any]
"""A row of results, as :meth:`fieldguide.prediction.Prediction.as_dict` gives it."""


def cell_of(text: str, *, formulas: bool = True) -> str:
    r"""Text as a cell: what a spreadsheet would compute becomes text, what cannot be printed is spelled out.

    An apostrophe at the beginning is always the work of this function. It stands before ``= + - @`` and
    apostrophe, unless the whole is a number; and before text with control characters (tab, line breaks …) or
    bytes that are no UTF-8, which is then written as JSON in double quotes: ``'"bad\udcff\n.jpg"``.
    :func:`text_of_cell` is the way back.

    Parameters
    ----------
    text
        Any string, surrogates of :func:`os.fsdecode` included.
    formulas
        Whether formulas are a danger where the cell goes.
    """
    if any(unicodedata.category(letter) in _SPELLED for letter in text):
        return "'" + json.dumps(text)
    if formulas and _SPLIT_FORMULA.search(text):
        return "'" + json.dumps(text, ensure_ascii=False).replace(";", "\\u003b")
    dangerous = formulas and _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return "'" + text if dangerous or text.startswith("'") else text


def text_of_cell(cell: str) -> str:
    """The exact text of a cell that :func:`cell_of` made; `os.fsencode` gives the bytes of a path."""
    if not cell.startswith("'"):
        return cell
    text = cell[1:]
    return str(json.loads(text)) if text.startswith('"') else text


def json_line(row: Row) -> bytes:
    """A row as one line of ASCII, in which bytes that are no UTF-8 are kept as ``\\udc80`` to ``\\udcff``."""
    return json.dumps(row, allow_nan=False).encode("ascii") + b"\n"


def flat(row: Row, *, formulas: bool) -> tuple[Any, ...]:
    """A row in the order of :data:`COLUMNS`; `set` and `top` become JSON text."""
    error = row["error"] or {"code": None, "message": None}
    texts = {name: row[name] for name in ("path", "label")} | {
        "error": error["code"],
        "message": error["message"],
    }
    cells = {name: None if text is None else cell_of(text, formulas=formulas) for name, text in texts.items()}
    for name in ("set", "top"):
        cells[name] = cell_of(_json_text(row[name]), formulas=formulas)
    numbers = {name: row[name] for name in ("probability", "typicality", "unknown")}
    whole = {**cells, **numbers}
    return tuple(whole[name] for name in COLUMNS)


def write_jsonl(rows: Iterable[Row], file: IO[bytes]) -> None:
    """Write rows as JSON lines."""
    for row in rows:
        file.write(json_line(row))


def write_csv(rows: Iterable[Row], file: IO[bytes]) -> None:
    """Write rows as UTF-8 CSV with a header; every row is one line, every text in quotes."""
    file.write(csv_line(COLUMNS))
    for row in rows:
        file.write(csv_line(flat(row, formulas=True)))


def write_parquet(rows: Iterable[Row], file: IO[bytes]) -> None:
    """Write rows as Parquet, some thousands at a time."""
    import pyarrow
    import pyarrow.parquet

    kinds = {"probability": pyarrow.float64(), "typicality": pyarrow.float64(), "unknown": pyarrow.bool_()}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for group in _grouped(rows):
            columns = zip(*(flat(row, formulas=False) for row in group), strict=True)
            arrays = [pyarrow.array(values, kind.type) for values, kind in zip(columns, schema, strict=True)]
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))


WRITERS = {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}
"""Ending of a file of results, in lower case → what writes it."""


def _grouped(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while group := list(islice(remaining, _ROW_GROUP)):
        yield group


def csv_line(cells: Iterable[Any]) -> bytes:
    """Cells as one line of CSV: every text in quotes, numbers as they are, nothing for None."""
    return ",".join(map(_csv_cell, cells)).encode("utf-8") + b"\n"


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return '"' + str(value).replace('"', '""') + '"'


def _json_text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if _SURROGATE.search(text) else text
