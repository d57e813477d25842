"""What DATA must hold to be used: images, enough classes, and a task that the caller handles."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from fieldguide.data.archives import ARCHIVE_SUFFIXES
from fieldguide.data.scan import LABEL_SUFFIXES
from fieldguide.errors import DataError, Refusal
from fieldguide.tasks.task import Task, refuse_unsupported


class OpenedImages(Protocol):
    """What is needed of a data set."""

    def __len__(self) -> int:
        """Images."""
        ...

    @property
    def root(self) -> Path:
        """The folder that paths are shown relative to."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def task(self) -> Task:
        """Whether images have one label each or tags."""

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What could not be used."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say of it."""


class SplitImages(Protocol):
    """What is needed of a data set to tell what is learned from."""

    @property
    def splits(self) -> tuple[str, ...] | None:
        """The split of each image."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Its labels or tags."""

    def select(self, split: str) -> "SplitImages":
        """The images of one split."""


def learned_classes(dataset: SplitImages) -> tuple[str, ...]:
    """Classes that training sees: those of train where there are splits."""
    return (dataset.select("train") if "train" in (dataset.splits or ()) else dataset).classes


def check_task(place: Path, dataset: OpenedImages, tasks: Collection[Task]) -> None:
    """See that the caller handles the task of DATA, which errors call `place`.

    Raises
    ------
    DataError
        If it does not.
    """
    refuse_unsupported(dataset.task, tasks, str(place), DataError)


def check_enough(place: Path, dataset: OpenedImages, learned: Sequence[str], minimum: int) -> None:
    """See that there are images, and classes enough.

    Parameters
    ----------
    place
        DATA, for the error.
    dataset
        As it was read.
    learned
        The classes that training sees.
    minimum
        How many there must be.

    Raises
    ------
    DataError
        If there are not.
    """
    if not len(dataset):
        raise DataError(
            f"{place}: DATA must hold images, got none{_reason(dataset)}; see docs/data.md for its forms"
        )
    if len(learned) >= minimum:
        return
    wanted = "two" if minimum == 2 else str(minimum)
    got = ", ".join(map(repr, learned)) or "none"
    if dataset.task is Task.MULTIPLE:
        raise DataError(
            f"{place}: need {'a tag' if minimum == 1 else f'{wanted} tags'} that photos to learn from have, "
            f"got {len(learned)} ({got}); add photos of others"
        )
    raise DataError(
        f"{place}: need {wanted} classes to tell apart, got {len(learned)} ({got}); "
        "put the images of each class into a folder of its own"
    )


def unknown_form(place: Path) -> str:
    """That a file is in no form that is read."""
    endings = ", ".join((*sorted(LABEL_SUFFIXES), *ARCHIVE_SUFFIXES))
    return (
        f"{place}: DATA must be a folder or end in {endings}, got {place.name!r}; give the folder it lies in"
    )


def _reason(dataset: OpenedImages) -> str:
    """What may explain that there are no images."""
    if dataset.refused:
        first = dataset.refused[0]
        return f" but {len(dataset.refused)} refused, first {first.path!r}: {first.message}"
    return f" ({dataset.notes[0]})" if dataset.notes else ""
