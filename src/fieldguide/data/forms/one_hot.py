"""A table with one column a class: Roboflow's ``_classes.csv``, ISIC, CelebA, ChestX-ray14, CheXpert.

With one 1 a row it holds labels, with several it holds tags. Of tags, an empty cell is not known where
absence is written in another way, and so is a -1 beside 0 (CheXpert's "uncertain"); where cells are 1 and -1,
as CelebA's, -1 is no.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fieldguide.data.forms.columns import TableColumns, find_columns, sample_text
from fieldguide.data.forms.embedded import describe
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.data.table_formats import Cells
from fieldguide.errors import DataError
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import Task

TITLE = "a table with one column a class, 1 where the image shows it: Roboflow, ISIC and others"

SEVERAL = "several classes in a row are tags (--task multiple reads them)"
NONE = "no class in the row"

_WRITTEN = frozenset({"0", "0.0", "false", "no"})
"""Words that write absence."""
_ONES, _ZEROS = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "-1", "false", "no", ""})
_SAMPLE = 200
_LEAST_SHARE = 0.01
"""Rows with several ones, among those with any, below which they are taken for slips and left out."""
_BESIDE = frozenset({"split", "group"})
"""Columns that are no classes, whatever they hold."""
_FEWEST = 2
"""TableColumns of zeros and ones that make a table one of this form."""


def recognise(source: DataSource) -> Sequence[Path]:
    """Tables whose columns beside the image are zeros and ones; Roboflow's come alone."""
    tables = [file for file in source.tables() if file.suffix.lower() not in (".json", ".txt")]
    # a table of photos has no paths; its cells are large
    tables = [file for file in tables if file.suffix.lower() != ".parquet" or describe(file) is None]
    fitting = [file for file in tables if _places(source, file)]
    return [file for file in fitting if file.name == "_classes.csv"] or fitting


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one class of each row; the folder or the name of a table may be its split."""
    splits = {file: split_of(file.parent.name) or split_of(file.stem) for file in files}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    return joined([_read_one(source, file, splits[file] or "" if apart else "") for file in files])


@dataclass(frozen=True)
class _Places:
    """The columns of a table by their places."""

    path: int
    classes: list[int]
    columns: TableColumns
    """What else was found: splits and groups."""

    def beside(self, row: Sequence[object]) -> dict[str, str]:
        """The split and the group of a row, where there are such columns."""
        places = {"split": self.columns.split, "group": self.columns.group}
        return {
            name: sample_text(row[place]).strip() if place < len(row) else ""
            for name, place in places.items()
            if place is not None and place not in self.classes
        }


def _places(source: DataSource, file: Path) -> _Places | None:
    """Where what stands in a table; None if it is no such table."""
    try:
        cells = source.cells(file)
        columns = find_columns(cells, partial(source.exists, file), source.options.columns, file)
    except DataError:
        return None
    if columns is None or columns.found == 0 or not columns.has_header:
        return None
    sample = cells.head(_SAMPLE)
    classes = [
        place
        for place, name in enumerate(cells.header)
        if place != columns.path and name.strip().lower() not in _BESIDE and _is_flag(sample, place)
    ]
    others = [place for place in range(len(cells.header)) if place != columns.path and place not in classes]
    plain = source.options.label_column is not None or columns.label in others
    return None if plain or len(classes) < _FEWEST else _Places(columns.path, classes, columns)


def _is_flag(sample: Sequence[Sequence[object]], place: int) -> bool:
    values = {sample_text(row[place]).strip().lower() for row in sample if place < len(row)}
    return bool(values) and values <= _ONES | _ZEROS


def _read_one(source: DataSource, file: Path, split: str) -> Records:
    found = _places(source, file)
    if found is None:
        raise DataError(
            f"{file}: the table must have one column of 0 and 1 a class, got others; see docs/data.md"
        )
    cells = source.cells(file)
    records = Records("", source.base, has_splits=bool(split), classes=_classes(cells, found.classes))
    records.has_splits = records.has_splits or "split" in found.beside(())
    records.has_groups = "group" in found.beside(())
    not_known = _not_known(cells, found.classes)
    for number, row in enumerate(cells.records(), start=1):
        path = sample_text(row[found.path]) if found.path < len(row) else ""
        record = Record(number, source.name_in(file, path) if path else "")
        beside = found.beside(row)
        record = replace(record, split=split or beside.get("split", ""), group=beside.get("group", ""))
        _take(records, record, [_word(row, place) for place in found.classes], not_known)
    _decide(records, not_known)
    images, classes = count_of(len(records.tagged), "image"), count_of(len(records.classes), "class")
    ones = len(records.records)
    name = source.name_in(file, file.name)
    records.said = f"table {name!r} with one column a class: {images} of {classes}, {ones} with one"
    records.notes.extend(cells.notes)
    return records


def _classes(cells: Cells, places: Sequence[int]) -> tuple[str, ...]:
    return tuple(cells.header[place].strip() for place in places)


def _word(row: Sequence[object], place: int) -> str:
    return sample_text(row[place]).strip().lower() if place < len(row) else ""


def _not_known(cells: Cells, places: Sequence[int]) -> frozenset[str]:
    """The words that say that nobody knows; they depend on how absence is written."""
    seen = {_word(row, place) for row in cells.records() for place in places}
    written = seen & _WRITTEN
    return frozenset(({""} if written or "-1" in seen else set()) | ({"-1"} if written else set())) & seen


def _take(records: Records, record: Record, words: Sequence[str], not_known: frozenset[str]) -> None:
    named = list(zip(records.classes, words, strict=True))
    ones = [name for name, word in named if word in _ONES]
    if len(ones) == 1 and not not_known.intersection(words):
        records.keep(replace(record, label=ones[0]))
        return
    tags = Tags.of(ones, (name for name, word in named if word in not_known))
    if len(ones) == 1:
        records.records.append(replace(record, label=ones[0]))
        records.tagged.append(replace(record, tags=tags))
    else:
        records.leave_out_as_single(record, tags, SEVERAL if ones else NONE)


def _decide(records: Records, not_known: frozenset[str]) -> None:
    """Tags where rows with several ones are no rare slip."""
    several = records.left_out[SEVERAL]
    if several > _LEAST_SHARE * (len(records.records) + several):
        records.task = Task.MULTIPLE
        if not_known:
            words = " and ".join("empty cells" if word == "" else word for word in sorted(not_known))
            records.notes.append(f"{words}: taken as not known, since absence is written in another way")
