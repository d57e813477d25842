"""Leaks: images to measure on that training has seen, as a file, nearly the same photo, or by group.

Light enough for the using half: `evaluate` asks as well as `train`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.dataset import Dataset
from fieldguide.data.duplicate_groups import duplicate_index
from fieldguide.data.duplicate_verification import confirmed
from fieldguide.data.duplicates import SimilarPairs, similar_pairs
from fieldguide.data.image_facts import facts_of
from fieldguide.data.scan import count_of
from fieldguide.progress import Progress, silent

KINDS = ("same_file", "near_duplicate", "same_group")
"""How an image may leak, the plainest first."""


@dataclass(frozen=True)
class Fingerprints:
    """The readable images on one side of a split, by what tells that two show the same."""

    paths: tuple[str, ...]
    digests: tuple[str, ...]
    """SHA-256 of each file's content."""
    signatures: NDArray[np.uint8]
    """Of shape (n_images, k)."""
    groups: tuple[str, ...] | None
    """Group of each image, empty where it has none."""

    @staticmethod
    def of(dataset: Dataset, *, cache: Path | None = None, progress: Progress = silent) -> "Fingerprints":
        """Look at every image of a data set; what the cache holds is not decoded again."""
        seen = facts_of(dataset.paths, cache=cache, progress=progress)
        kept = dataset.take(seen.rows)
        return Fingerprints(kept.paths, seen.digests, seen.signatures, kept.groups)


@dataclass(frozen=True)
class Leaks:
    """Images to measure on that are on the training side, too."""

    kinds: dict[str, str]
    """Path → the first of :data:`KINDS` that holds for it."""
    measured: int
    """How many images were compared."""

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def ways(self) -> tuple[str, ...]:
        """:data:`KINDS`."""
        return KINDS

    def summary(self) -> str:
        """One sentence."""
        images = count_of(self.measured, "image")
        if not self.kinds:
            return f"no leak: none of the {images} measured is in train as well"
        counts = Counter(self.kinds.values())
        words = dict(zip(KINDS, ("the same file", "nearly the same photo", "by their group"), strict=True))
        ways = ", ".join(f"{counts[kind]} {words[kind]}" for kind in KINDS if counts[kind])
        verb = "is" if len(self) == 1 else "are"
        return f"leak: {len(self)} of {images} measured {verb} in train as well ({ways})"


def leaks_between(
    measured: Dataset, training: Dataset, *, cache: Path | None = None, progress: Progress = silent
) -> Leaks:
    """Look at both sides of a split and compare them: :func:`find_leaks` for data sets."""
    sides = (Fingerprints.of(part, cache=cache, progress=progress) for part in (measured, training))
    return find_leaks(*sides)


def find_leaks(measured: Fingerprints, training: Fingerprints) -> Leaks:
    """Compare the images to measure on with those learned from.

    Parameters
    ----------
    measured, training
        Both sides of a split; an image may leak to the other through an equal file, a near-duplicate
        (:mod:`fieldguide.data.duplicates`, verified by
        :mod:`fieldguide.data.duplicate_verification`) or a group of the same name.
    """
    seen = set(training.digests)
    near = _near(measured, training)
    names = set(training.groups or ()) - {""}
    kinds: dict[str, str] = {}
    for row, path in enumerate(measured.paths):
        if measured.digests[row] in seen:
            kinds[path] = "same_file"
        elif row in near:
            kinds[path] = "near_duplicate"
        elif measured.groups is not None and measured.groups[row] in names:
            kinds[path] = "same_group"
    return Leaks(kinds, len(measured.paths))


def _near(measured: Fingerprints, training: Fingerprints) -> set[int]:
    """Rows of `measured` with a near-duplicate in `training`."""
    count = len(measured.paths)
    if not count or not len(training.paths):
        return set()
    # Measured ones first: each image is compared with the most similar ones that come after it.
    signatures = np.concatenate([measured.signatures, training.signatures])
    near = similar_pairs(signatures)
    across = near.pairs[:, 0] < count  # pairs within training are not opened for nothing
    near = SimilarPairs(near.pairs[across], near.scores[across])
    pairs = confirmed((*measured.paths, *training.paths), signatures, near).pairs
    found = duplicate_index(signatures, pairs)
    rows: set[int] = set()
    for first, members in found.members.items():
        alike: Sequence[int] = (*members, *found.around(first))
        if any(row >= count for row in alike):
            rows.update(row for row in members if row < count)
    return rows
