"""Backups of CVAT: of a task or a project, with the photos themselves.

``annotations.json`` has an entry a job with tags and shapes by frame, ``data/manifest.jsonl`` the photos in
their order, ``task.json`` the subset and which photos are frames (https://github.com/cvat-ai/cvat,
``cvat/apps/engine/backup.py``). A project's backup has a folder ``task_0``, ``task_1``, … a task.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fieldguide.data.forms.entries import add_one, mapping, refuse, sequence, shown, text_of
from fieldguide.data.forms.records import Box, Record, Records, joined
from fieldguide.data.forms.source import DataSource, content_of
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.data.text_encoding import decoded
from fieldguide.errors import DataError

TITLE = "CVAT's backup of a task or a project: task.json, annotations.json and data/ with the photos"

_MANIFEST = "data/manifest.jsonl"
_STEP = re.compile(r"step\s*=\s*([1-9][0-9]{0,6})")
_OUTLINES = frozenset({"rectangle", "polygon", "polyline", "points"})


@dataclass(frozen=True)
class _Frames:
    """Which photos are frames of a task."""

    photos: Sequence[dict[str, Any]]
    """The entries of the manifest."""
    start: int
    step: int
    deleted: frozenset[int]

    def numbers(self) -> range:
        """The numbers of all frames."""
        return range(len(range(self.start, len(self.photos), self.step)))

    def photo(self, frame: int) -> dict[str, Any]:
        """The manifest's entry of a frame."""
        return self.photos[self.start + frame * self.step]


def recognise(source: DataSource) -> Sequence[Path]:
    """The ``annotations.json`` beside a ``task.json``."""
    return [file for file, value in source.json_files() if _is_backup(file, value)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one tag of each frame; where a whole task has none, the one label of its shapes."""
    return joined([_read_one(source, file, split) for file, split in _splits(source, files).items()])


def read_boxes(source: DataSource, files: Sequence[Path]) -> Records:
    """A record for each upright shape, whose outermost points make its box."""
    return read(source, files)  # a task is gone through in the same way


def _is_backup(file: Path, value: Any) -> bool:
    jobs = [job for job in sequence(value) if isinstance(job, dict)]
    return any({"tags", "shapes"} <= job.keys() for job in jobs) and file.with_name("task.json").is_file()


def _splits(source: DataSource, files: Sequence[Path]) -> dict[Path, str]:
    """The split that the subset of each task is called as, if all are and they differ."""
    subsets = {file: text_of(_task(source, file).get("subset")) for file in files}
    splits = {file: split_of(subset) or "" for file, subset in subsets.items()}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    return splits if apart else dict.fromkeys(files, "")


def _task(source: DataSource, file: Path) -> dict[Any, Any]:
    return mapping(source.json(file.with_name("task.json")))


def _read_one(source: DataSource, file: Path, split: str) -> Records:
    records = Records("", source.base, has_splits=bool(split))
    frames = _frames(source, file, records)
    tags, shapes = _by_frame(source, file, records, frames)
    records.classes = tuple(
        text_of(mapping(label).get("name")) for label in sequence(_task(source, file).get("labels"))
    )
    said, tagged = tags or shapes, bool(tags)
    for frame in frames.numbers():
        photo = frames.photo(frame)
        name = f"data/{text_of(photo.get('name'))}{text_of(photo.get('extension'))}"
        record = Record(frame + 1, source.name_in(file, name), split=split)
        if frame in frames.deleted:
            records.left_out["deleted in CVAT"] += 1
        elif source.options.crops:
            _take_boxes(records, file, record, shapes.get(frame, []), photo)
        else:
            labels = [text_of(one.get("label")) for one in said.get(frame, [])]
            add_one(records, record, labels, "no tag on the image" if tagged else "no shape on the image")
    what = "boxes" if source.options.crops else f"with one {'tag' if tagged else 'label of all shapes'}"
    records.said = (
        f"CVAT backup {source.name_in(file, file.name)!r}: {count_of(len(frames.numbers()), 'image')}, "
        f"{len(records.records)} {what}"
    )
    return records


def _frames(source: DataSource, file: Path, records: Records) -> _Frames:
    manifest, photos = file.parent / _MANIFEST, []
    if not manifest.is_file():
        raise DataError(
            f"{file}: a backup must have {_MANIFEST}, which names its photos, got none; back up again"
        )
    for number, line in enumerate(decoded(content_of(manifest))[0].split("\n"), start=1):
        try:
            entry = mapping(json.loads(line)) if line.strip() else {}
        except (ValueError, RecursionError):
            refuse(records, manifest, f"line {number}", f"it is not valid JSON, got {shown(line)}")
            entry = {"name": "", "extension": ""}  # so that the others keep their numbers
        if "name" in entry:
            photos.append(entry)
    data = mapping(_task(source, file).get("data"))
    start, step = data.get("start_frame"), _STEP.search(text_of(data.get("frame_filter")))
    deleted = frozenset(frame for frame in sequence(data.get("deleted_frames")) if isinstance(frame, int))
    first = start if isinstance(start, int) and start >= 0 else 0
    return _Frames(photos, first, int(step[1]) if step else 1, deleted)


_ByFrame = dict[int, list[dict[str, Any]]]


def _by_frame(source: DataSource, file: Path, records: Records, frames: _Frames) -> tuple[_ByFrame, _ByFrame]:
    """The tags and the shapes of each frame; jobs may overlap."""
    found: dict[str, _ByFrame] = {"tags": {}, "shapes": {}}
    for kind, where, entry in _entries(source.json(file)):
        frame = entry.get("frame")
        if not isinstance(frame, int) or frame not in frames.numbers() or not text_of(entry.get("label")):
            message = f"it must have a label and the number of one of {len(frames.numbers())} frames"
            refuse(records, file, where, f"{message}, got {shown(frame)}")
        elif entry not in (there := found[kind].setdefault(frame, [])):
            there.append(entry)
    tracks = sum(len(sequence(mapping(job).get("tracks"))) for job in source.json(file))
    if tracks:
        records.notes.append(f"{count_of(tracks, 'track')} over several frames in {file.name!r} not read")
    return found["tags"], found["shapes"]


def _entries(jobs: Sequence[Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, job in enumerate(jobs, start=1):
        for kind in ("tags", "shapes"):
            for place, entry in enumerate(sequence(mapping(job).get(kind)), start=1):
                yield kind, f"job {number}, {kind} {place}", mapping(entry)


def _take_boxes(
    records: Records, file: Path, record: Record, shapes: Sequence[dict[str, Any]], photo: dict[str, Any]
) -> None:
    size = [side if isinstance(side := photo.get(name), int) else 0 for name in ("width", "height")]
    for shape in shapes:
        points = [edge for edge in sequence(shape.get("points")) if isinstance(edge, int | float)]
        if text_of(shape.get("type")) not in _OUTLINES or shape.get("rotation"):
            records.left_out["a shape that is turned or no outline, which is not cut out"] += 1
        elif len(points) < 4 or len(points) % 2:
            refuse(records, file, f"image {record.number}", "a shape must have points with two numbers each")
        else:
            across, down = points[::2], points[1::2]
            box = Box(min(across), min(down), max(across), max(down), *size)
            records.records.append(replace(record, label=text_of(shape.get("label")), box=box))
