"""LabelMe (the program by Wada): a JSON file a photo, with flags and labelled shapes.

https://github.com/wkentaro/labelme
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.forms.entries import ImageFolders, add_one, mapping, objects, refuse, text_of
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of

TITLE = "LabelMe: a JSON file a photo, with a flag that is true or shapes of one label"


def recognise(source: DataSource) -> Sequence[Path]:
    """The JSON files with shapes and the path of an image."""
    return [file for file, value in source.json_files() if _is_labelme(value)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The flag of each photo that is true; where no photo has one, the label of its shapes."""
    records = Records("", source.base)
    flagged = any(_flags(source.json(file)) for file in files)
    splits = {file: _split(source, file) for file in files}
    records.has_splits = all(splits.values()) and len(set(splits.values())) > 1
    for number, file in enumerate(files, start=1):
        value = source.json(file)
        record = Record(number, _name(source, file, value), split=splits[file] if records.has_splits else "")
        labels = _flags(value) if flagged else _shapes(value, records, file)
        if labels is not None:
            add_one(records, record, labels, "no flag is true" if flagged else "no shape on the image")
    records.said = (
        f"LabelMe: {count_of(len(files), 'JSON file')}, {len(records.records)} with one "
        f"{'flag that is true' if flagged else 'label of all shapes'}"
    )
    return records


def _is_labelme(value: Any) -> bool:
    return isinstance(value, dict) and "shapes" in value and "imagePath" in value


def _split(source: DataSource, file: Path) -> str:
    return split_of(file.relative_to(source.base).parts[0]) or "" if source.file is None else ""


def _flags(value: dict[str, Any]) -> list[str]:
    return [name for name, ticked in mapping(value.get("flags")).items() if ticked is True]


def _shapes(value: dict[str, Any], records: Records, file: Path) -> list[str] | None:
    """The labels of the shapes; None where one is malformed, which is refused."""
    before = len(records.refused)
    labels = []
    for number, shape in objects(value["shapes"], records, file, "shape"):
        labels.append(text_of(shape.get("label")))
        if not labels[-1]:
            refuse(records, file, f"shape {number}", "the shape must have a label")
    return labels if len(records.refused) == before else None


def _name(source: DataSource, file: Path, value: dict[str, Any]) -> str:
    """The photo's path, which counts from the file and may go up to a folder beside it, in DATA."""
    given = value.get("imagePath")
    path = given.replace("\\", "/") if isinstance(given, str) and given else f"{file.stem}.jpg"
    if os.path.isabs(path) or "\0" in path:  # noqa: PTH117
        return path
    inside = os.path.normpath(os.path.join(os.path.relpath(file.parent, source.base), path))  # noqa: PTH118
    if not inside.startswith("..") and not source.exists(source.base / "x", inside):
        return ImageFolders(source, file, (".", "../images", "..")).name(os.path.basename(path))  # noqa: PTH119
    return inside
