"""COCO: images, annotations and categories in one JSON file a split.

https://cocodataset.org/#format-data. Roboflow puts ``_annotations.coco.json`` into each split's folder, CVAT
and COCO itself ``annotations/instances_train2017.json`` beside a folder of images.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.data.forms.entries import (
    ImageFolders,
    add_one,
    objects,
    refuse,
    sequence,
    shown,
    splits_of,
    text_of,
)
from fieldguide.data.forms.records import Box, Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of

TITLE = "COCO: a JSON file of images, annotations and categories, one a split; photos of one category"

_LOOKED_AT = 20
_PREFERRED = "instances_"
"""COCO's own file of objects; captions and key points of the same images lie beside it."""


@dataclass
class CocoFile:
    """What a file in COCO's form says, looked up."""

    images: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    """Images by identifier, each with its place in the file, from 1."""
    names: dict[str, str] = field(default_factory=dict)
    """Names of the categories by identifier."""
    labels: dict[str, list[str]] = field(default_factory=dict)
    """Names of the categories of each image, by the image's identifier."""
    boxes: list[tuple[str, str, Box]] = field(default_factory=list)
    """Image, category and box of each annotation that has one; only where they are wanted."""
    crowds: int = 0
    """Boxes of several things at once."""
    of_sequences: int = 0
    """Annotations that were made of a whole sequence of images."""


def recognise(source: DataSource) -> Sequence[Path]:
    """The JSON files with images, annotations and categories; COCO's ``instances_…`` come alone."""
    found = _all(source)
    return [file for file in found if file.name.startswith(_PREFERRED)] or found


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one category of each image."""
    splits = splits_of(files)
    whole = joined([_read_one(source, file, splits[file]) for file in files])
    others = [file.name for file in _all(source) if file not in files]
    if others:
        whole.notes.append(f"beside {_PREFERRED}…, not read: {', '.join(others[:5])}")
    return whole


def is_coco(value: Any) -> bool:
    """Whether a JSON value is of COCO's form."""
    lists = isinstance(value, dict) and all(
        isinstance(value.get(name), list) for name in ("images", "annotations", "categories")
    )
    return lists and any("file_name" in image for image in _head(value))


def has_camera_fields(value: Any) -> bool:
    """Whether images name a camera's place or a sequence, as those of camera traps do."""
    return any(image.keys() & {"location", "seq_id"} for image in _head(value))


def _head(value: Any) -> list[dict[str, Any]]:
    return [image for image in sequence(value.get("images"))[:_LOOKED_AT] if isinstance(image, dict)]


def _all(source: DataSource) -> list[Path]:
    return [file for file, value in source.json_files() if is_coco(value) and not has_camera_fields(value)]


def read_file(source: DataSource, file: Path, records: Records) -> CocoFile:
    """Look up what a file says; entries that fit nothing are refused."""
    value, found = source.json(file), CocoFile()
    for number, category in objects(value["categories"], records, file, "category"):
        identifier, name = text_of(category.get("id")), text_of(category.get("name"))
        if identifier and name:
            found.names[identifier] = name
        else:
            refuse(records, file, f"category {number}", "it must have an id and a name")
    for number, image in objects(value["images"], records, file, "image"):
        identifier = text_of(image.get("id"))
        if not identifier or not isinstance(image.get("file_name"), str) or identifier in found.images:
            message = f"it must have a file_name and an id of its own, got {shown(image.get('id'))}"
            refuse(records, file, f"image {number}", message)
        else:
            found.images[identifier] = (number, image)
    for number, annotation in objects(value["annotations"], records, file, "annotation"):
        _annotate(found, records, file, number, annotation)
        if source.options.crops:
            _add_box(found, annotation)
    return found


def _add_box(found: CocoFile, annotation: dict[str, Any]) -> None:
    image, category = text_of(annotation.get("image_id")), text_of(annotation.get("category_id"))
    given = sequence(annotation.get("bbox"))
    numbers = [edge for edge in given if isinstance(edge, int | float) and not isinstance(edge, bool)]
    if image not in found.images or category not in found.names:
        return  # refused already
    if annotation.get("iscrowd") in (1, True):
        found.crowds += 1
    elif len(given) == len(numbers) == 4:
        left, top, width, height = numbers
        entry = found.images[image][1]
        size = [side if isinstance(side := entry.get(name), int) else 0 for name in ("width", "height")]
        box = Box(left, top, left + width, top + height, *size)
        found.boxes.append((image, found.names[category], box))


def _annotate(found: CocoFile, records: Records, file: Path, number: int, annotation: dict[str, Any]) -> None:
    image, category = text_of(annotation.get("image_id")), text_of(annotation.get("category_id"))
    if image not in found.images:
        message = f"image_id must be that of an image, got {shown(annotation.get('image_id'))}"
        refuse(records, file, f"annotation {number}", message)
    elif category not in found.names:
        message = f"category_id must be that of a category, got {shown(annotation.get('category_id'))}"
        refuse(records, file, f"annotation {number}", message)
    else:
        found.labels.setdefault(image, []).append(found.names[category])
        found.of_sequences += annotation.get("sequence_level_annotation") is True


def read_boxes(source: DataSource, files: Sequence[Path]) -> Records:
    """A record for each box of one thing."""
    splits = splits_of(files)
    return joined([_read_boxes_of_one(source, file, splits[file]) for file in files])


def _read_boxes_of_one(source: DataSource, file: Path, split: str) -> Records:
    records = Records("", source.base, has_splits=bool(split))
    found, folders = read_file(source, file, records), image_folders(source, file)
    names = {identifier: folders.name(image["file_name"]) for identifier, (_, image) in found.images.items()}
    for number, (image, label, box) in enumerate(found.boxes, start=1):
        records.records.append(Record(number, names[image], label, split, box=box))
    if found.crowds:
        records.left_out["a box of a crowd, which is no single thing"] = found.crowds
    records.classes = tuple(dict.fromkeys(label for _, label, _ in found.boxes))
    records.said = (
        f"COCO file {source.name_in(file, file.name)!r}: {count_of(len(found.images), 'image')}, "
        f"{count_of(len(records.records), 'box')} of {count_of(len(records.classes), 'category')}"
    )
    return records


def image_folders(source: DataSource, file: Path) -> ImageFolders:
    """The folders that the images of a file may lie in: beside it, or called as its split is."""
    words = dict.fromkeys((file.stem.rpartition("_")[2], file.stem))
    named = [
        f"{above}{folder}" for word in words for above in ("../", "") for folder in (word, f"images/{word}")
    ]
    return ImageFolders(source, file, (".", *named, "../images", "images", "../data", "data", ".."))


def _read_one(source: DataSource, file: Path, split: str) -> Records:
    records = Records("", source.base, has_splits=bool(split))
    found, folders = read_file(source, file, records), image_folders(source, file)
    records.classes = _classes(source.json(file)["categories"], found)
    for identifier, (number, image) in found.images.items():
        labels = found.labels.get(identifier, ())
        name = folders.name(image["file_name"])
        add_one(records, Record(number, name, split=split), labels, "no annotation on the image")
    records.said = said(f"COCO file {source.name_in(file, file.name)!r}", found, records)
    return records


def said(title: str, found: CocoFile, records: Records) -> str:
    """What was understood of a file, for a person."""
    left_out = sum(records.left_out.values())
    return (
        f"{title}: {count_of(len(found.images), 'image')}, {len(records.records)} with one of "
        f"{count_of(len(records.classes), 'category')}" + (f", {left_out} left out" if left_out else "")
    )


def _classes(categories: Iterable[Any], found: CocoFile) -> tuple[str, ...]:
    """The categories; one that is only the group of others, as Roboflow writes it, is none."""
    used = {name for names in found.labels.values() for name in names}
    groups = {text_of(category.get("supercategory")) for category in categories if isinstance(category, dict)}
    return tuple(dict.fromkeys(name for name in found.names.values() if name in used or name not in groups))
