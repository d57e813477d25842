"""Frames of pandas and polars, Hugging Face data sets and lists as DATA: no such library is imported.

A frame is known by the package that its class comes from, since it can only exist where that is imported
already. Columns are found as in tables (:mod:`fieldguide.data.forms.columns`). A cell of the images may be a
path, from the current folder or absolute; the bytes of an image file, alone or with a `path` beside; or a
Pillow image. A pair ``(paths, labels)`` of lists, or ``(paths, labels, groups)``, is read as such a frame.
"""

import functools
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeGuard

from PIL import Image

from fieldguide.data.cells import text_of, word_of
from fieldguide.data.embedded_images import ImageFolder, is_image, parts_of
from fieldguide.data.forms.columns import TableColumns, find_columns
from fieldguide.data.forms.listing import Listing
from fieldguide.data.forms.tagging import TagCells, tag_cells
from fieldguide.data.options import DataOptions
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import SplitChoice
from fieldguide.data.table_formats import Cells
from fieldguide.errors import DataError, Refusal, RefusedInput
from fieldguide.images.decoding import open_image
from fieldguide.tasks.tags import Tags


class Frame(Protocol):
    """What frames have in common; which of them are read, :func:`is_frame` says."""

    def __getitem__(self, name: Any, /) -> Any:
        """A column, or a row."""

    def __len__(self) -> int:
        """Rows."""
        ...


_KINDS = {"pandas": ("DataFrame",), "polars": ("DataFrame",), "datasets": ("Dataset", "DatasetDict")}
"""Package to the classes that are read."""
_LAZY = {"LazyFrame": "call collect() first", "IterableDataset": "load it with streaming=False"}
_SPLIT = "split"
_KEPT_BACK = -1
"""What Hugging Face writes where a label is kept back."""
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True)
class FrameColumns:
    """What a frame says of its images, in columns of equal length."""

    title: str
    """What it is, for a person."""
    images: list[str | Refusal]
    """The file of each image; a refusal where a cell holds none."""
    labels: list[Any] | None
    """As given, or the name of a numbered class; None where no column holds labels."""
    tags: TagCells | None = None
    """How `labels` write tags; None where they are one label a row."""
    splits: list[str] | None = None
    groups: list[str] | None = None
    written: Path | None = None
    """The folder of images that stood in the frame; None where all are paths."""
    doubts: tuple[Doubt, ...] = field(default=())


def is_frame(value: Any) -> TypeGuard[Frame]:
    """Whether a value is a frame or a data set in memory rather than a path.

    Examples
    --------
    >>> is_frame("photos.csv"), is_frame({"path": ["a.jpg"]})
    (False, False)
    """
    return _package(value) in _KINDS or is_lists(value)


def is_lists(value: Any) -> bool:
    """Whether a value is a tuple of two or three lists: images, their labels, and if wanted their groups.

    Examples
    --------
    >>> is_lists((["a.jpg"], ["cat"])), is_lists(("a.jpg", "b.jpg"))
    (True, False)
    """
    return isinstance(value, tuple) and len(value) in (2, 3) and all(map(_is_list, value))


def _is_list(value: Any) -> bool:
    """Whether a value is a list, a tuple, an array or a column, which all have a length and are no text."""
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | os.PathLike | Mapping)


def read_frame(frame: Any, scratch: Callable[[], Path], options: DataOptions | None = None) -> FrameColumns:
    """Find the images, labels, splits and groups of a frame.

    Parameters
    ----------
    frame
        A frame of pandas or polars, or a `Dataset` or `DatasetDict` of Hugging Face.
    scratch
        Gives the temporary folder for images that stand in the frame; called once there is one.
    options
        Which column holds what; what is not said is found out.

    Raises
    ------
    DataError
        If the frame must be collected first, no column names images, or a cell is of a kind that is not read.
    """
    cells, title = _cells(frame), title_of(frame)
    named = (options or DataOptions()).columns
    columns = find_columns(cells, os.path.isfile, named, Path(title))
    if columns is None:
        got = ", ".join(map(repr, cells.header[:8])) or "none"
        raise DataError(
            f"{title}: a column must hold the images, such as path or image, got {got}; rename it"
        )
    found = _Reader(title, cells, columns, scratch).columns()
    if found.labels is None or columns.label is None:
        return found
    wanted = (options or DataOptions()).task
    return replace(found, tags=tag_cells(cells.header[columns.label], found.labels, wanted))


def frame_listing(columns: FrameColumns, splits: SplitChoice, *, unlabelled: bool) -> Listing:
    """The images of a frame that can be used, and a refusal for each other row.

    Parameters
    ----------
    columns : FrameColumns
        From :func:`read_frame`.
    splits : SplitChoice
        What the person says about splits.
    unlabelled : bool
        Keep rows without a label, with an empty one.

    Raises
    ------
    DataError
        If labels are needed and there is no such column.
    """
    if columns.labels is None and not unlabelled:
        raise DataError(
            f"{columns.title}: need a column of labels, such as label or class; say which with "
            "options=DataOptions(label_column=...)"
        )
    listing = Listing(os.fspath(columns.written or Path()), doubts=list(columns.doubts))
    listing.splits = [] if columns.splits is not None and not splits.ignored else None
    listing.groups = [] if columns.groups is not None else None
    listing.tags = [] if columns.tags is not None else None
    named = functools.cache(splits.split_of)
    for place, image in enumerate(columns.images):
        where = f"{columns.title}, row {place + 1}"
        cell = None if columns.labels is None else columns.labels[place]
        label = "" if columns.tags is not None else word_of(cell, where, "label")
        tags = None if columns.tags is None else columns.tags.read(cell, where)
        split = "" if columns.splits is None else named(columns.splits[place].strip()) or ""
        labelled = label or tags is not None or unlabelled
        problem = _problem(image, labelled, split or listing.splits is None, place + 1)
        if problem is not None:
            listing.refused.append(problem)
            continue
        listing.paths.append(str(image))
        listing.labels.append(label)
        if listing.tags is not None:
            listing.tags.append(tags or Tags())
        if listing.splits is not None:
            listing.splits.append(split)
        if listing.groups is not None and columns.groups is not None:
            listing.groups.append(columns.groups[place])
    listing.notes.append(
        f"{columns.title}: {count_of(len(columns.images), 'row')}, {len(listing.paths)} used"
    )
    return listing


def title_of(frame: Any) -> str:
    """What a frame is called in messages."""
    return "lists" if is_lists(frame) else f"{_package(frame)}.{type(frame).__name__}"


def _package(value: Any) -> str:
    """The package of a frame's class; empty for other values."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    return package if kind.__name__ in (*_KINDS.get(package, ()), *_LAZY) else ""


def _problem(image: str | Refusal, has_label: object, has_split: object, number: int) -> Refusal | None:
    """Why a row cannot be used."""
    if isinstance(image, Refusal):
        return image
    if not has_split:
        return Refusal(image, "unknown_split", f"row {number}: split must name train, validation or test")
    if not has_label:
        return Refusal(image, "unlabelled", f"row {number} has no label")
    if not os.path.isfile(image):  # noqa: PTH113
        if _REMOTE.match(image):
            return Refusal(image, "remote", "it is an address, and nothing is downloaded; fetch it first")
        return Refusal(image, "missing", "there is no such file; paths count from the current folder")
    return None


def _cells(frame: Any) -> Cells:
    """A frame as rows of cells."""
    if is_lists(frame):
        return _of_lists(frame)
    kind, package = type(frame).__name__, _package(frame)
    if kind in _LAZY:
        raise DataError(f"{title_of(frame)}: must be in memory; {_LAZY[kind]}")
    if kind == "DatasetDict":
        return _of_splits(frame)
    if package == "datasets":
        return _of_hugging_face(frame)
    header = tuple(map(str, frame.columns))
    columns = [frame[name] for name in frame.columns]
    to_list = "tolist" if package == "pandas" else "to_list"

    def records() -> Iterator[Sequence[Any]]:
        return zip(*(map(_known, getattr(column, to_list)()) for column in columns), strict=True)

    return Cells(header, records, header_is_certain=True)


def _of_lists(lists: tuple[Sequence[Any], ...]) -> Cells:
    """Lists as columns; numbers of numpy are made plain ones."""
    lengths = [len(column) for column in lists]
    if len(set(lengths)) > 1:
        raise DataError(
            f"lists: images, labels and groups must be equally many, got {lengths}; give one of each an image"
        )
    columns = [column.tolist() if hasattr(column, "tolist") else list(column) for column in lists]
    header = ("path", "label", "group")[: len(lists)]
    return Cells(header, lambda: (tuple(row) for row in zip(*columns, strict=True)), header_is_certain=True)


def _known(cell: Any) -> Any:
    """A cell, None where pandas has its own sign for nothing."""
    return None if type(cell).__name__ in ("NAType", "NaTType") else cell


def _of_hugging_face(dataset: Any) -> Cells:
    """A data set whose images are left packed, whatever format the person has set."""
    plain = dataset.with_format(None)
    for name, feature in plain.features.items():
        if type(feature).__name__ == "Image":
            plain = plain.cast_column(name, type(feature)(decode=False))
    header = tuple(plain.column_names)
    names = {
        name: tuple(map(str, feature.names))
        for name, feature in plain.features.items()
        if type(feature).__name__ == "ClassLabel"
    }
    return Cells(header, lambda: (tuple(row[name] for name in header) for row in plain), True, names)


def _of_splits(splits: Mapping[str, Any]) -> Cells:
    """Several data sets, each a split; columns are those of the first."""
    parts = {str(name): _of_hugging_face(dataset) for name, dataset in splits.items()}
    if not parts:
        return Cells((), lambda: iter(()), header_is_certain=True)
    first = next(iter(parts.values()))
    kept = [place for place, name in enumerate(first.header) if name != _SPLIT]

    def records() -> Iterator[Sequence[Any]]:
        for split, cells in parts.items():
            places = [cells.header.index(first.header[place]) for place in kept]
            for row in cells.records():
                yield (*(row[place] for place in places), split)

    header = (*(first.header[place] for place in kept), _SPLIT)
    return Cells(header, records, header_is_certain=True, class_names=first.class_names)


class _Reader:
    """The rows of a frame on their way to columns."""

    def __init__(self, title: str, cells: Cells, columns: TableColumns, scratch: Callable[[], Path]) -> None:
        self.title, self.cells, self.places, self.scratch = title, cells, columns, scratch
        self.folder: ImageFolder | None = None
        label = columns.label
        self.names = cells.class_names.get(cells.header[label], ()) if label is not None else ()

    def columns(self) -> FrameColumns:
        images, labels, splits, groups = [], [], [], []
        places = self.places
        for number, row in enumerate(self.cells.records(), start=1):
            where = f"{self.title}, row {number}"
            images.append(self._image(row[places.path], number))
            labels.append(None if places.label is None else self._label(row[places.label]))
            splits.append("" if places.split is None else word_of(row[places.split], where, "split"))
            groups.append("" if places.group is None else word_of(row[places.group], where, "group"))
        return FrameColumns(
            self.title,
            images,
            None if places.label is None else labels,
            splits=None if places.split is None else splits,
            groups=None if places.group is None else groups,
            written=None if self.folder is None else self.folder.folder,
            doubts=places.doubts,
        )

    def _label(self, cell: Any) -> Any:
        if self.names and isinstance(cell, int) and not isinstance(cell, bool):
            if 0 <= cell < len(self.names):
                return self.names[cell]
            return None if cell == _KEPT_BACK else cell
        return cell

    def _image(self, cell: Any, number: int) -> str | Refusal:
        if isinstance(cell, Image.Image):
            cell = _packed(cell)
        parts = parts_of(cell)
        if parts is not None:
            name, content = parts
            if not is_image(content):
                return Refusal(f"row {number}", "not_an_image", "its bytes are not a readable image")
            if self.folder is None:
                self.folder = ImageFolder(self.scratch(), Path("frame"), most_bytes=sys.maxsize)
            return os.fspath(self.folder.folder / self.folder.add(number, name, content))
        if isinstance(cell, dict):
            cell = cell.get("path")
        try:
            path = os.fspath(cell) if isinstance(cell, os.PathLike) else text_of(cell)
        except ValueError as error:
            where = f"{self.title}, row {number}"
            raise DataError(f"{where}: an image must be a path or bytes, got {error}; mend it") from None
        return os.fsdecode(path) or Refusal(f"row {number}", "missing", "the row names no image")


def _packed(image: Image.Image) -> bytes:
    """A Pillow image as the bytes of a PNG; nothing where it cannot be decoded."""
    memory = io.BytesIO()
    try:
        open_image(image).save(memory, "PNG", compress_level=1)
    except RefusedInput:
        return b""
    return memory.getvalue()
