"""Supervisely: ``ann/PHOTO.json`` beside ``img/PHOTO`` in a folder a data set, with tags and objects.

https://developer.supervisely.com/getting-started/supervisely-annotation-format: a tag may have a value, which
then is the class; tags called as splits are splits, as are data sets.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.forms.entries import (
    ImageFolders,
    add_one,
    chosen_field,
    objects,
    refuse,
    sequence,
    split_in,
    text_of,
)
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of

TITLE = "Supervisely: ann/ with a JSON file a photo beside img/, with one tag or objects of one class"

_KEYS = frozenset({"tags", "objects", "size"})
_Tags = list[tuple[str, str]]


def recognise(source: DataSource) -> Sequence[Path]:
    """The JSON files with tags, objects and a size."""
    return [file for file, value in source.json_files() if isinstance(value, dict) and value.keys() >= _KEYS]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one tag of each photo; where no photo has one, the class of its objects."""
    records = Records("", source.base)
    tags = {file: _tags(source.json(file), records, file) for file in files}
    splits = {file: _split(file, tags[file]) for file in files}
    records.has_splits = all(splits.values()) and len(set(splits.values())) > 1
    said = {file: [pair for pair in tags[file] if not split_of(pair[0])] for file in files}
    field = _field(source, files[0], [pair for pairs in said.values() for pair in pairs])
    tagged = any(said.values())
    for number, file in enumerate(files, start=1):
        labels = _labels(said[file], field) if tagged else list(_objects(source.json(file), records, file))
        folders = ImageFolders(source, file, ("../img", ".", "..", "../images"))
        record = Record(number, folders.name(file.stem), split=splits[file] if records.has_splits else "")
        add_one(records, record, labels, "no tag on the image" if tagged else "no object on the image")
    how = (f"value of the tag {field!r}" if field else "tag") if tagged else "class of all objects"
    records.said = f"Supervisely: {count_of(len(files), 'annotation')}, {len(records.records)} with one {how}"
    return records


def _tags(value: dict[str, Any], records: Records, file: Path) -> _Tags:
    """Name and value of each tag; old versions write names only."""
    found = []
    for number, tag in enumerate(sequence(value["tags"]), start=1):
        name = tag if isinstance(tag, str) else text_of(tag.get("name")) if isinstance(tag, dict) else ""
        if name:
            found.append((name, text_of(tag.get("value")) if isinstance(tag, dict) else ""))
        else:
            refuse(records, file, f"tag {number}", "a tag must have a name")
    return found


def _split(file: Path, tags: _Tags) -> str:
    named = {split for name, _ in tags if (split := split_of(name))}
    return named.pop() if len(named) == 1 else split_in(file.parent.parent.name)


def _field(source: DataSource, file: Path, pairs: _Tags) -> str:
    """The tag whose value is the class; none where tags without a value are the classes."""
    valued = dict.fromkeys(name for name, value in pairs if value)
    bare = any(not value for _, value in pairs)
    if not valued or (bare and source.options.label_column is None):
        return ""
    return chosen_field(valued, source, file, "tag")


def _labels(pairs: _Tags, field: str) -> list[str]:
    return (
        [value for name, value in pairs if name == field]
        if field
        else [name for name, value in pairs if not value]
    )


def _objects(value: dict[str, Any], records: Records, file: Path) -> Iterator[str]:
    for number, one in objects(value["objects"], records, file, "object"):
        label = text_of(one.get("classTitle"))
        if not label:
            refuse(records, file, f"object {number}", "an object must have a classTitle")
        yield label
