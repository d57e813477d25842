"""VGG Image Annotator: its project, and the annotations of versions 1 and 2 as JSON or CSV.

https://www.robots.ox.ac.uk/~vgg/software/via/: a photo has file attributes, and regions with attributes of
their own; an attribute is a choice (radio, dropdown), several (checkbox) or text.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.forms.annotations import via3
from fieldguide.data.forms.annotations.via3 import ViaPhoto
from fieldguide.data.forms.columns import sample_text
from fieldguide.data.forms.entries import (
    ImageFolders,
    add_one,
    chosen_field,
    mapping,
    refuse,
    shown,
    text_of,
)
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "VGG Image Annotator: its project (version 2 or 3), or its annotations as JSON or CSV"

_PROJECT = "_via_img_metadata"
_CSV = frozenset({"filename", "file_attributes", "region_attributes"})
_PROSE = frozenset({"caption", "public_domain", "image_url"})
"""File attributes that every new project has, which are no class."""
_CHOICES = frozenset({"radio", "dropdown", "checkbox"})
_LOOKED_AT = 20


def recognise(source: DataSource) -> Sequence[Path]:
    """The projects; where there are none, annotations as JSON or CSV."""
    values = list(source.json_files())
    projects = [
        file
        for file, value in values
        if (isinstance(value, dict) and _PROJECT in value) or via3.is_project(value)
    ]
    if projects:
        return projects
    exports = [file for file, value in values if _is_export(value)]
    return exports or [file for file in source.files(".csv") if set(_header(source, file)) >= _CSV]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one value of each photo's attribute; of its regions' attribute where the photo has none."""
    return joined([_read_one(source, file) for file in files])


def _is_export(value: Any) -> bool:
    entries = list(value.values())[:_LOOKED_AT] if isinstance(value, dict) else []
    return any(isinstance(entry, dict) and {"filename", "regions"} <= entry.keys() for entry in entries)


def _header(source: DataSource, file: Path) -> list[str]:
    try:
        return [name.strip().lstrip("#") for name in source.cells(file).header]
    except DataError:
        return []


def _read_one(source: DataSource, file: Path) -> Records:
    records = Records("", source.base)
    value = source.json(file) if file.suffix.lower() == ".json" else {}
    if via3.is_project(value):
        types: dict[Any, Any] = via3.attribute_types(value)
        photos = list(via3.photos(value, records, file))
    elif value:
        types = mapping(value.get("_via_attributes"))
        photos = list(_photos(value.get(_PROJECT, value), records, file))
    else:
        types, photos = {}, _rows(source, file, records)
    of_file = _attributes([photo.of_file for photo in photos], mapping(types.get("file")))
    of_regions = _attributes(
        [one for photo in photos for one in photo.of_regions], mapping(types.get("region"))
    )
    # a person may name either; where a photo itself has an attribute, that of its regions is another matter
    wanted = source.options.label_column
    if wanted in of_regions and wanted not in of_file:
        of_file = {}
    fields = of_file or of_regions
    name = chosen_field(fields, source, file, "attribute") if fields else ""
    folders = ImageFolders(source, file, (".", "images", "../images", "data", ".."))
    for photo in photos:
        given = [photo.of_file] if of_file else photo.of_regions
        labels = [label for attributes in given for label in _chosen(attributes.get(name))]
        add_one(records, Record(photo.number, folders.name(photo.name)), labels)
    where = f"{'file' if of_file else 'region'} attribute {name!r}" if name else "no attribute"
    records.said = (
        f"VGG Image Annotator {file.name!r}: {count_of(len(photos), 'image')}, {len(records.records)} with "
        f"one value of {where}"
    )
    return records


def _photos(value: Any, records: Records, file: Path) -> Iterator[ViaPhoto]:
    for number, entry in enumerate(mapping(value).values(), start=1):
        name = mapping(entry).get("filename")
        if not isinstance(name, str) or not name:
            refuse(records, file, f"image {number}", f"it must have a filename, got {shown(entry)}")
            continue
        regions = entry.get("regions")
        # version 1 numbers the regions in an object
        listed = list(regions.values()) if isinstance(regions, dict) else regions
        attributes = [
            mapping(mapping(region).get("region_attributes"))
            for region in (listed if isinstance(listed, list) else ())
        ]
        yield ViaPhoto(number, name, mapping(entry.get("file_attributes")), attributes)


def _rows(source: DataSource, file: Path, records: Records) -> list[ViaPhoto]:
    """CSV: a region a row, with the file's attributes repeated in each."""
    header, photos = _header(source, file), dict[str, ViaPhoto]()
    for number, row in enumerate(source.cells(file).records(), start=1):
        cells = dict(zip(header, map(sample_text, row), strict=False))
        of_file, of_region = _object(cells.get("file_attributes")), _object(cells.get("region_attributes"))
        if not cells.get("filename") or of_file is None or of_region is None:
            refuse(records, file, f"row {number}", "need a filename and attributes that are JSON objects")
            continue
        photo = photos.setdefault(cells["filename"], ViaPhoto(number, cells["filename"], of_file))
        if of_region:
            photo.of_regions.append(of_region)
    return list(photos.values())


def _object(text: str | None) -> dict[str, Any] | None:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _attributes(given: Sequence[dict[str, Any]], types: dict[Any, Any]) -> dict[str, None]:
    """Attributes that some photo or region has a value of, choices only where the project tells the types."""
    used = dict.fromkeys(
        name
        for attributes in given
        for name, value in attributes.items()
        if name not in _PROSE and _chosen(value)
    )
    choices = {name: None for name in used if text_of(mapping(types.get(name)).get("type")) in _CHOICES}
    return choices or used


def _chosen(value: Any) -> list[str]:
    """The value of an attribute; of a checkbox, those that are ticked."""
    if isinstance(value, dict):
        return [option for option, ticked in value.items() if ticked is True]
    return [text] if (text := text_of(value)) else []
