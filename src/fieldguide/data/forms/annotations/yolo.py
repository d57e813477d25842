"""YOLO's form for detection: a text file of boxes a photo, and the classes' names in ``data.yaml``.

https://docs.ultralytics.com/datasets/detect/: ``images/`` and ``labels/`` mirror each other, with splits
inside or around them; a line is the class's number and four or more coordinates. Darknet has the text beside
the photo and the names in ``obj.names`` or ``classes.txt``. (YOLO's classification reads class folders.)
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fieldguide.data.forms.entries import add_one, float_of, refuse, split_in, text_of
from fieldguide.data.forms.records import Box, Record, Records
from fieldguide.data.forms.source import DataSource, content_of
from fieldguide.data.scan import count_of
from fieldguide.data.text_encoding import decoded
from fieldguide.errors import DataError
from fieldguide.installation import command_for

TITLE = "YOLO detection: data.yaml with names, and labels/ with a text file a photo"

BACKGROUND = "no object on the image"
_LINE = re.compile(r"(?P<number>[0-9]{1,6})(?:\s+-?[0-9.]+(?:[eE][+-]?[0-9]+)?){4,}\s*")
_NAME_LISTS = frozenset({"classes.txt", "obj.names"})
_LIST_NAMES = _NAME_LISTS | {"train.txt", "val.txt", "valid.txt", "test.txt", "labels.txt"}
_NAMES = re.compile(rb"(?m)^[\"']?names[\"']?\s*:")
_MOST_BYTES = 2**20


def recognise(source: DataSource) -> Sequence[Path]:
    """The file with the classes' names, where text files of boxes lie below."""
    own = [str(source.file)] if source.file is not None else source.scan.label_files
    lists = [Path(path) for path in own if _may_name(Path(path))]
    if not lists or next(_labels(source), None) is None:
        return []
    yaml = [file for file in lists if file.suffix.lower() in (".yaml", ".yml") and _says_names(file)]
    others = [file for file in lists if file.name.lower() in _NAME_LISTS]
    return (yaml or others)[:1]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one class of each photo's boxes."""
    names = _names(files[0])
    images = {os.path.splitext(path)[0]: path for path in source.scan.images}  # noqa: PTH122
    records = Records("", source.base, classes=tuple(dict.fromkeys(names.values())))
    labels = list(_labels(source, images))
    splits = {path: _split(source, path) for path in labels}
    records.has_splits = all(splits.values()) and len(set(splits.values())) > 1
    for number, path in enumerate(labels, start=1):
        image = images.pop(_image_stem(path, images), None)
        name = os.path.relpath(image or f"{_image_stem(path, images)}.jpg", source.base)
        record = Record(number, name, split=splits[path] if records.has_splits else "")
        _take(Path(path), records, names, record, boxes=source.options.crops)
    if images:
        records.left_out["no text file of boxes"] += len(images)
    held = "boxes of" if source.options.crops else "with boxes of one of"
    records.said = (
        f"YOLO data set {files[0].name!r}: {count_of(len(labels), 'text file')}, {len(records.records)} "
        f"{held} {count_of(len(records.classes), 'class')}"
    )
    return records


def read_boxes(source: DataSource, files: Sequence[Path]) -> Records:
    """A record for each box or outline."""
    return read(source, files)  # a line is looked at in the same way


def _may_name(file: Path) -> bool:
    return file.suffix.lower() in (".yaml", ".yml") or file.name.lower() in _NAME_LISTS


def _says_names(file: Path) -> bool:
    try:
        return (
            file.stat().st_size <= _MOST_BYTES
            and re.search(rb"(?m)^[\"']?names[\"']?\s*:", file.read_bytes()) is not None
        )
    except OSError:
        return False


def _labels(source: DataSource, images: dict[str, str] | None = None) -> Iterator[str]:
    """The text files of boxes: below a folder ``labels``, beside their photo, or by what they hold."""
    for path in source.scan.label_files:
        name = os.path.basename(path).lower()  # noqa: PTH119
        if not name.endswith(".txt") or name in _LIST_NAMES:
            continue
        known = images is not None and (_below_labels(path) or path[:-4] in images)
        if known or _holds_boxes(Path(path)):
            yield path


def _below_labels(path: str) -> bool:
    return f"{os.sep}labels{os.sep}" in path


def _holds_boxes(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            line = opened.readline(4096)
    except OSError:
        return False
    return _LINE.match(line.decode("ascii", errors="replace")) is not None


def _image_stem(path: str, images: dict[str, str]) -> str:
    """The photo's path without ending: ``labels/`` becomes ``images/``, unless the photo lies beside."""
    stem = path[:-4]
    if stem in images or not _below_labels(path):
        return stem
    before, _, after = stem.rpartition(f"{os.sep}labels{os.sep}")
    return f"{before}{os.sep}images{os.sep}{after}"


def _split(source: DataSource, path: str) -> str:
    """The split that one of the folders is called as."""
    folders = Path(os.path.relpath(path, source.base)).parts[:-1]
    return next((split for folder in folders if (split := split_in(folder))), "")


def _take(
    file: Path, records: Records, names: dict[int, str], record: Record, *, boxes: bool = False
) -> None:
    try:
        lines = decoded(content_of(file))[0].splitlines()
    except DataError as error:
        refuse(records, file, "the file", str(error))
        return
    labels, found = [], []
    for number, line in enumerate(filter(str.strip, lines), start=1):
        match = _LINE.fullmatch(line.strip())
        if match is None or int(match["number"]) not in names:
            message = f"need the number of one of {len(names)} classes and a box, got {line.strip()[:40]!r}"
            refuse(records, file, f"line {number}", message)
            return
        labels.append(names[int(match["number"])])
        found.append(replace(record, label=labels[-1], box=_box(line)))
    if boxes:
        records.records.extend(found)
        return
    add_one(records, record, labels, BACKGROUND)


def _box(line: str) -> Box | None:
    """Centre and size, or the corners of an outline, all as shares of the photo; None for other numbers."""
    shares = [float_of(word) for word in line.split()[1:]]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares) or (len(known) > 4 and len(known) % 2):
        return None
    if len(known) > 4:
        across, down = known[::2], known[1::2]
        return Box(min(across), min(down), max(across), max(down), 1, 1)
    x, y, width, height = known
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, 1, 1)


def _names(file: Path) -> dict[int, str]:
    if file.suffix.lower() not in (".yaml", ".yml"):
        return dict(
            enumerate(line.strip() for line in decoded(content_of(file))[0].splitlines() if line.strip())
        )
    names = _yaml(file)
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        raise DataError(f"{file}: names must be a list of classes or number to class, got neither; mend it")
    found = {key: text_of(name) for key, name in names.items() if isinstance(key, int) and text_of(name)}
    if len(found) < len(names):
        raise DataError(f"{file}: names must give each number one text, got others; mend it")
    return found


def _yaml(file: Path) -> Any:
    """What stands under ``names``."""
    try:
        import yaml
    except ImportError as error:
        raise DataError(
            f"{file}: YOLO's data.yaml needs the package pyyaml, which is not installed; run: "
            f"{command_for('yaml')}"
        ) from error
    try:
        value = yaml.safe_load(decoded(content_of(file))[0])
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError) as error:
        raise DataError(f"{file}: it is not readable YAML; write it again") from error
    return value.get("names") if isinstance(value, dict) else None
