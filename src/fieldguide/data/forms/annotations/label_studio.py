"""Exports of Label Studio: JSON, JSON-MIN and CSV of an image classification project.

https://labelstud.io/guide/export#Export-formats: JSON has a task an entry with all its annotations; JSON-MIN
and CSV have an annotation an entry, so what several annotators said of a task stands in several.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.data.forms.columns import sample_text
from fieldguide.data.forms.entries import (
    chosen_field,
    mapping,
    objects,
    refuse,
    sequence,
    text_of,
)
from fieldguide.data.forms.records import Record, Records, joined, majority
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError
from fieldguide.tasks.tags import Tags

TITLE = "Label Studio: an export as JSON, JSON-MIN or CSV"

SEVERAL = "several choices in a task are tags (--task multiple reads them)"
TIE = "annotators tie"
PREDICTED = "predictions only, no annotation"
NOTHING = "no annotation that counts: skipped, cancelled or not done"
_OWN = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "history"}
)
"""Fields of JSON-MIN and CSV that Label Studio itself writes."""
_CERTAIN = frozenset({"id", "annotator", "annotation_id"})
_IMAGE_KEYS = ("image", "img", "photo", "picture", "url", "file")
_LOOKED_AT = 20
_NAMED = 10


@dataclass
class _Task:
    number: int
    image: str
    answers: list[list[str]] = field(default_factory=list)
    """The choices of each annotator who made some."""
    without: str = NOTHING
    """Why there is no answer, if there is none."""
    empty: int = 0
    """Annotators who submitted none of the choices; as tags, that is an answer."""


def recognise(source: DataSource) -> Sequence[Path]:
    """The JSON files that hold tasks or annotations, and the tables that Label Studio's columns name."""
    found = [file for file, value in source.json_files() if _is_full(value) or _is_minimal(value)]
    return found + [file for file in source.files(".csv", ".tsv") if _is_table(source, file)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one choice of each task; of several annotators, the choice of most."""
    return joined([_read_one(source, file) for file in files])


def _head(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in sequence(value)[:_LOOKED_AT] if isinstance(entry, dict)]


def _is_full(value: Any) -> bool:
    return any(
        isinstance(task.get("data"), dict) and isinstance(task.get("annotations"), list)
        for task in _head(value)
    )


def _is_minimal(value: Any) -> bool:
    return any(entry.keys() >= _CERTAIN and _image(entry) is not None for entry in _head(value))


def _is_table(source: DataSource, file: Path) -> bool:
    try:
        return set(source.cells(file).header) >= _CERTAIN
    except DataError:
        return False


def _read_one(source: DataSource, file: Path) -> Records:
    records = Records("", source.base)
    if file.suffix.lower() != ".json":
        tasks, noun = _minimal(_rows(source, file), source, file, records), "CSV export"
    elif _is_full(source.json(file)):
        tasks, noun = _full(source, file, records), "export"
    else:
        entries = objects(source.json(file), records, file, "task")
        tasks, noun = _minimal(entries, source, file, records), "JSON-MIN export"
    ties: list[str] = []
    for task in tasks:
        _take(source, file, records, task, ties)
    if ties:
        more = ", …" if len(ties) > _NAMED else ""
        records.notes.append(f"annotators tie on {', '.join(ties[:_NAMED])}{more}; left out")
    skipped = sum(records.left_out.values())
    records.said = (
        f"Label Studio {noun} {file.name!r}: {count_of(len(tasks), 'task')}, {len(records.records)} with one "
        "choice" + (f", {skipped} left out" if skipped else "")
    )
    return records


def _take(source: DataSource, file: Path, records: Records, task: _Task, ties: list[str]) -> None:
    if not task.answers and task.empty:
        record = Record(task.number, source.name_in(file, _local(task.image)))
        records.leave_out_as_single(record, Tags(), task.without)
    elif not task.answers:
        records.left_out[task.without] += 1
    elif any(len(answer) > 1 for answer in task.answers):
        counts = Counter(label for answer in task.answers for label in set(answer))
        tags = Tags.of(label for label, count in counts.items() if 2 * count > len(task.answers) + task.empty)
        record = Record(task.number, source.name_in(file, _local(task.image)))
        records.leave_out_as_single(record, tags, SEVERAL)
    else:
        label = majority([answer[0] for answer in task.answers])
        if label is None:
            records.left_out[TIE] += 1
            said = " or ".join(dict.fromkeys(answer[0] for answer in task.answers))
            ties.append(f"{task.image!r} ({said})")
        else:
            records.keep(Record(task.number, source.name_in(file, _local(task.image)), label))


def _image(data: dict[str, Any]) -> str | None:
    """The image among the fields of a task: the usual name, else the only text with a slash or a dot."""
    for key in _IMAGE_KEYS:
        if isinstance(data.get(key), str) and data[key]:
            return str(data[key])
    paths = [
        value
        for key, value in data.items()
        if key not in _OWN and isinstance(value, str) and ("/" in value or "." in value)
    ]
    return paths[0] if len(paths) == 1 else None


def _local(image: str) -> str:
    """The path behind Label Studio's own addresses: ``/data/upload/1/…`` and ``/data/local-files/?d=…``."""
    for prefix in ("/data/local-files/?d=", "/data/"):
        if image.startswith(prefix):
            return image.removeprefix(prefix)
    return image


def _full(source: DataSource, file: Path, records: Records) -> list[_Task]:
    """JSON: a task an entry."""
    entries = list(objects(source.json(file), records, file, "task"))
    controls = dict.fromkeys(
        name for _, task in entries for answer in _annotations(task) for name, _ in _results(answer)
    )
    control = chosen_field(controls, source, file, "choice") if controls else ""
    tasks = []
    for number, entry in entries:
        image = _image(mapping(entry.get("data")))
        if image is None:
            refuse(records, file, f"task {number}", "the task names no image")
            continue
        chosen = [
            [choice for name, choices in _results(answer) if name == control for choice in choices]
            for answer in _annotations(entry)
        ]
        only_predicted = bool(entry.get("predictions")) and not entry.get("annotations")
        answers = [answer for answer in chosen if answer]
        without = PREDICTED if only_predicted else NOTHING
        tasks.append(_Task(number, image, answers, without, len(chosen) - len(answers)))
    return tasks


def _annotations(task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What annotators gave; who cancelled or skipped gave nothing."""
    for annotation in sequence(task.get("annotations")):
        if isinstance(annotation, dict) and not (
            annotation.get("was_cancelled") or annotation.get("skipped")
        ):
            yield annotation


def _results(annotation: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The choices of an annotation, with the name of the control that each was made in."""
    for result in sequence(annotation.get("result")):
        if isinstance(result, dict) and result.get("type") == "choices":
            choices = sequence(mapping(result.get("value")).get("choices"))
            texts = [choice for choice in choices if isinstance(choice, str) and choice]
            if texts:
                yield text_of(result.get("from_name")), texts


def _rows(source: DataSource, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    cells = source.cells(file)
    for number, row in enumerate(cells.records(), start=1):
        yield number, dict(zip(cells.header, map(sample_text, row), strict=False))


def _minimal(
    entries: Iterable[tuple[int, dict[str, Any]]], source: DataSource, file: Path, records: Records
) -> list[_Task]:
    """JSON-MIN and CSV: an annotation an entry; those of one task are brought together by its number."""
    all_entries = list(entries)
    choice = _choice_field([entry for _, entry in all_entries], source, file)
    tasks: dict[str, _Task] = {}
    for number, entry in all_entries:
        image = _image({key: value for key, value in entry.items() if key != choice})
        if image is None:
            refuse(records, file, f"task {number}", "the task names no image")
            continue
        task = tasks.setdefault(text_of(entry.get("id")) or image, _Task(number, image))
        answer = _chosen(entry.get(choice))
        if answer:
            task.answers.append(answer)
    return list(tasks.values())


def _choice_field(entries: Sequence[dict[str, Any]], source: DataSource, file: Path) -> str:
    """The field that stands under the name that the project gave its choice."""
    images = {key for key in _IMAGE_KEYS if any(key in entry for entry in entries)}
    fields = {
        key: None
        for entry in entries
        for key, value in entry.items()
        if key not in _OWN and key not in images and isinstance(key, str) and _chosen(value)
    }
    if not images:
        paths = {key for key in fields if any("/" in str(entry.get(key)) for entry in entries)}
        fields = {key: None for key in fields if key not in paths}
    return chosen_field(fields, source, file, "field") if fields else ""


def _chosen(value: Any) -> list[str]:
    """One choice is a text; several are an object, in CSV written as JSON."""
    if isinstance(value, str) and value.startswith('{"choices"'):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, dict):
        return [choice for choice in sequence(value.get("choices")) if isinstance(choice, str) and choice]
    return [value] if isinstance(value, str) and value else []
