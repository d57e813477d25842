"""WebDataset: images and labels under one key, in shards or unpacked; the key ends at the first dot.

https://github.com/webdataset/webdataset ; ``000001.jpg`` beside ``000001.cls`` (a class number or name),
``000001.json`` (with label, class, cls or target) or ``000001.txt``.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.archives import SHARD, Limits, Unpacked, unpack_into
from fieldguide.data.forms.label_names import named
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of, scan
from fieldguide.data.split_names import split_of
from fieldguide.errors import DataError, Refusal
from fieldguide.images.decoding import IMAGE_SUFFIXES

TITLE = "WebDataset: shards such as train-000000.tar, or key.jpg beside key.cls, key.json or key.txt"

_LABELS = (".cls", ".json", ".txt")
_KEYS = ("label_name", "class_name", "label", "class", "cls", "target", "category")
_LIMITS = Limits(ratio=2, allowance=1 << 16)
"""A shard is not packed; one that came out of an archive must not unfold once more."""
_MOST_LABEL_BYTES = 1 << 20
_SAMPLE = 200
_SHARE = 0.8
"""Images that have a label of their own beside them, at least, in a folder that is of this form."""


def recognise(source: DataSource) -> Sequence[Path]:
    """Shards with numbers in their names; else the folder, if its images have label files of their keys."""
    if source.file is not None:
        return []
    shards = [Path(path) for path in source.scan.shards if SHARD.fullmatch(os.path.basename(path))]  # noqa: PTH119
    if shards and not source.scan.images:
        return shards
    return [source.base] if _is_unpacked(source) else []


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The label of each key; shards are unpacked in their order into a temporary folder.

    Raises
    ------
    DataError
        If a shard is damaged or hostile.
    """
    if files[0].is_dir():
        records = Records("", source.base)
        _take(records, source.base, source.scan.images, "")
        records.said = f"WebDataset, unpacked: {count_of(len(records.records), 'image')}"
    else:
        records = _unpacked(source, files)
    _name(records, (source.base, source.folder))
    return records


def _is_unpacked(source: DataSource) -> bool:
    """Whether the first images have labels beside them; a text alone may be a caption."""
    images = source.scan.images[:_SAMPLE]
    listed = set(source.scan.label_files)
    keys = [_key(path) for path in images]
    labelled = sum(key + ".cls" in listed or (key + ".json" in listed and bool(_label(key))) for key in keys)
    return bool(images) and labelled >= _SHARE * len(images)


def _unpacked(source: DataSource, files: Sequence[Path]) -> Records:
    splits = {file: _split(file) for file in files}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    records = Records("", source.scratch, has_splits=apart)
    others: Counter[str] = Counter()
    for number, file in enumerate(sorted(files)):
        folder = source.scratch / f"{number:06d}"
        folder.mkdir()
        result = unpack_into(file, Unpacked(folder), limits=_LIMITS, progress=source.progress)
        others.update(result.others)
        _take(records, source.scratch, scan(folder).images, splits[file] if apart else "")
    records.left_out.update(
        {f"members that are {suffix or 'without an ending'}": n for suffix, n in others.items()}
    )
    records.said = f"WebDataset: {count_of(len(files), 'shard')}, {count_of(len(records.records), 'image')}"
    return records


def _split(file: Path) -> str:
    found = SHARD.fullmatch(file.name)
    words = re.split(r"[^a-z]+", (found["stem"] if found else "").lower())
    own = next(filter(None, map(split_of, words)), "")
    return own or split_of(file.parent.name) or ""


def _key(path: str) -> str:
    folder, slash, name = path.rpartition(os.sep)
    return f"{folder}{slash}{name.partition('.')[0]}"


def _take(records: Records, root: Path, images: Sequence[str], split: str) -> None:
    taken: set[str] = set()
    for path in images:
        number, key, name = len(records.records) + 1, _key(path), os.path.relpath(path, root)
        if key in taken:
            records.left_out["a second image under the same key"] += 1
            continue
        taken.add(key)
        label = _label(key)
        if label is None:
            said = "its label must be one word, number or JSON with label, class, cls or target"
            records.refused.append(Refusal(name, "damaged_row", said))
        elif not label:
            records.left_out[f"no label beside the image ({', '.join(_LABELS)})"] += 1
        else:
            records.records.append(Record(number, name, label, split))


def _label(key: str) -> str | None:
    """The label of a key; empty if there is none, None if it cannot be understood."""
    for ending in _LABELS:
        content = _content(Path(key + ending))
        if content is None:
            continue
        if ending == ".json":
            return _from_json(content)
        text = content.decode("utf-8", errors="replace").strip()
        return text if text and "\n" not in text and "\ufffd" not in text else None
    return ""


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes() if file.stat().st_size <= _MOST_LABEL_BYTES else b""
    except OSError:
        return None


def _from_json(content: bytes) -> str | None:
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        value = next((value[key] for key in _KEYS if key in value), "")
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _name(records: Records, folders: Sequence[Path]) -> None:
    names, listed = named((record.label for record in records.records), folders)
    if names:
        records.records = [
            Record(entry.number, entry.name, names[entry.label], entry.split) for entry in records.records
        ]
        records.notes.append(f"numbers got their names from {Path(listed).name!r}")
    if not records.records and not records.refused:
        endings = ", ".join(sorted(IMAGE_SUFFIXES)[:6])
        raise DataError(f"{records.root}: shards must hold images ({endings} …) with labels, got none")
