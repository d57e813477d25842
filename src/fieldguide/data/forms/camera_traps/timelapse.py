"""Timelapse tables: a row a photo, with File, RelativePath and the fields of a project's template.

https://timelapse.ucalgary.ca/
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fieldguide.data.forms.camera_traps.tables import columns_of, is_true, rows_of
from fieldguide.data.forms.columns import find_columns
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import Refusal

TITLE = "Timelapse: a table with File and RelativePath, and a column such as Species"

_NEEDED = frozenset({"File", "RelativePath"})
_FOLDER = "RelativePath"
_KNOWN = frozenset({"DateTime", "DeleteFlag", "RootFolder", "Folder", "Date", "ImageQuality"})
"""Columns that Timelapse itself writes; one of them must be there."""


def recognise(source: DataSource) -> Sequence[Path]:
    """Tables with Timelapse's own columns."""
    found = {file: columns_of(source, file) for file in source.files(".csv", ".xlsx")}
    return [file for file, columns in found.items() if columns >= _NEEDED and columns & _KNOWN]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The label of each photo; photos of one folder, which is one camera's, stay together."""
    return joined([_read_one(source, file) for file in files])


def _columns(source: DataSource, file: Path) -> tuple[str | None, str]:
    """The columns of labels and of groups: named, else found, else the folder of a photo."""
    cells = source.cells(file)
    header = [name.strip() for name in cells.header]
    named = source.options.columns | {"path": "File"}
    found = find_columns(cells, partial(source.exists, file), named, file)
    label = header[found.label] if found is not None and found.label is not None else None
    if found is None or found.group is None or named["group"] is None:
        return label, _FOLDER
    return label, header[found.group]


def _read_one(source: DataSource, file: Path) -> Records:
    label, groups = _columns(source, file)
    records = Records("", source.base, has_labels=label is not None)
    for number, row in rows_of(source, file):
        name, folder = row["File"], row["RelativePath"].replace("\\", "/").strip("/")
        if not name:
            records.refused.append(Refusal(f"{file}, row {number}", "damaged_row", "the row names no File"))
        elif is_true(row.get("DeleteFlag", "")):
            records.left_out["marked for deletion (DeleteFlag)"] += 1
        else:
            path = source.name_in(file, f"{folder}/{name}" if folder else name)
            records.records.append(Record(number, path, row[label] if label else "", "", row[groups]))
    # all photos from one folder would be one group, and none could be held out
    records.has_groups = len({record.group for record in records.records}) > 1
    records.said = (
        f"Timelapse table {file.name!r}: {count_of(len(records.records), 'photo')}, labels in {label!r}"
        + (f", {groups} stays together" if records.has_groups else "")
    )
    return records
