"""What is to be labelled next as files: a table to fill in, and the photos on one picture."""

import os
from collections.abc import Mapping
from pathlib import Path

from fieldguide.data.tables import TABLE_SUFFIXES, read_table
from fieldguide.errors import DataError, OutputError
from fieldguide.files import atomic_write, keep_backup
from fieldguide.images.contact_sheet import Caption, contact_sheet
from fieldguide.plain_text import cell_of, csv_line
from fieldguide.prediction.active_learning import Suggestions

COLUMNS = ("rank", "path", "suggested", "label", "probability", "second", "margin", "typicality", "reason")
"""Of the table; `suggested` and `second` are the model's guesses; `label` is for a person to fill in."""
TAG_COLUMNS = (
    "rank", "path", "suggested", "labels", "least_sure", "probability", "expected_wrong", "typicality",
    "reason",
)  # fmt: skip
"""The same of tags: `labels` is for a person to fill in, with ``|`` between tags and alone for none."""


def keep_what_was_filled_in(out: Path) -> None:
    """Stop before a table is written over in which a person has filled in labels.

    Raises
    ------
    OutputError
        If so, or if it is a table of something else.
    """
    if not out.is_file() or out.suffix.lower() not in TABLE_SUFFIXES:
        return
    try:
        filled = sum(bool(row.label) for row in read_table(out).rows)
    except DataError as error:
        raise OutputError(f"{out}: is another file; choose another name, or say --force") from error
    if filled:
        raise OutputError(
            f"{out}: holds {filled} labels that were filled in; choose another name, or say --force"
        )


def write_table(found: Suggestions, out: Path) -> Path | None:
    """Write the photos as CSV; where a table was there before, it is kept, and the answer says where.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    kept = keep_backup(out)
    with atomic_write(out) as file:
        columns = TAG_COLUMNS if found.of_tags else COLUMNS
        file.write(csv_line(columns))
        for rank, photo in enumerate(found.photos, start=1):
            to_fill_in = {"rank": rank, "label": "", "labels": "", "path": _from_table(photo.path, out)}
            row = photo.as_dict() | to_fill_in
            cells = [row[name] for name in columns]
            file.write(csv_line(cell_of(cell) if isinstance(cell, str) else cell for cell in cells))
    return kept


def draw_sheet(found: Suggestions, files: Mapping[str, str], out: Path) -> None:
    """Draw the first photos on one PNG, each with its rank, guess and reason.

    Parameters
    ----------
    found
        The photos, the most useful first.
    files
        Where photos lie that stood in an archive or a table, by their names.
    out
        The picture.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    captions = [
        Caption(
            files.get(photo.path, photo.path),
            (f"{rank}. {Path(photo.path).name}", f"{photo.guess}?", photo.reason),
        )
        for rank, photo in enumerate(found.photos, start=1)
    ]
    with atomic_write(out) as file:
        contact_sheet(captions).save(file, "PNG")


def _from_table(path: str, out: Path) -> str:
    """A photo's path as a table there has to name it: counted from its folder where it lies below that."""
    folder = os.path.abspath(out.parent)  # noqa: PTH100
    whole = os.path.abspath(path)  # noqa: PTH100
    return os.path.relpath(whole, folder) if whole.startswith(os.path.join(folder, "")) else path  # noqa: PTH118
