"""Iterative stratification: parts of a data set that keep the share of every tag, whole groups at a time.

After Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data" (ECML PKDD 2011): the tag
with the fewest photos left is dealt first, each of its groups to the part that still lacks most of it. Groups
are bundles of near-duplicates, so a part receives all tags of a group at once. Photos without any tag go
where most photos are lacking.

The libraries that have it (iterative-stratification, scikit-multilearn) deal single photos, not groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.tasks.tags import PRESENT, Tags, indicators, names_of

IntArray = NDArray[np.int64]


def stratified_parts(tags: Sequence[Tags], groups: IntArray, shares: Sequence[float], seed: int) -> IntArray:
    """Deal photos into parts.

    Parameters
    ----------
    tags
        Of each photo.
    groups
        Photos with the same number fall into the same part; of shape (n_images,).
    shares
        Of each part, more than 0; they add up to 1. Where two parts lack equally much of a tag, the one with
        the larger share comes first: of a tag with one group, that is where it is.
    seed
        Decides between equals.

    Returns
    -------
    ndarray of shape (n_images,), int64
        The part of each photo, from 0.

    Examples
    --------
    >>> tags = [Tags(("beach", "dog")), Tags(("beach",)), Tags(("dog",)), Tags()] * 10
    >>> parts = stratified_parts(tags, np.arange(40), (0.8, 0.2), seed=0)
    >>> dogs = np.array(["dog" in one.present for one in tags])
    >>> int(dogs.sum()), int(dogs[parts == 1].sum())
    (20, 4)
    """
    bundles = _bundled(tags, groups)
    sizes = np.bincount(groups, minlength=len(bundles.columns)).astype(np.float64)
    lacking = np.outer(shares, bundles.totals)
    room = np.asarray(shares) * sizes.sum()
    order = np.random.default_rng(seed).permutation(len(sizes))
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[order[np.argsort(-sizes[order], kind="stable")]] = np.arange(len(sizes))
    part_of = np.full(len(sizes), -1, dtype=np.int64)
    left, bare = bundles.totals.copy(), len(bundles.totals) - 1
    while left.any():
        column = int(np.argmin(np.where(left[:bare] > 0, left[:bare], np.inf))) if left[:bare].any() else bare
        having = bundles.groups_of[column]
        for group in having[np.argsort(rank[having])].tolist():
            if part_of[group] >= 0:
                continue
            part = _neediest(room if column == bare else lacking[:, column], room, shares)
            part_of[group] = part
            own, counts = bundles.columns[group], bundles.counts[group]
            lacking[part, own] -= counts
            left[own] -= counts
            room[part] -= sizes[group]
    return part_of[groups]


def held_out_tags(tags: Sequence[Tags], groups: IntArray, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Hold out about `fraction` of every tag, whole groups at a time; no tag loses its last group.

    Parameters
    ----------
    tags, groups, seed
        As for :func:`stratified_parts`.
    fraction
        Share to hold out, more than 0 and less than 1.

    Returns
    -------
    ndarray of shape (n_images,), bool
        True where a photo is held out.

    Examples
    --------
    >>> tags = [Tags(("beach", "dog"))] + [Tags(("dog",)), Tags()] * 10  # the one beach stays
    >>> held = held_out_tags(tags, np.arange(21), fraction=0.2, seed=0)
    >>> int(held.sum()), bool(held[0])
    (4, False)
    """
    held = stratified_parts(tags, groups, (1 - fraction, fraction), seed) == 1
    shown = indicators(tags, names_of(tags)) == PRESENT
    for column in np.flatnonzero(shown.any(0) & ~shown[~held].any(0)):
        own = groups[shown[:, column]]
        held[groups == own[np.argmin(np.bincount(groups)[own])]] = False
    return np.asarray(held)


@dataclass(frozen=True)
class _Bundles:
    """The photos of each group, counted by tag; the last tag stands for photos without any."""

    columns: list[IntArray]
    """Tags that occur in each group."""
    counts: list[IntArray]
    """Photos of each of these."""
    groups_of: list[IntArray]
    """Groups in which each tag occurs."""
    totals: NDArray[np.float64]
    """Photos of each tag."""


def _bundled(tags: Sequence[Tags], groups: IntArray) -> _Bundles:
    names = names_of(tags)
    place = {name: column for column, name in enumerate(names)}
    width = len(names) + 1
    cells: list[int] = []
    for group, one in zip(groups.tolist(), tags, strict=True):
        own = [place[name] for name in one.present] or [len(names)]
        cells.extend(group * width + column for column in own)
    filled, counts = np.unique(np.array(cells, dtype=np.int64), return_counts=True)
    rows, columns = filled // width, filled % width
    by_column = np.argsort(columns, kind="stable")
    starts, ends = np.flatnonzero(np.diff(rows)) + 1, np.searchsorted(columns[by_column], np.arange(1, width))
    return _Bundles(
        np.split(columns, starts),
        np.split(counts, starts),
        np.split(rows[by_column], ends),
        np.bincount(columns, counts, minlength=width).astype(np.float64),
    )


def _neediest(lacking: NDArray[np.float64], room: NDArray[np.float64], shares: Sequence[float]) -> int:
    """The part that lacks most of the tag, then the one with most room, then the largest."""
    return int(np.lexsort((-np.asarray(shares), -room, -lacking.round(9)))[0])
