"""Exports of CVAT: "CVAT for images 1.1" of a task or a project, whose tags are classes.

https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/
"""

import re
import xml.etree.ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fieldguide.data.forms.entries import ImageFolders, add_one, float_of, refuse
from fieldguide.data.forms.records import Box, Record, Records, joined
from fieldguide.data.forms.source import DataSource, xml_root
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.errors import DataError

TITLE = "CVAT for images 1.1: an XML file of annotations, with tags"

_HEAD_BYTES = 4096
_SHAPES = ("box", "polygon", "polyline", "points")


def recognise(source: DataSource) -> Sequence[Path]:
    """The XML files that begin with CVAT's element."""
    return [file for file in source.files(".xml") if _begins(file)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one tag of each image."""
    return joined([_read_one(source, file) for file in files])


def read_boxes(source: DataSource, files: Sequence[Path]) -> Records:
    """A record for each upright box and each polygon, whose outermost points make its box."""
    return joined([_read_boxes_of_one(source, file) for file in files])


def _begins(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return b"<annotations>" in opened.read(_HEAD_BYTES)
    except OSError:
        return False


def _opened(
    source: DataSource, file: Path
) -> tuple[Records, Sequence[xml.etree.ElementTree.Element], ImageFolders]:
    """The images of a file, where they may lie, and records of its classes and splits, still empty."""
    root = xml_root(file)
    images = root.findall("image")
    if not images:
        kind = "tracks of a video" if root.find("track") is not None else "none"
        raise DataError(
            f"{file}: CVAT's annotations must hold images, got {kind}; export 'CVAT for images 1.1'"
        )
    subsets = dict.fromkeys(image.get("subset", "") for image in images)
    apart = len(subsets) > 1 and all(split_of(subset) for subset in subsets)
    records = Records("", source.base, has_splits=apart)
    if len(subsets) > 1 and not apart:
        listed = ", ".join(map(repr, list(subsets)[:5]))
        records.notes.append(f"CVAT's subsets {listed} are not all called as splits are, so there are none")
    records.classes = tuple(dict.fromkeys(name.text or "" for name in root.findall(".//label/name")))
    words = [f"{above}images/{subset}" for subset in subsets if _is_folder(subset) for above in ("", "../")]
    return records, images, ImageFolders(source, file, (*words, "images", ".", "../images", ".."))


def _read_one(source: DataSource, file: Path) -> Records:
    records, images, folders = _opened(source, file)
    tagged = any(image.find("tag") is not None for image in images)
    for number, image in enumerate(images, start=1):
        _take(file, records, (number, image), folders, tagged=tagged)
    machine = sum(tag.get("source") == "auto" for image in images for tag in image.iterfind("tag"))
    if machine:
        records.notes.append(
            f"{count_of(machine, 'tag')} in {file.name!r} came from a model (source 'auto') and no person "
            "changed it; taken as given"
        )
    skipped = sum(records.left_out.values())
    records.said = (
        f"CVAT export {file.name!r}: {count_of(len(images), 'image')}, {len(records.records)} with one "
        f"{'tag' if tagged else 'label of all shapes'}" + (f", {skipped} left out" if skipped else "")
    )
    return records


def _read_boxes_of_one(source: DataSource, file: Path) -> Records:
    records, images, folders = _opened(source, file)
    for number, image in enumerate(images, start=1):
        name, subset = image.get("name"), image.get("subset", "")
        if not name:
            refuse(records, file, f"image {number}", "the image has no name")
            continue
        record = Record(number, folders.name(name, subset=subset), split=subset if records.has_splits else "")
        for shape in image:
            if shape.tag in _SHAPES:
                _take_box(file, records, record, image, shape)
    records.classes = tuple(dict.fromkeys(record.label for record in records.records))
    records.said = (
        f"CVAT export {file.name!r}: {count_of(len(images), 'image')}, "
        f"{count_of(len(records.records), 'box')} of {count_of(len(records.classes), 'label')}"
    )
    return records


def _take_box(
    file: Path,
    records: Records,
    record: Record,
    image: xml.etree.ElementTree.Element,
    shape: xml.etree.ElementTree.Element,
) -> None:
    label = shape.get("label", "")
    if float_of(shape.get("rotation")) not in (None, 0.0):
        records.left_out["a box that is turned, which is not cut out"] += 1
        return
    if shape.tag == "box":
        edges = [float_of(shape.get(name)) for name in ("xtl", "ytl", "xbr", "ybr")]
    else:
        numbers = [float_of(number) for number in re.split("[,;]", shape.get("points", ""))]
        known = [number for number in numbers if number is not None]
        across, down = known[::2], known[1::2]
        whole = len(known) == len(numbers) and down
        edges = [min(across), min(down), max(across), max(down)] if whole else [None]
    left, top, right, bottom = edges if len(edges) == 4 else (None,) * 4
    if not label or left is None or top is None or right is None or bottom is None:
        refuse(records, file, f"image {record.number}", f"a {shape.tag} must have a label and its points")
        return
    size = [float_of(image.get(name)) or 0.0 for name in ("width", "height")]
    records.records.append(replace(record, label=label, box=Box(left, top, right, bottom, *size)))


def _is_folder(subset: str) -> bool:
    return bool(subset) and not set(subset) & {"/", "\\", "\0"} and subset != ".."


def _take(
    file: Path,
    records: Records,
    numbered: tuple[int, xml.etree.ElementTree.Element],
    folders: ImageFolders,
    *,
    tagged: bool,
) -> None:
    number, image = numbered
    name, subset = image.get("name"), image.get("subset", "")
    # without tags in the whole file, shapes say what an image shows
    labels = [one.get("label", "") for one in (image.findall("tag") if tagged else image)]
    if not name:
        refuse(records, file, f"image {number}", "the image has no name")
        return
    split = subset if records.has_splits else ""
    none = "no tag on the image" if tagged else "no shape on the image"
    add_one(records, Record(number, folders.name(name, subset=subset), split=split), labels, none)
