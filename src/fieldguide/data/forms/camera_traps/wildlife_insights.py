"""Wildlife Insights: a download's images.csv, a row an identification.

https://www.wildlifeinsights.org/get-started/data-download
"""

import re
from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.forms.camera_traps.tables import BLANK, Row, columns_of, is_true, one_label, rows_of
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import Refusal

TITLE = "Wildlife Insights: images.csv with deployment_id, common_name, genus and species"

_NAME = re.compile(r"images(_\w+)?\.csv", re.IGNORECASE)
_NEEDED = frozenset({"deployment_id", "image_id", "genus", "species"})
_RANKS = ("family", "order", "class")


def recognise(source: DataSource) -> Sequence[Path]:
    """The tables of images, of which large projects have several."""
    files = [file for file in source.files(".csv") if _NAME.fullmatch(file.name)]
    return [file for file in files if columns_of(source, file) >= _NEEDED]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """What was identified on each photo: its common name, else genus and species; blank ones are a class."""
    records = Records("", source.base, has_groups=True)
    found: dict[str, tuple[int, str, str]] = {}
    labels: dict[str, list[str]] = {}
    for file in files:
        for number, row in rows_of(source, file):
            name = _file_name(source, file, row)
            if not name:
                said = "the row must have a filename or a location"
                records.refused.append(Refusal(f"{file}, row {number}", "damaged_row", said))
                continue
            image = row["image_id"] or name
            found.setdefault(image, (number, source.name_in(file, name), row["deployment_id"]))
            labels.setdefault(image, []).append(_label(row, source.options.label_column))
    for image, (number, name, deployment) in found.items():
        label = one_label(labels[image], records)
        if label is not None:
            records.records.append(Record(number, name, label, "", deployment))
    deployments = len({record.group for record in records.records} - {""})
    records.said = (
        f"Wildlife Insights: {count_of(len(records.records), 'photo')} with one identification, "
        f"{count_of(deployments, 'deployment')}, which stay together"
    )
    return records


def _label(row: Row, column: str | None) -> str:
    if is_true(row.get("is_blank", "")):
        return BLANK
    if column is not None and column in row:
        return row[column]
    name = row.get("common_name") or " ".join(filter(None, (row["genus"], row["species"])))
    return name or next((row[rank] for rank in _RANKS if row.get(rank)), "")


def _file_name(source: DataSource, file: Path, row: Row) -> str:
    """The file, in a folder of its deployment if it lies in one; else the address in the cloud."""
    name, location = row.get("filename", ""), row.get("location", "")
    if not name:
        return location
    nested = f"{row['deployment_id']}/{name}"
    here = next((one for one in (name, nested) if source.exists(file, one)), None)
    return here or location or name
