"""Oxford-IIIT Pet: lists of stem, class number, species and breed number; the breed stands in the stem.

https://www.robots.ox.ac.uk/~vgg/data/pets/
"""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from fieldguide.data.forms.academic.text_lists import lines_of, refuse_line
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of

TITLE = "Oxford-IIIT Pet: annotations/trainval.txt and test.txt over images in one folder"

_SPLITS = {"trainval.txt": "train", "test.txt": "test"}
_WHOLE = "list.txt"
_LINE = re.compile(r"(?P<stem>\S.*?)\s+(?P<number>\d+)\s+[12]\s+\d+")
_BREED = re.compile(r"(?P<breed>.*\D)_\d+")


def recognise(source: DataSource) -> Sequence[Path]:
    """The lists of the split; where there is none, the list of all images."""
    found = [file for file in source.files(".txt") if file.name in (*_SPLITS, _WHOLE) and _fits(file)]
    return [file for file in found if file.name != _WHOLE] or found


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The breed of each image, else its class number."""
    whole = joined([_read_one(source, file) for file in files])
    breeds = {record.label for record in whole.records}
    whole.said = (
        f"Oxford-IIIT Pet's lists: {count_of(len(whole.records), 'image')}, {count_of(len(breeds), 'breed')}"
    )
    return whole


def _fits(file: Path) -> bool:
    """Whether most of the first lines are of this form; a damaged one among them is refused when read."""
    first = [bool(_LINE.fullmatch(line)) for _, line in islice(lines_of(file), 10)]
    return 2 * sum(first) > len(first)


def _read_one(source: DataSource, file: Path) -> Records:
    split = _SPLITS.get(file.name, "")
    records = Records("", source.base, has_splits=bool(split))
    root = file.parent.parent if file.parent.name == "annotations" else file.parent
    for number, line in lines_of(file):
        found = _LINE.fullmatch(line)
        if found is None:
            refuse_line(records, file, number, line, "stem, class number, species (1 or 2) and breed number")
            continue
        breed = _BREED.fullmatch(found["stem"])
        name = source.name_in(root / "images", f"images/{found['stem']}.jpg")
        records.records.append(Record(number, name, breed["breed"] if breed else found["number"], split))
    return records
