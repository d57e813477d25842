"""Which column of a table names the images, and which holds labels, splits and groups.

The column of paths is the one whose cells are images that exist; the column of labels is the one that a
person named, else the one that is called as the field calls it, else the only one left whose values repeat.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.data.cells import text_of
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.data.split_names import split_of
from fieldguide.data.table_formats import Cells
from fieldguide.errors import DataError

NAMES: dict[str, tuple[str, ...]] = {
    "path": (
        *(
            "path",
            "image",
            "file",
            "filename",
            "file_name",
            "filepath",
            "file_path",
            "image_path",
            "img_path",
        ),
        *(
            "imagepath",
            "image_name",
            "img",
            "img_name",
            "image_id",
            "imageid",
            "photo",
            "picture",
            "relativepath",
        ),
        *("id", "id_code", "isic_id", "uuid", "name"),
    ),
    "label": (
        *(
            "label",
            "class",
            "class_name",
            "label_name",
            "category",
            "category_name",
            "breed",
            "species",
            "variety",
        ),
        *(
            "diagnosis",
            "dx",
            "finding",
            "choice",
            "target",
            "tag",
            "annotation",
            "ground_truth",
            "scientificname",
        ),
        *(
            "common_name",
            "disease",
            "material",
            "grade",
            "y",
            "class_id",
            "label_id",
            "classid",
            "category_id",
            "labels",
            "tags",
        ),
    ),
    "split": ("split", "subset", "partition", "fold_name", "data set", "dataset", "usage", "set"),
    "group": (
        *(
            "group",
            "patient",
            "patient_id",
            "patientid",
            "subject",
            "subject_id",
            "site",
            "camera",
            "camera_id",
        ),
        *(
            "deployment",
            "deploymentid",
            "sequence",
            "sequence_id",
            "seq_id",
            "video",
            "video_id",
            "lesion_id",
        ),
    ),
}
"""What a column may be called, in lower case, the preferred first."""

_SAMPLE = 200
_MOST_LABEL_SHARE = 0.5
"""A column that names classes repeats: at most this share of its values may be distinct."""


@dataclass(frozen=True)
class TableColumns:
    """The places of the columns, from 0; None where a table has none."""

    path: int
    label: int | None = None
    split: int | None = None
    group: int | None = None
    has_header: bool = True
    """Whether the first record names the columns; else it is the first row."""
    found: float = 0.0
    """The share of the rows looked at whose image exists."""
    doubts: tuple[Doubt, ...] = field(default=())
    """TableColumns that neither a person nor a usual name tells, or that several names tell."""


def find_columns(
    cells: Cells,
    exists: Callable[[str], bool],
    named: dict[str, str | None],
    file: Path,
    exists_by_number: Callable[[str], bool] | None = None,
) -> TableColumns | None:
    """Find out what the columns hold.

    Parameters
    ----------
    cells : Cells
        The table.
    exists : callable
        Whether a name is that of an image.
    named : dict
        The columns that a person named: `path`, `label`, `split`, `group`; None or absent where not.
    file : Path
        The table's file, for messages.
    exists_by_number : callable, optional
        Whether a number is that of an image but for zeros before it; asked only of columns that are called as
        those of images are, where no column names any.

    Returns
    -------
    TableColumns or None
        None if no column names images, neither by its own name nor by its cells.

    Raises
    ------
    DataError
        If a column that a person named does not exist.
    """
    header = [name.strip() for name in cells.header]
    places = {what: _place(header, name, what, file) for what, name in named.items() if name is not None}
    sample = cells.head(_SAMPLE)
    rates = _rates(header, sample, exists)
    if exists_by_number is not None and not any(rates):
        for place in _named_places(header, "path"):
            rates[place] = _rate(sample, place, exists_by_number)
    path = places.get("path", _path_place(header, rates))
    if path is None:
        return None
    if _is_row(cells, header, path, exists) and "path" not in places:
        return _without_header(cells, path, rates[path])
    taken = {place for what, place in places.items()} | {path}
    split = _optional(
        header,
        "split",
        places,
        taken,
        lambda place: header[place].lower() == "split" or _is_split(sample, place),
    )
    group = _optional(header, "group", places, taken, lambda place: True)
    label, doubts = _label_place(header, sample, places, taken)
    return TableColumns(path, label, split, group, found=rates[path], doubts=doubts)


def _place(header: Sequence[str], name: str, what: str, file: Path) -> int:
    lower = [column.lower() for column in header]
    if name.strip().lower() in lower:
        return lower.index(name.strip().lower())
    got = ", ".join(repr(column) for column in header[:12]) + (", …" if len(header) > 12 else "")
    raise DataError(f"{file}: --{what}-column must be one of its columns, which are {got}; got {name!r}")


def sample_text(cell: Any) -> str:
    """A cell as text where columns are told apart; what is no text is empty.

    Examples
    --------
    >>> sample_text(3), sample_text(["a"])
    ('3', '')
    """
    try:
        return text_of(cell)
    except ValueError:
        return ""


def _exists(cell: Any, exists: Callable[[str], bool]) -> bool:
    text = sample_text(cell)
    return bool(text) and exists(text)


def _rate(sample: Sequence[Sequence[Any]], place: int, exists: Callable[[str], bool]) -> float:
    """The share of rows whose cell is an image."""
    hits = sum(_exists(row[place], exists) for row in sample if place < len(row))
    return hits / len(sample) if sample else 0.0


def _rates(
    header: Sequence[str], sample: Sequence[Sequence[Any]], exists: Callable[[str], bool]
) -> list[float]:
    """The share of images in each column; where one that is called so has only images, none elsewhere.

    Whether a word such as a label is an image can only be told once all files are known, which costs seconds
    where there are a million: so the columns that are most likely are looked at first.
    """
    rates = [0.0] * len(header)
    for place in _named_places(header, "path"):
        rates[place] = _rate(sample, place, exists)
        if rates[place] == 1.0:
            return rates
    return [rate or _rate(sample, place, exists) for place, rate in enumerate(rates)]


def _is_row(cells: Cells, header: Sequence[str], path: int, exists: Callable[[str], bool]) -> bool:
    """Whether what could be a header is an image as well."""
    if cells.header_is_certain or path in _named_places(header, "path"):
        return False
    return _exists(cells.header[path], exists)


def _path_place(header: Sequence[str], rates: Sequence[float]) -> int | None:
    """The column with the most images; where none has any, the one that is called so."""
    by_name = _named_places(header, "path")
    order = [*by_name, *(place for place in range(len(header)) if place not in by_name)]
    best = max(order, key=lambda place: (rates[place], -order.index(place)), default=None)
    if best is not None and rates[best] > 0:
        return best
    certain = [place for place in by_name if header[place].lower() not in ("id", "uuid", "name", "y")]
    return next(iter(certain), None)


def _named_places(header: Sequence[str], what: str) -> list[int]:
    lower = [name.lower().replace(" ", "_").replace("-", "_") for name in header]
    return [lower.index(name) for name in NAMES[what] if name in lower]


def _without_header(cells: Cells, path: int, found: float) -> TableColumns:
    """A table whose first line is an image: what is left holds the label, and perhaps a split."""
    sample = [cells.header, *cells.head(_SAMPLE)]
    rest = [place for place in range(len(cells.header)) if place != path]
    split = next((place for place in rest if _is_split(sample, place)), None)
    labels = [place for place in rest if place != split]
    label = next((place for place in labels if _repeats(sample, place)), next(iter(labels), None))
    said = f"its first line is an image, so column {path + 1} was taken for the paths"
    if label is not None:
        said += f" and column {label + 1} for the labels"
    said += "; name the columns in a first line if others are meant"
    return TableColumns(
        path, label, split, None, has_header=False, found=found, doubts=(Doubt("column_guessed", said),)
    )


def _optional(
    header: Sequence[str],
    what: str,
    places: dict[str, int],
    taken: set[int],
    holds: Callable[[int], bool],
) -> int | None:
    """A column that a person named, or one that is called so and holds such values."""
    usual = (place for place in _named_places(header, what) if place not in taken and holds(place))
    place = places.get(what, next(usual, None))
    if place is not None:
        taken.add(place)
    return place


def _is_split(sample: Sequence[Sequence[Any]], place: int) -> bool:
    values = {sample_text(row[place]).strip().lower() for row in sample if place < len(row)} - {""}
    return bool(values) and all(map(split_of, values))


def _label_place(
    header: Sequence[str], sample: Sequence[Sequence[Any]], places: dict[str, int], taken: set[int]
) -> tuple[int | None, tuple[Doubt, ...]]:
    if "label" in places:
        return places["label"], ()
    usual = [place for place in _named_places(header, "label") if place not in taken]
    if usual:
        others = [place for place in usual[1:] if not _same(sample, usual[0], place)]
        return usual[0], _several(header, usual[0], others)
    left = [place for place in range(len(header)) if place not in taken and _repeats(sample, place)]
    if len(left) != 1:
        return None, ()
    said = f"the column {header[left[0]]!r} was taken for the labels, since no other repeats few values"
    return left[0], (Doubt("column_guessed", f"{said}; say --label-column if another one is meant"),)


def _several(header: Sequence[str], taken: int, others: Sequence[int]) -> tuple[Doubt, ...]:
    if not others:
        return ()
    names = ", ".join(repr(header[place]) for place in (taken, *others))
    said = f"{len(others) + 1} columns may mean the label ({names}); {header[taken]!r} was taken"
    return (Doubt("column_guessed", f"{said}, say --label-column if it is another one"),)


def _same(sample: Sequence[Sequence[Any]], first: int, second: int) -> bool:
    """Whether two columns say the same in other words, as a class's number and its name."""
    pairs = {
        (sample_text(row[first]), sample_text(row[second])) for row in sample if max(first, second) < len(row)
    }
    return len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


def _repeats(sample: Sequence[Sequence[Any]], place: int) -> bool:
    """Whether a column's values look like classes: two or more, and few beside the rows."""
    values = [sample_text(row[place]) for row in sample if place < len(row)]
    distinct = len(set(values) - {""})
    return 2 <= distinct <= max(2, _MOST_LABEL_SHARE * len(values))
