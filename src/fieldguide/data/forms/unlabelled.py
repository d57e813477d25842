"""Files that look like labels and hold none: what they are, and where labels could come from."""

from typing import Any

from fieldguide.data.forms import FOLDERS
from fieldguide.data.forms.entries import mapping, sequence
from fieldguide.data.forms.source import DataSource
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.data.scan import shown_names
from fieldguide.data.tables import TABLE_SUFFIXES

_LOOKED_AT = 20


def without_labels(source: DataSource) -> str | None:
    """Why a file below DATA has no labels that could be learned from.

    Returns
    -------
    str or None
        A sentence with the file and the way on; None if there is no such file.
    """
    for file, value in source.json_files():
        reason = _reason(value)
        if reason:
            return f"{file}: {reason}"
    return None


def _reason(value: Any) -> str | None:
    if isinstance(value, dict) and isinstance(value.get("detection_categories"), dict):
        return (
            "it holds MegaDetector's detections (animal, person, vehicle) and no labels of species; put a "
            "table with the columns file and label, and camera if known, beside the photos and give that"
        )
    if (
        isinstance(value, dict)
        and _has(value.get("images"), "file_name")
        and not sequence(value.get("annotations"))
    ):
        return "it is a COCO file without annotations; give the one that has annotations and categories"
    if _has(value, "data") and not any(sequence(mapping(task).get("annotations")) for task in value):
        return "it holds Label Studio tasks that nobody has annotated; label some and export again"
    return None


def _has(entries: Any, key: str) -> bool:
    return any(isinstance(entry, dict) and key in entry for entry in sequence(entries)[:_LOOKED_AT])


def tables_beside_folders(source: DataSource) -> tuple[Doubt, ...]:
    """Tables at the top that nobody asked for."""
    tables = [file for file in source.files(*TABLE_SUFFIXES) if file.parent == source.base]
    if not tables or source.options.form == FOLDERS:
        return ()
    names = shown_names(table.name for table in tables)
    message = (
        f"the folders were read, and {names} beside them was not; give the table itself as DATA if it "
        f"counts, or say --form {FOLDERS}"
    )
    return (Doubt("tables_beside_folders", message),)
