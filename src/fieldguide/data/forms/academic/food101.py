"""Food-101: the split as lists of ``class/number`` in ``meta``, the images in ``images/class``.

https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fieldguide.data.forms.academic.text_lists import lines_of
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.errors import DataError, Refusal

TITLE = "Food-101: meta/train.json and test.json, or .txt, over images in class folders"


def recognise(source: DataSource) -> Sequence[Path]:
    """Lists of a split in a folder ``meta`` that has ``images`` beside it; of one as both, the JSON."""
    found = [file for file in source.files(".json", ".txt") if _is_list(file)]
    return [file for file in found if file.suffix == ".json"] or found


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The class that each entry begins with."""
    whole = joined([_read_one(source, file) for file in files])
    names = " and ".join(file.name for file in files)
    whole.said = f"Food-101's {names}: {count_of(len(whole.records), 'image')}"
    return whole


def _is_list(file: Path) -> bool:
    return (
        split_of(file.stem) is not None
        and file.parent.name == "meta"
        and (file.parent.parent / "images").is_dir()
    )


def _entries(source: DataSource, file: Path) -> Iterator[tuple[int, object]]:
    if file.suffix == ".txt":
        yield from lines_of(file)
        return
    value = source.json(file)
    if not isinstance(value, dict):
        raise DataError(f"{file}: it must be an object of class to list, got {type(value).__name__}")
    groups = [paths if isinstance(paths, list) else [paths] for paths in value.values()]
    yield from enumerate((entry for group in groups for entry in group), start=1)


def _read_one(source: DataSource, file: Path) -> Records:
    records = Records("", source.base, has_splits=True)
    root = file.parent.parent
    for number, entry in _entries(source, file):
        label, slash, image = entry.rpartition("/") if isinstance(entry, str) else ("", "", "")
        if not slash or not label or not image:
            said = f"the entry must be class/number, got {str(entry)[:60]!r}"
            records.refused.append(Refusal(f"{file}, entry {number}", "damaged_row", said))
            continue
        name = source.name_in(root / "images", f"images/{entry}.jpg")
        records.records.append(Record(number, name, label, file.stem))
    return records
