"""Where each photo is to go: decided before any is touched."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from fieldguide.errors import OptionError, OutputError, Refusal
from fieldguide.prediction.inputs import EmbeddedImage, Item, path_of
from fieldguide.prediction.labels_given import labels_given
from fieldguide.prediction.result import Prediction
from fieldguide.prediction.sorting.folder_names import (
    REFUSED,
    UNKNOWN,
    changes,
    folder_names,
    key_of,
    numbered,
    untagged_name,
)
from fieldguide.prediction.sorting.journal import Planned, Unit
from fieldguide.prediction.sorting.placing import same_content
from fieldguide.prediction.sorting.table import How, SortedPhoto

By = Literal["copy", "hardlink", "move"]
BYS: tuple[By, ...] = ("copy", "hardlink", "move")
RAW = frozenset(
    f".{ending}"
    for ending in (
        *("3fr", "arw", "cr2", "cr3", "dng", "erf", "nef", "nrw", "orf", "pef", "raf", "rw2", "rwl"),
        *("sr2", "srf", "srw", "x3f"),
    )
)
"""Endings of camera raw files, whose sidecars Lightroom names without the ending."""


def full_path(path: str) -> str:
    """A file's place in full: its folder without links, its own name as it is."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder or "."), name)  # noqa: PTH118 - a name need not be Unicode


def sidecars_of(file: str) -> list[tuple[str, str]]:
    """Sidecars that lie beside a photo: each file, and whether `photo.jpg.xmp` or `photo.xmp` by its ending.

    The second form goes with a raw file only: another photo of the same name does not own it.
    """
    stem, ending = os.path.splitext(file)  # noqa: PTH122
    candidates = [(file + ".xmp", "whole"), (file + ".XMP", "whole")]
    if ending.lower() in RAW:
        candidates += [(stem + ".xmp", "stem"), (stem + ".XMP", "stem")]
    found: list[tuple[str, str]] = []
    for name, form in candidates:
        try:
            status = os.lstat(name)
        except (OSError, ValueError):
            continue
        known = any(os.path.samestat(status, os.lstat(other)) for other, _ in found)
        if stat.S_ISREG(status.st_mode) and not known:
            found.append((name, form))
    return found


def sidecar_target(target: str, sidecar: str, form: str) -> str:
    """Where a sidecar goes beside a photo's new place.

    Examples
    --------
    >>> sidecar_target("cat/a-2.nef", "x/a.xmp", "stem"), sidecar_target("cat/a.jpg", "x/a.jpg.XMP", "whole")
    ('cat/a-2.xmp', 'cat/a.jpg.XMP')
    """
    ending = sidecar[-4:]
    return (target if form == "whole" else os.path.splitext(target)[0]) + ending  # noqa: PTH122


@dataclass
class Planner:
    """Gives every photo its place in `folder`, for one run."""

    folder: Path
    by: By
    classes: Sequence[str]
    taken: set[str] = field(default_factory=set)
    """Targets already given, as any disk may see them."""

    def __post_init__(self) -> None:
        self.names: dict[str, str] = folder_names(self.classes)
        self.untagged: str = untagged_name(self.names.values())

    def notes(self) -> list[str]:
        """What is to be said of folders whose names are not their labels."""
        return changes(self.names)

    def sorted_out(self, items: Iterable[Item]) -> tuple[list[Item], list[str]]:
        """The inputs to sort, each once; and a sentence about those in the folder itself."""
        base = os.path.realpath(self.folder)
        kept: list[Item] = []
        seen: set[str] = set()
        inside = 0
        for item in items:
            if isinstance(item, EmbeddedImage) and self.by != "copy":
                raise OptionError(
                    f"{item.name}: photos in an archive or a table can only be copied; use --by copy"
                )
            if isinstance(item, str) and type(item) is not str:
                raise OptionError(f"{item}: photos in an object store cannot be sorted; copy them here first")
            place = full_path(item) if isinstance(item, str) else path_of(item)
            if place in seen:
                continue
            seen.add(place)
            if isinstance(item, str) and place.startswith(base + os.sep):
                inside += 1
            else:
                kept.append(item)
        note = f"{self.folder}: {inside} photos that lie in it already are left as they are"
        return kept, [note] if inside else []

    def plan(self, item: Item, prediction: Prediction) -> Planned:
        """What is to become of one input."""
        photo = self._photo(item, prediction)
        file = item.file if isinstance(item, EmbeddedImage) else photo.source
        if isinstance(item, Refusal) or not _is_file(file):
            why = prediction.error.message if prediction.error is not None else "it is no regular file"
            return Planned(path_of(item), [[photo.left(why)]])
        labels = labels_given(prediction)
        names = labels or (photo.answer,)
        folders = [self.names[label] for label in labels] or [photo.answer]
        sidecars = sidecars_of(file) if isinstance(item, str) else []
        units = []
        for number, (folder, label) in enumerate(zip(folders, names, strict=True), start=1):
            how: How = photo.how if number == len(folders) or photo.how != "move" else "copy"
            units.append(self._unit(replace(photo, answer=label, how=how), file, folder, sidecars))
        return Planned(path_of(item), units)

    def take(self, photo: SortedPhoto) -> None:
        """Keep a place that is given already from others."""
        if photo.target:
            self.taken.add(key_of(photo.target))

    def moved_on(self, unit: Unit, file: str) -> Unit:
        """The same unit under the next free name, where its own has been taken meanwhile."""
        folder = unit[0].target.partition("/")[0]
        return self._unit(unit[0], file, folder, sidecars_of(file) if len(unit) > 1 else [])

    def make_folder(self, target: str) -> None:
        """Make the folder of a target.

        Raises
        ------
        OutputError
            If it cannot be made, or is a link or a file.
        """
        place = self.folder / target.partition("/")[0]
        try:
            place.mkdir(exist_ok=True)
            real = stat.S_ISDIR(place.lstat().st_mode)
        except OSError as error:
            raise OutputError(
                f"{place}: no folder can be made ({error.strerror}); make room for it"
            ) from error
        if not real:
            raise OutputError(f"{place}: must be a folder; it is a link, which is not followed; move it away")

    def _photo(self, item: Item, prediction: Prediction) -> SortedPhoto:
        labels = labels_given(prediction)
        answer = "|".join(labels) or UNKNOWN
        if prediction.error is not None:
            answer = REFUSED
        elif prediction.labels == () and not prediction.unknown:
            answer = self.untagged
        source = full_path(item) if isinstance(item, str) else path_of(item)
        if isinstance(item, EmbeddedImage):
            source = full_path(source)
        how: How = "unpack" if isinstance(item, EmbeddedImage) else cast("How", self.by)
        return SortedPhoto(source, "", answer, prediction.probability, how)

    def _unit(self, photo: SortedPhoto, file: str, folder: str, sidecars: list[tuple[str, str]]) -> Unit:
        for name in numbered(os.path.basename(photo.source)):  # noqa: PTH119
            target = f"{folder}/{name}"
            pairs = [(file, target), *((side, sidecar_target(target, side, form)) for side, form in sidecars)]
            states = [self._state(source, place) for source, place in pairs]
            if "taken" in states:
                continue
            self.taken.update(key_of(place) for _, place in pairs)
            rows = [photo, *(replace(photo, source=side, probability=None) for side, _ in sidecars)]
            return [
                replace(row, target=place, how="present" if state == "present" else row.how)
                for row, (_, place), state in zip(rows, pairs, states, strict=True)
            ]
        raise AssertionError("numbers do not end")

    def _state(self, file: str, target: str) -> str:
        """Whether a place is `free`, `taken`, or holds the same content already."""
        place = self.folder / target
        if key_of(target) in self.taken:
            return "taken"
        if not os.path.lexists(place):
            return "free"
        return "present" if self.by != "move" and same_content(file, place) else "taken"


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - a path need not be Unicode
    except (OSError, ValueError):
        return False
