"""Labels in the names of files: ``dog.123.jpg``, ``dog_123.jpg``, or what a regular expression says."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "labels in file names: dog.123.jpg or dog_123.jpg in one folder, or --label-from REGEX"

USUAL = (
    re.compile(r"^(?P<label>[^\W\d][^./\\]*?)\.[0-9]+\.[^.]+$"),
    re.compile(r"^(?P<label>[^\W\d][^/\\]*?)[ _-]*\(?[0-9]+\)?\.[^.]+$"),
)
"""``dog.123.jpg`` (Kaggle's dogs and cats); ``dog_123.jpg``, ``great_pyrenees_12.jpg`` (Oxford pets)."""

_MOST_PREFIXES = 0.1
"""Prefixes that are classes are few beside the images: at most this share."""
_MOST_CLASSES_ALWAYS = 5
_CAMERAS = frozenset(
    {
        "img",
        "imag",
        "dsc",
        "dscn",
        "dscf",
        "dji",
        "pxl",
        "p",
        "image",
        "photo",
        "pic",
        "picture",
        "gopr",
        "mvi",
    }
    | {
        "frame",
        "whatsapp",
        "screenshot",
        "bildschirmfoto",
        "signal",
        "received",
        "vid",
        "video",
        "scan",
        "pano",
    }
    | {
        "cimg",
        "sam",
        "hpim",
        "burst",
        "snapchat",
        "capture",
        "camera",
        "foto",
        "imagen",
        "bild",
        "copy",
        "edited",
    }
    | {"at", "um", "am", "pm", "e", "mb", "wa", "the", "new", "untitled", "file"}
)
"""What cameras, messengers and programs put around numbers; no class."""


def recognise(source: DataSource) -> Sequence[Path]:
    """The folder itself, if the names of its images say what they show."""
    if source.file is not None:
        return []
    if source.options.label_from is not None:
        return [source.base]
    return [source.base] if _pattern(source) else []


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """What the names say.

    Raises
    ------
    DataError
        If no name fits.
    """
    own = source.options.label_from is not None
    pattern = source.options.pattern if own else _pattern(source)
    if pattern is None:
        raise DataError(
            f"{source.path}: file names must begin with a label, as dog_123.jpg; use --label-from"
        )
    records = Records("", source.base)
    records.has_splits, records.has_groups = "split" in pattern.groupindex, "group" in pattern.groupindex
    for number, path in enumerate(source.scan.images, start=1):
        relative = os.path.relpath(path, source.base)
        match = pattern.search(relative if own else os.path.basename(path))  # noqa: PTH119
        if match is None or not match["label"]:
            records.left_out["the name does not fit the pattern"] += 1
            continue
        parts = match.groupdict("")
        records.records.append(
            Record(number, relative, parts["label"], parts.get("split", ""), parts.get("group", ""))
        )
    if not records.records:
        first = os.path.relpath(source.scan.images[0], source.base) if source.scan.images else "no image"
        raise DataError(
            f"{source.path}: --label-from must fit the paths, such as {first!r}, and fits none; mend it"
        )
    classes = {record.label for record in records.records}
    records.said = (
        f"labels from file names: {count_of(len(records.records), 'image')}, "
        f"{count_of(len(classes), 'prefix')}"
    )
    return records


def _pattern(source: DataSource) -> re.Pattern[str] | None:
    """The usual pattern that all names of one folder fit, with few prefixes that repeat."""
    images = source.scan.images
    if len(images) < 2 or len({os.path.dirname(path) for path in images}) > 1:  # noqa: PTH120
        return None
    names = [os.path.basename(path) for path in images]  # noqa: PTH119
    for pattern in USUAL:
        matches = [pattern.match(name) for name in names]
        counts = Counter(match["label"] for match in matches if match)
        few = len(counts) <= max(_MOST_CLASSES_ALWAYS, _MOST_PREFIXES * len(names))
        if all(matches) and len(counts) > 1 and few and min(counts.values()) > 1:
            return None if any(map(_is_cameras, counts)) else pattern
    return None


def _is_cameras(label: str) -> bool:
    """Whether a prefix holds but words of cameras and programs: ``IMG_20200101``, ``WhatsApp Image 2023``."""
    return {*re.findall(r"[^\W\d_]+", label.lower())} <= _CAMERAS
