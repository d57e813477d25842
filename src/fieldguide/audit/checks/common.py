"""What every check takes and gives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.audit.out_of_fold import HeldOut
from fieldguide.audit.tag_answers import TagAnswers
from fieldguide.data.corrections import Correction
from fieldguide.data.dataset import Dataset
from fieldguide.data.duplicate_groups import DuplicateIndex
from fieldguide.data.image_facts import ImageFacts
from fieldguide.data.scan import count_of
from fieldguide.errors import Refusal

__all__ = ["Check", "Evidence", "Finding", "Found", "Item", "NotApplicable", "Result", "count_of", "named"]

MOST_NAMES = 5
"""Class names that a sentence lists."""


@dataclass(frozen=True)
class Evidence:
    """What checks look at: the images that can be read, row by row the same in every column."""

    dataset: Dataset
    """The images that can be read."""
    classes: tuple[str, ...]
    """All classes of DATA, also those of which no image can be read."""
    refused: tuple[Refusal, ...]
    """What cannot be used, by the name the person knows."""
    image_facts: ImageFacts
    """What was seen in each image."""
    alike: NDArray[np.int64]
    """Images that training would keep together as near-duplicates share a number; of shape (n_images,)."""
    duplicates: DuplicateIndex
    """Near-duplicates image by image, without chains."""
    held_out: HeldOut | None
    """Out-of-fold answers; None where nothing can be held out, or photos have tags."""
    tag_answers: TagAnswers | None = None
    """The same of photos with tags."""

    def path(self, row: int) -> str:
        """An image's path as results show it."""
        return self.dataset.display(self.dataset.paths[row])

    def paths(self, rows: Iterable[int]) -> tuple[str, ...]:
        """The same for several images."""
        return tuple(self.path(row) for row in rows)

    def split(self, row: int) -> str:
        """An image's split; empty where DATA has none."""
        return self.dataset.splits[row] if self.dataset.splits else ""

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """The splits that occur, train first."""
        present = set(self.dataset.splits or ())
        return tuple(name for name in ("train", "validation", "test") if name in present)

    @cached_property
    def learned_from(self) -> tuple[int, ...]:
        """Rows that training would see: those of `train` where there are splits, else all."""
        whole = "train" not in self.split_names
        return tuple(row for row in range(len(self.dataset)) if whole or self.split(row) == "train")

    @property
    def distances(self) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Rows that were answered and their distances from what was learned; None where nothing was."""
        answers = self.held_out or self.tag_answers
        return None if answers is None else (answers.rows, answers.distances)

    @cached_property
    def copies(self) -> tuple[tuple[int, ...], ...]:
        """Images of the very same content, as tuples of two rows and more."""
        return together(self.image_facts.digests)

    def correction(self, row: int, action: str, reason: str, corrected: str = "") -> Correction:
        """A line of the corrections table for one image; the audit adds the finding's code."""
        return Correction(self.path(row), self.dataset.labels[row], corrected, action, reason)

    def tag_added(self, row: int, tag: str, reason: str) -> Correction:
        """A line that gives an image a tag."""
        return Correction(self.path(row), "", tag, "add", reason)

    def tag_removed(self, row: int, tag: str, reason: str) -> Correction:
        """A line that takes a tag away from an image."""
        return Correction(self.path(row), tag, "", "remove", reason)


@dataclass(frozen=True)
class Item:
    """One thing that was found: an image, or several that belong together."""

    paths: tuple[str, ...]
    """The images, as results show them; empty where it is about a class."""
    note: str
    """What is the matter with them, in a few words."""
    fixes: tuple[Correction, ...] = ()
    """Corrections that would mend it."""


@dataclass(frozen=True)
class Found:
    """What a check found."""

    message: str
    """One sentence."""
    items: tuple[Item, ...]
    """The worst first."""
    count: int | None = None
    """How many; None counts the images of all items."""


@dataclass(frozen=True)
class NotApplicable:
    """The check has nothing to look at."""

    reason: str
    """Why, in a few words."""


Result = Found | NotApplicable | None
"""None: looked, and nothing is wrong."""


class Check(Protocol):
    """What a file of this folder provides."""

    CODE: str
    """FG and three digits; never used again for another check."""
    TITLE: str
    """A few words."""
    SEVERITY: str
    """`issue`: something is wrong; `tip`: worth a look."""

    def check(self, evidence: Evidence) -> Result:
        """Look."""


@dataclass(frozen=True)
class Finding:
    """A finding as data."""

    code: str
    title: str
    severity: str
    """`issue` or `tip`."""
    count: int
    """Images concerned; where the finding is about classes, classes."""
    message: str
    """One sentence."""
    items: tuple[Item, ...] = field(repr=False)

    @property
    def paths(self) -> tuple[str, ...]:
        """The images concerned, each once."""
        return tuple(dict.fromkeys(path for item in self.items for path in item.paths))

    @property
    def page(self) -> str:
        """Where it is explained, in the repository."""
        return f"src/fieldguide/audit/pages/{self.code}.md"

    def as_dict(self) -> dict[str, Any]:
        """The contract's finding, with `items` and `page` added."""
        return {
            "code": self.code,
            "title": self.title,
            "severity": self.severity,
            "count": self.count,
            "message": self.message,
            "paths": list(self.paths),
            "items": [{"paths": list(item.paths), "note": item.note} for item in self.items],
            "page": self.page,
        }


def named(names: Sequence[str]) -> str:
    """Class names for a sentence, at most :data:`MOST_NAMES` of them."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(repr(name) for name in names[:MOST_NAMES]) + more


def together(keys: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    """Positions that share a key, as tuples of two and more, in the order of their first."""
    places: dict[Any, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return tuple(tuple(same) for same in places.values() if len(same) > 1)
