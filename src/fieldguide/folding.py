"""The folds of a cross-validation that several ways of training share."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide import sight
from fieldguide.dataset import Dataset
from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.progress import Progress, silent
from fieldguide.splits import duplicate_groups, fold_groups


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
class Folding:
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

    def parts(self, fold: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the images learned from, and of those held out."""
        return np.flatnonzero(self.numbers != fold), np.flatnonzero(self.numbers == fold)

    def fingerprint(self, rows: NDArray[np.int64]) -> str:
        """SHA-256 over contents, labels and groups of some images, in order."""
        groups = self.dataset.groups
        lines = [
            f"{self.digests[row]} {self.dataset.labels[row]!r} {groups[row] if groups else ''!r}"
            for row in rows.tolist()
        ]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def training_part(dataset: Dataset) -> Dataset:
    """The images that choosing may look at: those with a label, of the training split where there are splits.

    Validation and test stay closed, so that what was chosen can be measured on them.

    Raises
    ------
    DataError
        If there are none.
    """
    return (dataset if dataset.splits is None else dataset.select("train")).labelled()


def deal(dataset: Dataset, contents: Contents, folds: int, seed: int) -> Folding:
    """Deal images into folds: stratified, with groups and near-duplicates kept together.

    Parameters
    ----------
    dataset
        From :func:`training_part`.
    contents
        Of its images.
    folds
        How many, 2 or more; fewer where no class has so many separate images.
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
            f"{kept.root}: need images of two classes that can be read, got {len(kept)} images of "
            f"{len(kept.classes)} after {len(contents.refused)} were refused; look at the refusals"
        )
    groups = duplicate_groups(len(kept), contents.digests, contents.signatures, kept.groups)
    most = max(len(set(groups[np.array(kept.labels) == label])) for label in kept.classes)
    if most < 2:
        raise DataError(
            f"{kept.root}: no class has two separate photos, so nothing can be held out to compare by; "
            "add photos (duplicates and images of one group count once)"
        )
    numbers = fold_groups(kept.labels, groups, min(folds, most), seed)
    refused = tuple(
        Refusal(dataset.display(refusal.path), refusal.code, refusal.message) for refusal in contents.refused
    )
    return Folding(kept, numbers, groups, contents.digests, refused)


def look(paths: Sequence[str], progress: Progress = silent) -> Contents:
    """Read every image once for its digest and signature, where no network's features tell them."""
    seen = sight.look(paths, progress=progress)
    return Contents(seen.rows, seen.digests, seen.signatures, seen.refused)
