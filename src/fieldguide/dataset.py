"""A data set as columns: where the images lie, what they show, which split and group they belong to.

:func:`open_dataset` reads every form that DATA may have: class folders, split folders, a table, or an archive
of any of these. It opens no image. The forms and their rules stand in docs/data.md.
"""

import contextlib
import dataclasses
import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldguide.archives import ARCHIVE_SUFFIXES, is_archive, unpacked
from fieldguide.errors import DataError, Refusal
from fieldguide.layouts import Layout, read_layout
from fieldguide.listings import Listing, read_listing
from fieldguide.progress import Progress, silent
from fieldguide.scan import is_hidden, scan, skipped_notes, suffix_of
from fieldguide.tables import TABLE_SUFFIXES

SPLITS = ("train", "validation", "test")
"""The splits that a data set may have."""


@dataclass(frozen=True)
class Dataset:
    """Images with their labels, as columns of equal length."""

    root: Path
    """Paths are shown relative to this folder."""
    paths: tuple[str, ...]
    """Path of each image file; bytes that are no UTF-8 as :func:`os.fsdecode` keeps them."""
    labels: tuple[str, ...]
    """Class of each image, exactly as given; empty where it has none."""
    splits: tuple[str, ...] | None = None
    """`train`, `validation` or `test` for each image; None if the data has no splits."""
    groups: tuple[str, ...] | None = None
    """Group of each image, empty where it has none; None if the data has no group column."""
    refused: tuple[Refusal, ...] = ()
    """What could not be used: unreadable folders, links that lead out, rows without a file."""
    notes: tuple[str, ...] = ()
    """Sentences for a person: what was skipped, left out, or looks odd."""

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels that occur, sorted; the empty one is no class."""
        return tuple(sorted(set(self.labels) - {""}))

    def select(self, split: str) -> "Dataset":
        """The images of one split.

        Raises
        ------
        DataError
            If there is no such split.
        """
        present = [name for name in SPLITS if name in set(self.splits or ())]
        if self.splits is None or split not in present:
            got = ", ".join(present) or "no splits"
            raise DataError(f"{self.root}: split must be one that DATA has, which are: {got}; got {split!r}")
        return self.take([place for place, name in enumerate(self.splits) if name == split])

    def labelled(self) -> "Dataset":
        """The images that have a label.

        Raises
        ------
        DataError
            If there are none.
        """
        places = [place for place, label in enumerate(self.labels) if label]
        if not places:
            raise DataError(
                f"{self.root}: need labelled images, got none; sort photos into a folder for each class"
            )
        return self.take(places) if len(places) < len(self) else self

    def take(self, indices: Iterable[int] | NDArray[np.integer]) -> "Dataset":
        """The images at these positions, in this order; refusals and notes are kept."""
        places = [int(place) for place in indices]
        return dataclasses.replace(
            self,
            paths=tuple(self.paths[place] for place in places),
            labels=tuple(self.labels[place] for place in places),
            splits=None if self.splits is None else tuple(self.splits[place] for place in places),
            groups=None if self.groups is None else tuple(self.groups[place] for place in places),
        )

    def display(self, path: str) -> str:
        """A path as results show it: relative to `root`, which for an archive is its name inside."""
        start = os.path.join(self.root, "")  # noqa: PTH118
        return path[len(start) :] if path.startswith(start) else os.path.normpath(path)


@contextlib.contextmanager
def open_dataset(
    path: str | os.PathLike[str], *, minimum_classes: int = 2, progress: Progress = silent
) -> Iterator[Dataset]:
    """Read a data set; of an archive, the images are there until the end of the ``with`` block.

    Parameters
    ----------
    path : path
        A folder, a table (.csv, .tsv, .jsonl, .parquet) or an archive (.zip, .tar and compressed ones).
    minimum_classes : int, default=2
        How many classes there must be, in train where there are splits. With 0, images without a label are
        kept too, under an empty one; otherwise they are left out.
    progress : Progress, optional
        Told of the stages ``unpack``, ``scan`` and ``table``.

    Raises
    ------
    DataError
        If there are no images, too few classes, or `path` is none of these forms.
    """
    place, unlabelled = Path(path), minimum_classes < 1
    with contextlib.ExitStack() as stack:
        try:
            if place.is_dir():
                dataset = _from_folder(place, unlabelled, progress)
            elif not place.exists():
                raise DataError(f"{place}: there is no such file or folder; check the path")
            elif is_archive(place):
                dataset = _from_archive(place, unlabelled, progress, stack)
            elif suffix_of(place.name) in TABLE_SUFFIXES:
                dataset = _from_listing(read_listing(place, unlabelled=unlabelled, progress=progress))
            else:
                raise DataError(_unknown_form(place))
        except PermissionError as error:
            raise DataError(f"{place}: it cannot be read; change its permissions") from error
        _check(place, dataset, minimum_classes)
        yield dataclasses.replace(dataset, notes=(*dataset.notes, *_class_notes(dataset)))


def _unknown_form(place: Path) -> str:
    endings = ", ".join((*sorted(TABLE_SUFFIXES), *ARCHIVE_SUFFIXES))
    return (
        f"{place}: DATA must be a folder or end in {endings}, got {place.name!r}; give the folder it lies in"
    )


def _from_folder(folder: Path, unlabelled: bool, progress: Progress) -> Dataset:
    """Class or split folders; where they make no two classes, a single table at the top is read instead."""
    found = scan(folder, progress=progress)
    tables = _tables_in(folder)
    try:
        layout = read_layout(found, unlabelled=unlabelled)
    except DataError:
        if len(tables) != 1:
            raise
        layout = Layout(found.root)
    if len(set(layout.labels) - {""}) < 2 and len(tables) == 1:
        dataset = _from_listing(read_listing(tables[0], unlabelled=unlabelled, progress=progress))
        note = f"read the table {tables[0].name!r}, since the folders name no two classes"
        return dataclasses.replace(dataset, notes=(note, *dataset.notes))
    return Dataset(
        root=Path(layout.root),
        paths=tuple(layout.paths),
        labels=tuple(layout.labels),
        splits=None if layout.splits is None else tuple(layout.splits),
        refused=tuple(found.refused),
        notes=(*layout.notes, *found.notes()),
    )


def _tables_in(folder: Path) -> list[Path]:
    """The tables in a folder, or in the only folder that it holds."""
    visible = sorted(entry for entry in folder.iterdir() if not is_hidden(entry.name))
    tables = [entry for entry in visible if suffix_of(entry.name) in TABLE_SUFFIXES and entry.is_file()]
    folders = [entry for entry in visible if entry.is_dir() and not entry.is_symlink()]
    if tables or len(folders) != 1:
        return tables
    return _tables_in(folders[0])


def _from_archive(place: Path, unlabelled: bool, progress: Progress, stack: contextlib.ExitStack) -> Dataset:
    result = stack.enter_context(unpacked(place, progress=progress))
    # The temporary folder's name means nothing to a person: show the archive's instead.
    hidden, named = str(result.folder), str(place)
    try:
        dataset = _from_folder(result.folder, unlabelled, progress)
    except DataError as error:
        raise DataError(str(error).replace(hidden, named)) from error
    shown = [
        dataclasses.replace(refusal, path=refusal.path.replace(hidden, named)) for refusal in dataset.refused
    ]
    notes = (*dataset.notes, *skipped_notes(result.others, result.hidden))
    return dataclasses.replace(dataset, refused=tuple(shown), notes=notes)


def _from_listing(listing: Listing) -> Dataset:
    return Dataset(
        root=Path(listing.root),
        paths=tuple(listing.paths),
        labels=tuple(listing.labels),
        splits=None if listing.splits is None else tuple(listing.splits),
        groups=None if listing.groups is None else tuple(listing.groups),
        refused=tuple(listing.refused),
        notes=tuple(listing.notes),
    )


def _check(place: Path, dataset: Dataset, minimum_classes: int) -> None:
    if not len(dataset):
        raise DataError(
            f"{place}: DATA must hold images, got none{_reason(dataset)}; see docs/data.md for its forms"
        )
    train = dataset.select("train") if "train" in (dataset.splits or ()) else dataset
    if len(train.classes) < minimum_classes:
        wanted = "two" if minimum_classes == 2 else str(minimum_classes)
        got = ", ".join(repr(name) for name in train.classes) or "none"
        raise DataError(
            f"{place}: need {wanted} classes to tell apart, got {len(train.classes)} ({got}); "
            "put the images of each class into a folder of its own"
        )


def _reason(dataset: Dataset) -> str:
    """What may explain that there are no images."""
    if dataset.refused:
        first = dataset.refused[0]
        return f" but {len(dataset.refused)} refused, first {first.path!r}: {first.message}"
    return f" ({dataset.notes[0]})" if dataset.notes else ""


def _class_notes(dataset: Dataset) -> Iterator[str]:
    """Class names that look the same to a person, and classes that training will not see."""
    alike: dict[str, list[str]] = {}
    for name in dataset.classes:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()
        alike.setdefault(key, []).append(name)
    for names in alike.values():
        if len(names) > 1:
            twins = " and ".join(map(ascii, names))
            yield f"the classes {twins} look alike; they are kept apart, merge them if they are one"
    if "train" in (dataset.splits or ()):
        unseen = sorted(set(dataset.classes) - set(dataset.select("train").classes))
        if unseen:
            yield f"not in train, so never predicted: {', '.join(map(repr, unseen))}"
