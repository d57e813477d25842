"""Open Images: tables of labels that people confirmed or denied, and one of the classes' names.

https://storage.googleapis.com/openimages/web/download_v7.html: ``ImageID,Source,LabelName,Confidence``, where
the confidence of a label that a person denied is 0; the classes' names stand in ``…class-descriptions.csv``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.data.forms.columns import sample_text
from fieldguide.data.forms.entries import ImageFolders, add_one, refuse, splits_of
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "Open Images: tables with ImageID, Source, LabelName and Confidence, and class-descriptions.csv"

_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence")
_SUFFIXES = (".jpg", ".jpeg", ".png")
_WITHOUT = "no label that a person confirmed"


@dataclass
class _Counts:
    denied: int = 0
    machine: int = 0
    labels: dict[str, list[str]] = field(default_factory=dict)
    """Confirmed labels by image."""


def recognise(source: DataSource) -> Sequence[Path]:
    """The tables with Open Images' columns; where some are of whole images, not those of boxes."""
    found = [file for file in source.files(".csv") if set(_header(source, file)) >= set(_COLUMNS)]
    of_images = [file for file in found if "XMin" not in _header(source, file)]
    return of_images or found


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one class of each image that a person confirmed."""
    names = _class_names(source)
    splits = splits_of(files)
    whole = joined([_read_one(source, file, splits[file], names) for file in files])
    if not names:
        whole.notes.append("no class-descriptions.csv found: classes keep their identifiers (/m/01yrx)")
    return whole


def _header(source: DataSource, file: Path) -> tuple[str, ...]:
    try:
        return tuple(name.strip() for name in source.cells(file).header)
    except DataError:
        return ()


def _class_names(source: DataSource) -> dict[str, str]:
    """Names by identifier, from all tables of classes below DATA; some have a header, some have none."""
    names: dict[str, str] = {}
    for path in map(Path, source.scan.label_files):
        if "class-descriptions" in path.name and path.suffix.lower() == ".csv":
            cells = source.cells(path)
            rows = [cells.header, *cells.records()]
            names.update((sample_text(row[0]), sample_text(row[1])) for row in rows if len(row) > 1)
    return {identifier: name for identifier, name in names.items() if identifier and name}


def _read_one(source: DataSource, file: Path, split: str, names: dict[str, str]) -> Records:
    records = Records("", source.base, has_splits=bool(split))
    counts = _counted(source, file, records)
    words = (file.name.partition("-")[0], split)
    beside = [
        f"{above}{word}" for word in dict.fromkeys(words) if word for above in ("", "../", "../images/")
    ]
    folders = ImageFolders(source, file, (".", *beside, "images", "data", "../images", "../data", ".."))
    for number, (image, labels) in enumerate(counts.labels.items(), start=1):
        record = Record(number, folders.name(image, _SUFFIXES), split=split)
        add_one(records, record, (names.get(label, label) for label in labels), _WITHOUT)
    records.said = (
        f"Open Images table {source.name_in(file, file.name)!r}: {count_of(len(counts.labels), 'image')}, "
        f"{len(records.records)} with one class"
    )
    if counts.denied:
        records.notes.append(f"{count_of(counts.denied, 'label')} that people denied (confidence 0) not used")
    if counts.machine:
        records.notes.append(
            f"{count_of(counts.machine, 'label')} of a machine, verified by nobody, not used"
        )
    return records


def _counted(source: DataSource, file: Path, records: Records) -> _Counts:
    places = [_header(source, file).index(name) for name in _COLUMNS]
    counts = _Counts()
    for number, row in enumerate(source.cells(file).records(), start=1):
        texts = [sample_text(row[place]).strip() if place < len(row) else "" for place in places]
        image, by, label, confidence = texts
        sure = _number(confidence)
        if not image or not label or sure is None:
            message = f"need ImageID, LabelName and a confidence of 0 to 1, got {confidence[:40]!r}"
            refuse(records, file, f"row {number}", message)
            continue
        labels = counts.labels.setdefault(image, [])
        if by == "machine":
            counts.machine += 1
        elif sure == 0:
            counts.denied += 1
        else:
            labels.append(label)
    return counts


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None
