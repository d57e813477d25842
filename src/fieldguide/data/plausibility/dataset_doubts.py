"""What of a data set, once it is read, looks as if it was meant otherwise."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Protocol

from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.data.scan import shown_names
from fieldguide.data.split_names import SPLITS, split_of

_LIKE_SYSTEM = re.compile(
    r"(new folder|neuer ordner|untitled folder|thumb(nail)?s?|previews?|cache|trash|recycle bin|bin|te?mp|"
    r"backup|copy|copies|duplicates|__?.*__?|\$.*|@.*|#.*|~.*)( \(?\d+\)?)?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)
_AS_FLOAT = re.compile(r"[+-]?\d+\.0")
_BETWEEN_TAGS = re.compile(r"[|;,]")


class _Columns(Protocol):
    """What is needed of a data set."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Its labels, each once."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each image."""

    @property
    def splits(self) -> tuple[str, ...] | None:
        """The split of each image."""


def doubts_about(dataset: _Columns) -> tuple[Doubt, ...]:
    """Doubts that the names of classes and splits raise.

    Parameters
    ----------
    dataset
        As it was read.

    Returns
    -------
    tuple of Doubt
        Those with codes `class_like_split`, `class_like_system_folder`, `splits_share_no_class`,
        `labels_as_numbers` and `labels_in_one`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fieldguide.data.dataset import Dataset
    >>> dataset = Dataset(Path("photos"), ("a.jpg", "b.jpg"), ("train", "dog"))
    >>> [doubt.code for doubt in doubts_about(dataset)]
    ['class_like_split']
    """
    classes = dataset.classes
    return (
        *_about_classes(classes),
        *_about_splits(dataset),
        *number_doubts(classes),
        *_about_several(classes),
    )


def _about_classes(classes: Sequence[str]) -> Iterator[Doubt]:
    like_splits = [name for name in classes if split_of(name)]
    if like_splits:
        yield Doubt(
            "class_like_split",
            f"{shown_names(like_splits)} {_is_or_are(like_splits)} learned as a class, and named like "
            "a split; if folders of classes lie below, say --splits train=NAME,test=NAME",
            # A lone class of such a name among many is likely one: trains are photographed, too.
            grave=len(like_splits) > 1 or "train" in map(split_of, like_splits),
        )
    like_system = [name for name in classes if _LIKE_SYSTEM.fullmatch(name)]
    if like_system:
        yield Doubt(
            "class_like_system_folder",
            f"{shown_names(like_system)} {_is_or_are(like_system)} learned as a class, and named like "
            "a folder that a program makes; move it away if it is not a class",
        )


def _about_splits(dataset: _Columns) -> Iterator[Doubt]:
    of_split: dict[str, set[str]] = {}
    for split, label in zip(dataset.splits or (), dataset.labels, strict=bool(dataset.splits)):
        of_split.setdefault(split, set()).add(label)
    present = [split for split in SPLITS if of_split.get(split, set()) - {""}]
    for first, second in combinations(present, 2):
        if not (of_split[first] & of_split[second]) - {""}:
            yield Doubt(
                "splits_share_no_class",
                f"{first} and {second} have no class in common ({shown_names(sorted(of_split[first]), 3)}; "
                f"{shown_names(sorted(of_split[second]), 3)}): what {first} teaches, {second} cannot measure",
                grave=first == "train",
            )


def number_doubts(classes: Sequence[str]) -> Iterator[Doubt]:
    """Labels that are one number in two spellings (`0` and `0.0`), or whole numbers that became `0.0`."""
    numbers = [name for name in classes if _NUMBER.fullmatch(name)]
    by_value: dict[float, list[str]] = {}
    for name in numbers:
        by_value.setdefault(float(name), []).append(name)
    twins = [names for names in by_value.values() if len(names) > 1]
    if twins:
        pairs = "; ".join(" and ".join(map(repr, names)) for names in twins[:3])
        yield Doubt(
            "labels_as_numbers",
            f"the labels {pairs} are the same number written in two ways; they are learned as "
            "different classes, write them alike if they are one",
            grave=True,
        )
    elif numbers and all(map(_AS_FLOAT.fullmatch, numbers)):
        yield Doubt(
            "labels_as_numbers",
            f"the labels {shown_names(numbers, 3)} look like whole numbers that a program has turned into "
            "fractions; a model of other tables may call them '0', '1', …: give the classes names",
        )


def _about_several(classes: Sequence[str]) -> Iterator[Doubt]:
    """Labels such as `dog;beach` beside `dog`: several tags that were read as one label."""
    known = frozenset(classes)
    made_of_others = [
        name for name in classes if not known.isdisjoint(part.strip() for part in _parts_of(name))
    ]
    if made_of_others:
        yield Doubt(
            "labels_in_one",
            f"{shown_names(made_of_others, 3)} {_is_or_are(made_of_others)} learned as one label, and "
            "made of others with a separator between them; if several labels are meant, name the column "
            "labels, write | between them everywhere, and say --task multiple",
        )


def _parts_of(name: str) -> list[str]:
    parts = _BETWEEN_TAGS.split(name)
    return parts if len(parts) > 1 else []


def _is_or_are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are each"
