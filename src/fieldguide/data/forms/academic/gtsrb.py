"""German Traffic Sign Recognition Benchmark: a table a class for training, one for the test set.

https://benchmark.ini.rub.de/gtsrb_dataset.html ; on Kaggle it has Train.csv and Test.csv with a path a row.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.forms.columns import sample_text
from fieldguide.data.forms.label_names import named
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError, Refusal

TITLE = "GTSRB: GT-00000.csv in each class folder and GT-final_test.csv, or Kaggle's Train.csv and Test.csv"

_NAME = re.compile(r"GT-(?P<class>\d{5}|final_test(?:\.test)?)\.csv", re.IGNORECASE)
_KAGGLE = {"train.csv": "train", "test.csv": "test"}
_PLACES = ("Filename", "Path")
_LABEL, _MARK = "ClassId", "Roi.X1"
_TRACK = re.compile(r"(?:^|[/\\])(?:\d+_)?(?P<track>\d{5})_\d{5}\.\w+$")


def recognise(source: DataSource) -> Sequence[Path]:
    """Tables that are called so, and have the columns; of a test set told twice, the one with classes."""
    named_so = [
        file for file in source.files(".csv") if _NAME.fullmatch(file.name) or _is_kaggle(source, file)
    ]
    with_classes = [file for file in named_so if _LABEL in _columns(source, file)]
    return with_classes if any(_split(file) == "train" for file in with_classes) or source.file else []


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The class number of each image, by name where a list beside has names; frames of a sign are a group."""
    splits = {_split(file) for file in files}
    whole = joined([_read_one(source, file, apart=len(splits) > 1) for file in files])
    names, listed = named({record.label for record in whole.records}, (source.base,))
    if names:
        whole.records = [
            Record(entry.number, entry.name, names.get(entry.label, entry.label), entry.split, entry.group)
            for entry in whole.records
        ]
        whole.notes.append(f"numbers got their names from {Path(listed).name!r}")
    classes = len({record.label for record in whole.records})
    whole.said = (
        f"GTSRB's tables: {count_of(len(whole.records), 'image')} of {count_of(classes, 'class')} in "
        f"{count_of(len(files), 'table')}; the frames of one sign stay together"
    )
    return whole


def _columns(source: DataSource, file: Path) -> list[str]:
    try:
        return [name.strip() for name in source.cells(file).header]
    except DataError:
        return []


def _is_kaggle(source: DataSource, file: Path) -> bool:
    return file.name.lower() in _KAGGLE and {_MARK, "Path"} <= {*_columns(source, file)}


def _split(file: Path) -> str:
    found = _NAME.fullmatch(file.name)
    if found is None:
        return _KAGGLE[file.name.lower()]
    return "test" if "test" in found["class"].lower() else "train"


def _read_one(source: DataSource, file: Path, *, apart: bool) -> Records:
    header = _columns(source, file)
    place = next((header.index(name) for name in _PLACES if name in header), None)
    if place is None or _LABEL not in header:
        raise DataError(f"{file}: it must have the columns Filename and {_LABEL}, got {header[:9]}")
    split = _split(file)
    records = Records("", source.base, has_splits=apart, has_groups=True)
    for number, row in enumerate(source.cells(file).records(), start=1):
        texts = [
            sample_text(row[at]).strip() if at < len(row) else "" for at in (place, header.index(_LABEL))
        ]
        if not all(texts) or not texts[1].isdecimal():
            said = (
                f"the row must have a file name and a class number, got {texts[0][:40]!r}, {texts[1][:9]!r}"
            )
            records.refused.append(Refusal(f"{file}, row {number}", "damaged_row", said))
            continue
        track = _TRACK.search(texts[0]) if split == "train" else None
        group = f"{texts[1]}/{track['track']}" if track else ""
        name = source.name_in(file, texts[0])
        records.records.append(Record(number, name, texts[1], split if apart else "", group))
    return records
