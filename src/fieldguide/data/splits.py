"""Which images are held out: seeded, stratified splits that keep together what belongs together.

Images of one group (the same photo twice, re-encoded or cropped, or the same patient, video or shop) always
fall on one side, so that no score is earned by remembering. Nothing here depends on file-system order: a
caller that sorts its images gets the same split everywhere.
"""

from collections.abc import Sequence, Sized
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.duplicates import compare, similar_pairs
from fieldguide.errors import OptionError

LARGEST_CHAIN = 24
"""A group of near-duplicates grows beyond this many images only by parts whose first images are alike too: a
chain of look-alikes (the frames of a film, shirts on one table) must not swallow a class, which could then
never be split."""
STILL_ALIKE = 0.9
"""Likeness that these first images need: less than a pair's own, since each may be cropped another way."""


def duplicate_groups(
    count: int,
    digests: Sequence[str],
    signatures: NDArray[np.uint8],
    groups: Sequence[str] | None = None,
    pairs: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Number the images so that those with the same number must stay on one side of a split.

    Joined are images with the same content, the same non-empty group, and near-duplicates, the most alike
    first; :data:`LARGEST_CHAIN` says which links are left out.

    Parameters
    ----------
    count : int
        Number of images.
    digests : sequence of str of length count
        Digest of each file's content.
    signatures : ndarray of shape (count, SIGNATURE_BYTES), uint8
        From :func:`fieldguide.data.duplicates.signature`.
    groups : sequence of str of length count, optional
        The group column; an empty text is no group.
    pairs : ndarray of shape (n_pairs, 2), int64, optional
        Those of :func:`fieldguide.data.duplicates.similar_pairs`, where they are at hand.

    Returns
    -------
    ndarray of shape (count,), int64
        Group numbers 0, 1, … in order of first appearance.

    Examples
    --------
    >>> from fieldguide.data.duplicates import signature
    >>> noise = np.random.default_rng(0).integers(256, size=(4, 32, 32, 3), dtype=np.uint8)
    >>> signatures = np.stack([signature(image) for image in noise])
    >>> duplicate_groups(4, ["a", "b", "c", "a"], signatures, groups=["", "shop 7", "shop 7", ""]).tolist()
    [0, 1, 1, 0]
    """
    _check_lengths(count, digests=digests, signatures=signatures, groups=groups)
    forest = _DisjointSets(count)
    forest.join_equal(digests)
    forest.join_equal(groups or [])
    different: set[tuple[int, int]] = set()
    links = similar_pairs(signatures).pairs if pairs is None else pairs
    for link in links.tolist():
        low, high = sorted(map(forest.root, link))
        if low == high or (low, high) in different:
            continue
        chain = forest.sizes[low] + forest.sizes[high] > LARGEST_CHAIN
        if chain and compare(signatures, np.array([[low, high]]))[0] < STILL_ALIKE:
            different.add((low, high))
        else:
            forest.join(low, high)
    return _numbered([forest.root(image) for image in range(count)])


def label_conflicts(digests: Sequence[str], labels: Sequence[str]) -> list[tuple[int, ...]]:
    """Find images whose very same content carries two labels or more.

    Parameters
    ----------
    digests, labels : sequences of the same length
        Digest of each file's content, and its label.

    Returns
    -------
    list of tuple of int
        One tuple of positions, ascending, for each content in conflict.

    Examples
    --------
    >>> label_conflicts(["one", "two", "one", "two"], ["cat", "dog", "lynx", "dog"])
    [(0, 2)]
    """
    _check_lengths(len(digests), labels=labels)
    places: dict[str, list[int]] = {}
    for place, digest in enumerate(digests):
        places.setdefault(digest, []).append(place)
    return [tuple(same) for same in places.values() if len({labels[place] for place in same}) > 1]


def split_groups(
    labels: Sequence[str], groups: Sequence[int] | NDArray[np.int64], fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Hold out about `fraction` of every class, whole groups at a time.

    A class never loses its last group: one that consists of a single image or group stays in training
    altogether. Which classes those are is what :func:`classes_without` tells.

    Parameters
    ----------
    labels : sequence of str of length n_images
    groups : sequence of int of length n_images
        From :func:`duplicate_groups`.
    fraction : float
        Share to hold out, more than 0 and less than 1.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    ndarray of shape (n_images,), bool
        True where an image is held out.

    Examples
    --------
    >>> labels, groups = ["cat"] * 10 + ["dog"] * 10, np.arange(20) // 2  # pairs of the same photo
    >>> held = split_groups(labels, groups, fraction=0.2, seed=0)
    >>> held[:10].sum().tolist(), held[10:].sum().tolist()
    (2, 2)
    >>> bool((held[::2] == held[1::2]).all())
    True
    """
    if not 0 < fraction < 1:
        raise OptionError(f"fraction must be more than 0 and less than 1, got {fraction}; 0.2 is usual")
    bundles = _group_counts(labels, groups)
    wanted = fraction * bundles.totals()
    held = np.zeros(len(bundles.classes))
    left = bundles.groups_per_class()
    chosen = np.zeros(len(bundles.classes_of), dtype=bool)
    order = np.random.default_rng(seed).permutation(len(chosen))
    smallest_first = order[np.argsort(bundles.sizes()[order], kind="stable")]
    for rescue, group in [(False, group) for group in order] + [(True, group) for group in smallest_first]:
        own, counts = bundles.classes_of[group], bundles.counts_of[group]
        closer = np.abs(held[own] + counts - wanted[own]).sum() < np.abs(held[own] - wanted[own]).sum()
        useful = (held[own] == 0).any() if rescue else closer
        if useful and not chosen[group] and (left[own] > 1).all():
            chosen[group] = True
            held[own] += counts
            left[own] -= 1
    return chosen[bundles.group_of]


def fold_groups(
    labels: Sequence[str], groups: Sequence[int] | NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.int64]:
    """Deal the images into folds for cross-validation, whole groups at a time.

    Groups are dealt the largest first, each to the fold that has least of its classes, as scikit-learn's
    ``StratifiedGroupKFold`` does it; a class with at least `folds` groups is in every fold, one with fewer
    is in as many folds as it has groups.

    Parameters
    ----------
    labels : sequence of str of length n_images
    groups : sequence of int of length n_images
        From :func:`duplicate_groups`.
    folds : int
        At least 2, at most the number of groups.
    seed : int
        The same seed gives the same folds.

    Returns
    -------
    ndarray of shape (n_images,), int64
        Fold of each image, 0 to folds - 1; none is empty.

    Examples
    --------
    >>> folds = fold_groups(["cat"] * 4 + ["dog"] * 4, groups=[0, 0, 1, 2, 3, 4, 5, 5], folds=2, seed=0)
    >>> np.bincount(folds).tolist(), bool(folds[0] == folds[1]), bool(folds[6] == folds[7])
    ([4, 4], True, True)
    >>> fold_groups(["cat", "cat", "dog"], groups=[0, 0, 1], folds=5, seed=0)
    Traceback (most recent call last):
        ...
    fieldguide.errors.OptionError: folds must be from 2 to the number of separate photos, which ...
    """
    bundles = _group_counts(labels, groups)
    total = len(bundles.classes_of)
    if not 2 <= folds <= total:
        raise OptionError(
            f"folds must be from 2 to the number of separate photos, which is {total}, got {folds}; "
            "take fewer folds or add photos (duplicates and images of one group count once)"
        )
    weights = 1 / bundles.totals()
    filled = np.zeros((folds, len(weights)))
    fold_sizes = np.zeros(folds)
    fold_of = np.empty(total, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(total)
    for group in order[np.argsort(-bundles.sizes()[order], kind="stable")]:
        own, counts = bundles.classes_of[group], bundles.counts_of[group]
        fold = np.lexsort((fold_sizes, filled[:, own] @ (counts * weights[own])))[0]
        fold_of[group] = fold
        filled[fold, own] += counts
        fold_sizes[fold] += counts.sum()
    return fold_of[bundles.group_of]


def classes_without(labels: Sequence[str], chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    """Name the classes of which no image is chosen, sorted; for telling which could not be held out.

    Examples
    --------
    >>> classes_without(["cat", "dog", "emu"], np.array([True, False, False]))
    ('dog', 'emu')
    """
    present = {label for label, taken in zip(labels, chosen.tolist(), strict=True) if taken}
    return tuple(sorted(set(labels) - present))


@dataclass(frozen=True)
class _GroupCounts:
    """The images of each group, counted by class; kept sparse, for 100,000 groups of 10,000 classes."""

    classes: list[str]
    group_of: NDArray[np.int64]
    """Group of each image, renumbered 0, 1, …"""
    classes_of: list[NDArray[np.int64]]
    """Classes that occur in each group."""
    counts_of: list[NDArray[np.int64]]
    """Images of each of those classes."""

    def totals(self) -> NDArray[np.int64]:
        """Images per class."""
        return self._per_class(np.concatenate(self.counts_of))

    def groups_per_class(self) -> NDArray[np.int64]:
        return self._per_class(None)

    def sizes(self) -> NDArray[np.int64]:
        """Images per group."""
        return np.bincount(self.group_of, minlength=len(self.classes_of))

    def _per_class(self, weights: NDArray[np.int64] | None) -> NDArray[np.int64]:
        places = np.concatenate(self.classes_of)
        return np.bincount(places, weights, minlength=len(self.classes)).astype(np.int64)


def _group_counts(labels: Sequence[str], groups: Sequence[int] | NDArray[np.int64]) -> _GroupCounts:
    _check_lengths(len(labels), groups=groups)
    if len(labels) == 0:
        raise OptionError("labels must hold at least one image, got none; there is nothing to split")
    classes = sorted(set(labels))
    number = {label: place for place, label in enumerate(classes)}
    class_of = np.array([number[label] for label in labels])
    _, group_of = np.unique(np.asarray(groups), return_inverse=True)
    cells, counts = np.unique(group_of * len(classes) + class_of, return_counts=True)
    starts = np.flatnonzero(np.diff(cells // len(classes))) + 1
    return _GroupCounts(classes, group_of, np.split(cells % len(classes), starts), np.split(counts, starts))


class _DisjointSets:
    """Disjoint sets (union-find with path halving); the lowest member is the root."""

    def __init__(self, count: int) -> None:
        self.parents = list(range(count))
        self.sizes = [1] * count

    def root(self, item: int) -> int:
        while self.parents[item] != item:
            self.parents[item] = self.parents[self.parents[item]]
            item = self.parents[item]
        return item

    def join(self, first: int, second: int) -> None:
        low, high = sorted((self.root(first), self.root(second)))
        if low != high:
            self.parents[high] = low
            self.sizes[low] += self.sizes[high]

    def join_equal(self, names: Sequence[str]) -> None:
        """Join all items of the same non-empty name."""
        first: dict[str, int] = {}
        for item, name in enumerate(names):
            if name:
                self.join(first.setdefault(name, item), item)


def _numbered(roots: Sequence[int]) -> NDArray[np.int64]:
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root, len(numbers)) for root in roots], dtype=np.int64)


def _check_lengths(count: int, **columns: Sized | None) -> None:
    for name, column in columns.items():
        if column is not None and len(column) != count:
            raise ValueError(f"{name} must hold one entry an image, {count}, got {len(column)}")
