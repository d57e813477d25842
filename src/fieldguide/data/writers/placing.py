"""Photos laid into a new folder, under names that stay apart."""

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fieldguide.data.dataset import Dataset
from fieldguide.errors import OutputError
from fieldguide.progress import Progress, silent
from fieldguide.tasks.tags import Tags

_NO_FOLDER = re.compile(r"[/\\\0]|^\.{1,2}$|^\s|[\s.]$")
"""What a label must not hold to be a folder's name on every system."""


class Placing(Enum):
    """Where photos lie in a form."""

    IMAGES = "images"
    """All in ``images/``."""
    DATA = "data"
    """All in ``data/``."""
    SPLITS = "splits"
    """In a folder a split, or in the folder itself."""
    CLASSES = "classes"
    """In a folder a class, below one a split."""


@dataclass(frozen=True)
class PlacedPhoto:
    """A photo in its new place."""

    name: str
    """Its path below the new folder, with slashes."""
    label: str
    split: str
    """Empty where the data set has no splits."""
    group: str
    """Empty where it has none."""
    tags: Tags | None = None
    """Any number of labels, where photos have tags; `label` is then empty."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it shows: its label, or its tags."""
        return (self.label,) if self.tags is None else self.tags.present


def names_in(photos: Iterable[PlacedPhoto]) -> list[str]:
    """The labels or tags that occur, sorted."""
    return sorted({name for photo in photos for name in photo.names})


def place(
    dataset: Dataset, folder: Path, placing: Placing, *, link: bool = False, progress: Progress = silent
) -> list[PlacedPhoto]:
    """Copy or link every photo into `folder`.

    Raises
    ------
    OutputError
        If a label cannot be the name of a folder where the form needs one, or a photo cannot be copied.
    """
    if placing is Placing.CLASSES:
        _check_names(dataset.classes)
    taken: set[str] = set()
    photos = []
    for number, path in enumerate(dataset.paths):
        split = dataset.splits[number] if dataset.splits is not None else ""
        group = dataset.groups[number] if dataset.groups is not None else ""
        label = dataset.labels[number]
        name = _apart(_folder(placing, label, split), os.path.basename(path), taken)  # noqa: PTH119
        _put(path, folder / name, link=link)
        photos.append(PlacedPhoto(name, label, split, group, dataset.tags_at(number)))
        progress("copy", number + 1, len(dataset))
    return photos


def _folder(placing: Placing, label: str, split: str) -> str:
    parts: dict[Placing, Iterable[str]] = {
        Placing.IMAGES: ("images",),
        Placing.DATA: ("data",),
        Placing.SPLITS: (split,),
        Placing.CLASSES: (split, label),
    }
    return "/".join(filter(None, parts[placing]))


def _apart(folder: str, name: str, taken: set[str]) -> str:
    """The name, with a number where another photo bears it, letter case aside: not every disk tells it."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name need not be Unicode
    candidate, number = name, 1
    while f"{folder}/{candidate}".casefold() in taken:
        number += 1
        candidate = f"{stem}-{number}{suffix}"
    taken.add(f"{folder}/{candidate}".casefold())
    return f"{folder}/{candidate}" if folder else candidate


def _put(source: str, target: Path, *, link: bool) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if link:
            try:
                os.link(os.path.realpath(source), target)
                return
            except OSError:  # another file system, or one without links
                pass
        shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(
            f"{source}: cannot be copied to {target.parent} ({error.strerror}); make room"
        ) from error


def _check_names(labels: Iterable[str]) -> None:
    for label in labels:
        if _NO_FOLDER.search(label):
            raise OutputError(
                f"the label {label!r} must be a name that a folder may have; write a table instead"
            )
