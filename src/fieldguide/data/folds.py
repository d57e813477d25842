"""The folds of a cross-validation; the one place where they are dealt."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fieldguide.data import image_facts
from fieldguide.data.dataset import Dataset
from fieldguide.data.splits import duplicate_groups, fold_groups
from fieldguide.data.tagged.stratification import stratified_parts
from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.progress import Progress, silent
from fieldguide.tasks.tags import PRESENT, Indicators, Tags, indicators
from fieldguide.tasks.task import Task

FOLDS = 5
FOLDS_OF_MANY = 3
MANY = 20_000
"""Images beyond which there are only :data:`FOLDS_OF_MANY` folds: with so many, more tell nothing new."""


@dataclass(frozen=True)
class Contents:
    """What the folds are made from: which images can be read, and what tells that two are the same."""

    rows: NDArray[np.int64]
    """Images of the data set that can be read, growing; of shape (n_kept,)."""
    digests: tuple[str, ...]
    """SHA-256 of each kept file's content."""
    signatures: NDArray[np.uint8]
    """Of shape (n_kept, k)."""
    refused: tuple[Refusal, ...]


@dataclass(frozen=True)
class Folds:
    """Images dealt into folds: each fold is held out once, and a model learns from all others."""

    dataset: Dataset
    """The images that can be read, all with a label."""
    numbers: NDArray[np.int64]
    """Fold of each image, of shape (n_images,)."""
    groups: NDArray[np.int64]
    """Images with the same number are near-duplicates or of one group; they share a fold."""
    digests: tuple[str, ...]
    """SHA-256 of each file's content."""
    refused: tuple[Refusal, ...]
    """Images that cannot be read, by the name the person knows."""

    @property
    def count(self) -> int:
        """Number of folds."""
        return int(self.numbers.max()) + 1

    @property
    def truth(self) -> NDArray[np.int64]:
        """Class number of each image, of shape (n_images,)."""
        return np.searchsorted(np.array(self.dataset.classes), np.array(self.dataset.labels)).astype(np.int64)

    @cached_property
    def tags(self) -> Indicators:
        """Which tags images have, of shape (n_images, n_tags); of data with tags."""
        known = [tags or Tags() for tags in self.dataset.tags or ()]
        return indicators(known, self.dataset.classes)

    def showing(self) -> Iterator[NDArray[np.bool_]]:
        """Which images show each class or tag, one after the other; each of shape (n_images,)."""
        if self.dataset.task is Task.MULTIPLE:
            yield from (self.tags == PRESENT).T
        else:
            truth = self.truth
            yield from (truth == number for number in range(len(self.dataset.classes)))

    def parts(self, fold: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the images learned from, and of those held out."""
        return np.flatnonzero(self.numbers != fold), np.flatnonzero(self.numbers == fold)

    def fingerprint(self, rows: NDArray[np.int64]) -> str:
        """SHA-256 over contents, labels or tags, and groups of some images, in order."""
        groups = self.dataset.groups
        lines = [
            f"{self.digests[row]} {self._answer(row)} {groups[row] if groups else ''!r}"
            for row in rows.tolist()
        ]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def _answer(self, row: int) -> str:
        """The label of an image, or its tags, without ambiguity."""
        tags = self.dataset.tags_at(row)
        return repr(self.dataset.labels[row] if tags is None else (tags.present, tags.not_known))


def deal(
    labels: Sequence[str], groups: NDArray[np.int64], seed: int, folds: int | None = None
) -> NDArray[np.int64]:
    """Deal images into folds: stratified, with groups kept together.

    Parameters
    ----------
    labels
        Class of each image.
    groups
        Images with the same number share a fold; of shape (n_images,), from
        :func:`fieldguide.data.splits.duplicate_groups`.
    seed
        The same seed deals the same folds.
    folds
        How many, never more than there are groups; None takes :data:`FOLDS`, and of more than
        :data:`MANY` images :data:`FOLDS_OF_MANY`.

    Returns
    -------
    ndarray of shape (n_images,), int64
        Fold of each image, from 0.

    Examples
    --------
    >>> folds = deal(["cat", "dog"] * 6, np.arange(12) // 2, seed=0)  # pairs of the same photo
    >>> int(folds.max()) + 1, bool((folds[::2] == folds[1::2]).all())
    (5, True)
    """
    wanted = folds or (FOLDS if len(labels) <= MANY else FOLDS_OF_MANY)
    return fold_groups(labels, groups, min(wanted, len(np.unique(groups))), seed)


def deal_tags(
    tags: Sequence[Tags], groups: NDArray[np.int64], seed: int, folds: int | None = None
) -> NDArray[np.int64]:
    """Deal images with tags into folds: stratified by every tag, with groups kept together.

    Parameters
    ----------
    tags
        Of each image.
    groups, seed, folds
        As for :func:`deal`.

    Examples
    --------
    >>> folds = deal_tags([Tags(("cat", "dog")), Tags()] * 10, np.arange(20) // 2, seed=0)
    >>> np.bincount(folds).tolist()
    [4, 4, 4, 4, 4]
    """
    wanted = folds or (FOLDS if len(tags) <= MANY else FOLDS_OF_MANY)
    parts = min(wanted, len(np.unique(groups)))
    return stratified_parts(tags, groups, (1 / parts,) * parts, seed)


def training_part(dataset: Dataset) -> Dataset:
    """The images that choosing may look at: those with a label, of the training split where there are splits.

    Validation and test stay closed, so that what was chosen can be measured on them.

    Raises
    ------
    DataError
        If there are none.
    """
    return (dataset if dataset.splits is None else dataset.select("train")).labelled()


def deal_folds(dataset: Dataset, contents: Contents, folds: int, seed: int) -> Folds:
    """Deal images into folds: stratified, with groups and near-duplicates kept together.

    Parameters
    ----------
    dataset
        From :func:`training_part`.
    contents
        Of its images.
    folds
        How many, 2 or more; fewer where there are not so many separate images (of a class).
    seed
        The same seed deals the same folds.

    Raises
    ------
    OptionError
        If `folds` is below 2.
    DataError
        If fewer than two classes can be read, or no class has two separate images.
    """
    if folds < 2:
        raise OptionError(f"folds: must be 2 or more, got {folds}; 5 is usual")
    kept = dataset.take(contents.rows)
    if len(kept.classes) < 2:
        raise DataError(
            f"{kept.called}: need images of two classes that can be read, got {len(kept)} images of "
            f"{len(kept.classes)} after {len(contents.refused)} were refused; "
            f"{kept.refusals_named(contents.refused)}"
        )
    groups = duplicate_groups(len(kept), contents.digests, contents.signatures, kept.groups)
    numbers = _dealt(kept, groups, folds, seed)
    refused = tuple(
        Refusal(dataset.display(refusal.path), refusal.code, refusal.message) for refusal in contents.refused
    )
    return Folds(kept, numbers, groups, contents.digests, refused)


def _dealt(kept: Dataset, groups: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Folds by label, or by every tag."""
    if kept.tags is not None:
        most, what = len(np.unique(groups)), "there are not two separate photos"
    else:
        most = max(len(set(groups[np.array(kept.labels) == label])) for label in kept.classes)
        what = "no class has two separate photos"
    if most < 2:
        raise DataError(
            f"{kept.called}: {what}, so nothing can be held out to compare by; add photos (duplicates and "
            "images of one group count once)"
        )
    if kept.tags is not None:
        return deal_tags([tags or Tags() for tags in kept.tags], groups, seed, folds)
    return deal(kept.labels, groups, seed, min(folds, most))


def contents_of(paths: Sequence[str], progress: Progress = silent) -> Contents:
    """Read every image once for its digest and signature, where no network's features tell them."""
    seen = image_facts.facts_of(paths, progress=progress)
    return Contents(seen.rows, seen.digests, seen.signatures, seen.refused)
