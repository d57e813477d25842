"""The table that a sorting leaves: which photo went where, by which a person reads and undoes it."""

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from fieldguide.errors import DataError
from fieldguide.files import atomic_write
from fieldguide.plain_text import cell_of, csv_line, text_of_cell

How = Literal["copy", "hardlink", "move", "unpack", "present", "left"]
"""What becomes of a photo: `unpack` is a copy from an archive or a table; `present` says that the same
content lay there already, `left` that nothing was done, for the reason in `note`."""
HOWS: tuple[How, ...] = ("copy", "hardlink", "move", "unpack", "present", "left")


@dataclass(frozen=True)
class SortedPhoto:
    """One photo, or a sidecar that goes with it."""

    source: str
    """Where it lay, in full; for one from an archive, the archive and the name in it."""
    target: str
    """Where it is, from the folder that holds the table, with slashes; empty where it was left."""
    answer: str
    """The label, `unknown` or `refused`."""
    probability: float | None
    """Of the label."""
    how: How
    """What became of it."""
    bytes: int | None = None
    """Its size."""
    sha256: str = ""
    """Of its content, where that was copied."""
    note: str = ""
    """Why it was left."""

    def left(self, why: str) -> "SortedPhoto":
        """The same, left where it is."""
        return replace(self, target="", how="left", note=why)


COLUMNS = tuple(SortedPhoto.__dataclass_fields__)


def as_json(photo: SortedPhoto) -> dict[str, Any]:
    """The row by the names of its columns."""
    return asdict(photo)


def write_table(photos: Iterable[SortedPhoto], path: Path) -> None:
    """Write the table as CSV, whole or not at all; cells are exact and safe, as those of ``predict --out``.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_write(path) as file:
        file.write(csv_line(COLUMNS))
        for photo in photos:
            cells = as_json(photo).values()
            file.write(csv_line(cell_of(cell) if isinstance(cell, str) else cell for cell in cells))


def read_table(path: Path) -> list[SortedPhoto]:
    """Read what :func:`write_table` wrote.

    Raises
    ------
    DataError
        If it is no such table, or damaged.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        if not rows or set(rows[0]) != set(COLUMNS):
            raise ValueError("other columns")
        return [_photo(row) for row in rows]
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); name the table a sorting left"
        ) from error
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise DataError(
            f"{path}: must be a table that `predict --sort-into` left, with the columns {', '.join(COLUMNS)}"
        ) from error


def _photo(row: dict[str, str]) -> SortedPhoto:
    cells = {name: text_of_cell(row[name]) for name in COLUMNS}
    how = next(known for known in HOWS if known == cells["how"]) if cells["how"] in HOWS else None
    if how is None:
        raise ValueError(f"how: {cells['how']!r}")
    return SortedPhoto(
        source=cells["source"],
        target=cells["target"],
        answer=cells["answer"],
        probability=float(cells["probability"]) if cells["probability"] else None,
        how=how,
        bytes=int(cells["bytes"]) if cells["bytes"] else None,
        sha256=cells["sha256"],
        note=cells["note"],
    )


def place_of(folder: Path, target: str) -> Path:
    """Where a target of the table lies.

    Raises
    ------
    DataError
        If it is outside the table's folder: such a row was not written here.
    """
    parts = target.split("/")
    if len(parts) != 2 or any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise DataError(f"target {target!r}: must be FOLDER/NAME below the table's folder; nothing is undone")
    if os.name == "nt" and any(letter in target for letter in "\\:"):
        raise DataError(f"target {target!r}: must be FOLDER/NAME below the table's folder; nothing is undone")
    return folder.joinpath(*parts)
