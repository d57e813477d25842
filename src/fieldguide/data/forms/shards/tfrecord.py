"""TFRecord files of image classification: records of ``tf.train.Example`` with an encoded image and a label.

https://www.tensorflow.org/tutorials/load_data/tfrecord : a record is its length, the length's checksum, the
bytes, and their checksum. No TensorFlow is needed.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from fieldguide.data.forms.label_names import named
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.shards.crc32c import masked
from fieldguide.data.forms.shards.protobuf import WireError, example
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.errors import DataError, Refusal

TITLE = "TFRecord: image/encoded with image/class/label or image/class/text, or image and label"

_IMAGES = ("image/encoded", "image", "image_raw", "encoded")
_TEXTS = ("image/class/text", "class_name", "label_text")
_NUMBERS = ("image/class/label", "label", "class", "target")
_KINDS = {b"\xff\xd8": ".jpg", b"\x89PNG": ".png", b"GIF8": ".gif", b"BM": ".bmp"}
_HEAD, _TAIL = 12, 4


class _Cut(Exception):
    """The rest of a file cannot be read."""


def recognise(source: DataSource) -> Sequence[Path]:
    """Files whose first record is an example with an image."""
    return [file for file in source.files("") if _may_be(file) and _begins(file)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The images, written as they are into a temporary folder, with their labels."""
    splits = {file: _split(file) for file in files}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    records = Records("", source.scratch, has_splits=apart)
    for place, file in enumerate(files):
        folder = source.scratch / f"{place:05d}"
        folder.mkdir()
        _read_one(file, folder, records, splits[file] if apart else "")
    names, listed = named((entry.label for entry in records.records), (source.base, source.folder))
    if names:
        records.records = [
            Record(entry.number, entry.name, names[entry.label], entry.split) for entry in records.records
        ]
        records.notes.append(f"numbers got their names from {Path(listed).name!r}")
    records.said = f"TFRecord: {count_of(len(records.records), 'image')} in {count_of(len(files), 'file')}"
    return records


def _may_be(file: Path) -> bool:
    return bool(re.search(r"\.tfrec(ord)?s?\b|-\d{5}-of-\d{5}$", file.name, re.IGNORECASE))


def _split(file: Path) -> str:
    words = re.split(r"[^a-z]+", f"{file.parent.name} {file.name}".lower())
    return next(filter(None, map(split_of, reversed(words))), "")


def _begins(file: Path) -> bool:
    try:
        first = next(_contents(file), None)
        return first is not None and any(name in example(first[0]) for name in _IMAGES)
    except (OSError, WireError, _Cut):
        return False


def _contents(file: Path) -> Iterator[tuple[bytes, bool]]:
    """The bytes of each record, and whether their checksum holds."""
    left = file.stat().st_size
    with file.open("rb") as opened:
        while head := opened.read(_HEAD):
            if len(head) < _HEAD or int.from_bytes(head[8:], "little") != masked(head[:8]):
                raise _Cut("the length of a record is cut off or has another checksum")
            size = int.from_bytes(head[:8], "little")
            left -= _HEAD + size + _TAIL
            if left < 0:
                raise _Cut("the file ends within a record")
            content = opened.read(size)
            yield content, int.from_bytes(opened.read(_TAIL), "little") == masked(content)


def _read_one(file: Path, folder: Path, records: Records, split: str) -> None:
    number = 0
    try:
        for number, (content, whole) in enumerate(_contents(file), start=1):
            problem = _take(content, folder, number, records, split) if whole else "it has another checksum"
            if problem:
                records.refused.append(Refusal(f"{file}, record {number}", "damaged_row", problem))
    except _Cut as error:
        records.refused.append(
            Refusal(f"{file}, record {number + 1}", "damaged_row", f"{error}; the rest is lost")
        )
    except OSError as error:
        raise DataError(f"{file}: it cannot be read ({error.strerror or error}); check the file") from error


def _take(content: bytes, folder: Path, number: int, records: Records, split: str) -> str:
    """Write an example's image and append its record; a sentence if it has none."""
    try:
        values = example(content)
    except WireError as error:
        return f"it is not a tf.train.Example ({error})"
    image = next((values[name] for name in _IMAGES if name in values), None)
    suffix = next(
        (end for start, end in _KINDS.items() if isinstance(image, bytes) and image.startswith(start)), ""
    )
    if isinstance(image, bytes) and image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        suffix = ".webp"
    if not isinstance(image, bytes) or not suffix:
        return f"it must have an image as JPEG, PNG, GIF, BMP or WebP in one of {', '.join(_IMAGES)}"
    label = next((values[name] for name in (*_TEXTS, *_NUMBERS) if values.get(name) not in (None, b"")), "")
    text = label.decode("utf-8", errors="replace") if isinstance(label, bytes) else str(label)
    name = f"{number:07d}{suffix}"
    (folder / name).write_bytes(image)
    records.records.append(Record(number, f"{folder.name}/{name}", text, split))
    return ""
