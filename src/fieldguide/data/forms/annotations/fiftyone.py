"""FiftyOne's image classification dataset on disk: ``data/`` and ``labels.json``.

https://docs.voxel51.com/user_guide/export_datasets.html#fiftyone-image-classification-dataset
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.forms.entries import SEVERAL
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.errors import Refusal
from fieldguide.tasks.tags import Tags

TITLE = "FiftyOne: labels.json with classes and labels beside a folder of images"


def recognise(source: DataSource) -> Sequence[Path]:
    """The JSON files that hold a list of classes and a label an image."""
    return [file for file, value in source.json_files() if _is_export(value)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The label of each image; images are named without ending."""
    splits = {file: split_of(file.parent.name) or "" for file in files}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    return joined([_read_one(source, file, splits[file] if apart else "") for file in files])


def _is_export(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("labels"), dict):
        return False
    return value.get("classes") is None or isinstance(value["classes"], list)


def _read_one(source: DataSource, file: Path, split: str) -> Records:
    value = source.json(file)
    classes = tuple(str(name) for name in value.get("classes") or ())
    records = Records("", source.base, has_splits=bool(split), classes=classes)
    for number, (name, label) in enumerate(value["labels"].items(), start=1):
        text = _label(label, classes)
        if label is None:
            records.left_out["no label"] += 1
        elif isinstance(label, list):
            tags = Tags.of(_label(one, classes) or "" for one in label)
            record = Record(number, source.name_in(file, name), split=split)
            records.leave_out_as_single(record, tags, SEVERAL)
        elif text is None:
            allowed = f"a class or its place among {len(classes)}"
            said = f"the label must be {allowed}, got {str(label)[:40]!r}"
            records.refused.append(Refusal(f"{file}, {name}", "damaged_row", said))
        else:
            records.keep(Record(number, source.name_in(file, name), text, split))
    machine = sum(isinstance(label, dict) and "confidence" in label for label in value["labels"].values())
    if machine:
        records.notes.append(
            f"{count_of(machine, 'label')} in {file.name!r} came from a model, as its confidence says; taken "
            "as given"
        )
    images, named = count_of(len(value["labels"]), "image"), count_of(len(classes), "class")
    records.said = f"FiftyOne export {file.name!r}: {images}, {named}"
    return records


def _label(label: Any, classes: Sequence[str]) -> str | None:
    """A class by its place, or as text; with confidences, an object holds it."""
    if isinstance(label, dict):
        label = label.get("label")
    if isinstance(label, int) and not isinstance(label, bool):
        return classes[label] if 0 <= label < len(classes) else None
    return label if isinstance(label, str) and label else None
