"""Rows of results as CSV, JSON lines and Parquet: one line an input, names exact, no cell a formula."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import IO, Any

from fieldguide.plain_text import cell_of, csv_line

COLUMNS = (
    "path",
    "answer",
    "label",
    "probability",
    "typicality",
    "unknown",
    "set",
    "top",
    "error",
    "message",
)
"""Of CSV and Parquet: those of the JSON rows, `error` being its code and `message` its sentence."""

_ROW_GROUP = 10_000

Row = dict[str, Any]
"""A row of results, as :meth:`fieldguide.prediction.result.Prediction.as_dict` gives it."""


def json_line(row: Row) -> bytes:
    r"""A row as one line of ASCII; bytes that are no UTF-8 are kept as ``\\udc80`` to ``\\udcff``.

    Examples
    --------
    >>> json_line({"path": "höhle.jpg", "label": "cave"})
    b'{"path": "h\\u00f6hle.jpg", "label": "cave"}\n'
    """
    return json.dumps(row, allow_nan=False).encode("ascii") + b"\n"


def columns_for(listed: int = 1, *, tags: bool = False) -> tuple[str, ...]:
    """:data:`COLUMNS`, and where several classes are to be listed a pair of columns for each after the first.

    A model of tags has one more, `labels`, before `probability`.

    Examples
    --------
    >>> columns_for(3)[7:]
    ('label_2', 'probability_2', 'label_3', 'probability_3', 'top', 'error', 'message')
    """
    more = [name for place in range(2, listed + 1) for name in (f"label_{place}", f"probability_{place}")]
    place = COLUMNS.index("top")
    columns = (*COLUMNS[:place], *more, *COLUMNS[place:])
    return (*columns[:3], "labels", *columns[3:]) if tags else columns


def flat(row: Row, *, formulas: bool, listed: int = 1) -> tuple[Any, ...]:
    """A row in the order of :func:`columns_for`; `labels`, `set` and `top` become names joined by ``|``.

    Examples
    --------
    >>> from fieldguide.prediction.result import refused
    >>> row = refused("=a.jpg", "truncated", "it ends early").as_row()
    >>> flat(row, formulas=True)[:2]  # a spreadsheet must not compute it
    ("'=a.jpg", 'refused')
    """
    error = row["error"] or {"code": None, "message": None}
    top = [(one["label"], one["probability"]) for one in row["top"]]
    cells = {
        **{name: row[name] for name in ("path", "answer", "label", "probability", "typicality", "unknown")},
        "labels": "|".join(row.get("labels", ())),
        "set": "|".join(row["set"]),
        "top": "|".join(label for label, _ in top),
        "error": error["code"],
        "message": error["message"],
    }
    for place, (label, probability) in enumerate(top[1:], start=2):
        cells |= {f"label_{place}": label, f"probability_{place}": probability}
    columns = columns_for(listed, tags="labels" in row)
    return tuple(_cell(cells.get(name), formulas) for name in columns)


def _cell(value: Any, formulas: bool) -> Any:
    return cell_of(value, formulas=formulas) if isinstance(value, str) else value


def write_jsonl(rows: Iterable[Row], file: IO[bytes], listed: int = 1) -> None:
    """Write rows as JSON lines; `top` lists the classes, whatever `listed` says."""
    for row in rows:
        file.write(json_line(row))


def write_csv(rows: Iterable[Row], file: IO[bytes], listed: int = 1) -> None:
    """Write rows as UTF-8 CSV with a header; every row is one line, every text in quotes."""
    columns, rows = _columns_of(rows, listed)
    file.write(csv_line(columns))
    for row in rows:
        file.write(csv_line(flat(row, formulas=True, listed=listed)))


def write_parquet(rows: Iterable[Row], file: IO[bytes], listed: int = 1) -> None:
    """Write rows as Parquet, some thousands at a time."""
    import pyarrow
    import pyarrow.parquet

    names, rows = _columns_of(rows, listed)
    schema = pyarrow.schema([(name, column_type(name)) for name in names])
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for group in _grouped(rows):
            columns = zip(*(flat(row, formulas=False, listed=listed) for row in group), strict=True)
            arrays = [pyarrow.array(values, kind.type) for values, kind in zip(columns, schema, strict=True)]
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))


def _columns_of(rows: Iterable[Row], listed: int) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The columns, which the first row tells, and all rows."""
    remaining = iter(rows)
    first = list(islice(remaining, 1))
    columns = columns_for(listed, tags=bool(first) and "labels" in first[0])
    return columns, chain(first, remaining)


def column_type(name: str) -> Any:
    """Type of a Parquet column of this name."""
    import pyarrow

    if name == "unknown":
        return pyarrow.bool_()
    return pyarrow.float64() if name.startswith(("probability", "typicality")) else pyarrow.string()


WRITERS = {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}
"""Ending of a file of results, in lower case → what writes it."""


def _grouped(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while group := list(islice(remaining, _ROW_GROUP)):
        yield group
