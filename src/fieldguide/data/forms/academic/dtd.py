"""Describable Textures Dataset: ten splits as lists of ``class/image`` in ``labels``; the first is used.

https://www.robots.ox.ac.uk/~vgg/data/dtd/
"""

from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.forms.academic.text_lists import lines_of, refuse_line
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of

TITLE = "DTD: labels/train1.txt, val1.txt and test1.txt over images in class folders"

_PARTS = {"train": "train", "val": "validation", "test": "test"}


def recognise(source: DataSource) -> Sequence[Path]:
    """The lists of the first split, in a folder that has ``images`` beside it."""
    named = [file for file in source.files("1.txt") if file.name in {f"{part}1.txt" for part in _PARTS}]
    return [file for file in named if (file.parent.parent / "images").is_dir()]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The class folder of each image of the first split."""
    whole = joined([_read_one(source, file) for file in files])
    others = len(list(files[0].parent.glob("train[0-9]*.txt")))
    whole.said = f"DTD's lists: {count_of(len(whole.records), 'image')} of split 1"
    if others > 1:
        whole.notes.append(f"there are {others} splits, and the first is used; for another, give its lists")
    return whole


def _read_one(source: DataSource, file: Path) -> Records:
    records = Records("", source.base, has_splits=True)
    part = _PARTS[file.stem.removesuffix("1")]
    for number, line in lines_of(file):
        label, slash, image = line.rpartition("/")
        if not slash or not label or not image:
            refuse_line(records, file, number, line, "class/image")
        else:
            name = source.name_in(file.parent, f"images/{line}")
            records.records.append(Record(number, name, label, part))
    return records
