"""COCO Camera Traps, as LILA publishes photos: COCO's form with the camera's place and sequences.

https://github.com/agentmorris/MegaDetector/blob/main/megadetector/data_management/README.md. A place or a
sequence stays on one side of every split; photos without an animal are a category, ``empty``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.forms.annotations.coco import (
    has_camera_fields,
    image_folders,
    is_coco,
    read_file,
    said,
)
from fieldguide.data.forms.entries import add_one, splits_of, text_of
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of

TITLE = "COCO Camera Traps: a JSON file of images with location and seq_id, annotations and categories"


def recognise(source: DataSource) -> Sequence[Path]:
    """The JSON files in COCO's form whose images have a location or a sequence."""
    return [file for file, value in source.json_files() if is_coco(value) and has_camera_fields(value)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one category of each image, grouped by camera."""
    splits = splits_of(files)
    return joined([_read_one(source, file, splits[file]) for file in files])


def _read_one(source: DataSource, file: Path, split: str) -> Records:
    records = Records("", source.base, has_splits=bool(split), has_groups=True)
    found, folders = read_file(source, file, records), image_folders(source, file)
    records.classes = tuple(dict.fromkeys(name for names in found.labels.values() for name in names))
    without = 0
    for identifier, (number, image) in found.images.items():
        if image.get("corrupt") is True:
            records.left_out["marked as corrupt"] += 1
            continue
        group = _group(image)
        without += not group
        record = Record(number, folders.name(image["file_name"]), split=split, group=group)
        add_one(records, record, found.labels.get(identifier, ()), "no annotation on the image")
    cameras = count_of(len({record.group for record in records.records} - {""}), "place or sequence")
    name = source.name_in(file, file.name)
    records.said = f"{said(f'COCO Camera Traps file {name!r}', found, records)}, groups by {cameras}"
    if found.of_sequences:
        records.notes.append(
            f"{count_of(found.of_sequences, 'annotation')} of a whole sequence: single images may be empty"
        )
    if without:
        records.notes.append(f"{count_of(without, 'image')} with neither location nor seq_id")
    return records


def _group(image: dict[str, Any]) -> str:
    """The camera's place, else the sequence."""
    return text_of(image.get("location")) or text_of(image.get("seq_id"))
