"""How models that had not seen an image answer it: the evidence behind label errors and strange images.

A reduced linear probe: the same discriminant, calibration and distance, on the deep, mean-pooled features
only, which takes a fifth of the memory; no model comes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide import calibration, familiarity
from fieldguide.blas import threads_for
from fieldguide.discriminant import BLOCK, Table, discriminant
from fieldguide.probe import held_out_sample
from fieldguide.splits import fold_groups

FOLDS = 5
FOLDS_OF_MANY = 3
MANY = 20_000
"""Images from which on there are only :data:`FOLDS_OF_MANY` folds."""
SHRINKAGES = (0.4, 0.6, 0.8)
"""Candidates; the one with the lowest log loss is taken."""


@dataclass(frozen=True)
class HeldOut:
    """Out-of-fold answers."""

    rows: NDArray[np.int64]
    """Images that were answered and whose class the other folds knew, growing; of shape (n_rows,)."""
    classes: tuple[str, ...]
    """In column order."""
    labels: NDArray[np.int64]
    """Class numbers as given, of shape (n_rows,)."""
    probabilities: NDArray[np.float32]
    """Calibrated, of shape (n_rows, n_classes)."""
    distances: NDArray[np.float64]
    """From the nearest class mean, as behind typicality, of shape (n_rows,)."""


def deep_features(
    vectors: NDArray[np.float32] | NDArray[np.float16], depths: tuple[tuple[str, int], ...]
) -> NDArray[np.float32]:
    """The deep, mean-pooled features, so that whoever holds all of them can let go of the rest.

    Parameters
    ----------
    vectors
        Features of shape (n_images, n_features); copied a block at a time, since they may lie on the disk.
    depths
        Name and width of each part of the features, from early to late.

    Returns
    -------
    ndarray of shape (n_images, n_deep), float32
    """
    columns = familiarity.deep_columns(depths)
    chosen = np.empty((len(vectors), len(columns)), np.float32)
    for start in range(0, len(vectors), BLOCK):
        chosen[start : start + BLOCK] = vectors[start : start + BLOCK][:, columns]
    return chosen


def held_out(
    vectors: NDArray[np.float32],
    labels: Sequence[str],
    groups: NDArray[np.int64],
    seed: int = 0,
) -> HeldOut | None:
    """Answer every image by a model that has not seen it, nor its look-alikes.

    Parameters
    ----------
    vectors
        From :func:`deep_features`, of shape (n_images, n_deep).
    labels
        Class of each image.
    groups
        Images of one number are held out together; from :func:`fieldguide.splits.duplicate_groups`.
    seed
        Of the folds; beyond 20,000 images also of the sample that is answered.

    Returns
    -------
    HeldOut or None
        None where fewer than two classes have two separate images each, so that nothing can be held out.
    """
    classes = tuple(sorted(set(labels)))
    numbers = np.searchsorted(np.array(classes), np.array(labels)).astype(np.int64)
    separate = len(set(groups.tolist()))
    if not _can_hold_out(numbers, groups):
        return None
    folds = fold_groups(labels, groups, min(FOLDS if len(labels) <= MANY else FOLDS_OF_MANY, separate), seed)
    with threads_for(len(labels)):
        table = Table.of(vectors, numbers, folds)
        held = held_out_sample(len(labels), len(classes), seed)
        known, probabilities = _probabilities(table, held)
        distances = familiarity.out_of_fold_distances(table, np.arange(vectors.shape[1]), held, seed)
    rows = held[known]
    return HeldOut(rows, classes, numbers[rows], probabilities, distances[known].astype(np.float64))


def _can_hold_out(numbers: NDArray[np.int64], groups: NDArray[np.int64]) -> bool:
    pairs = {(int(number), int(group)) for number, group in zip(numbers, groups, strict=True)}
    counts = np.bincount([number for number, _ in pairs])
    return bool((counts >= 2).sum() >= 2)


def _probabilities(table: Table, held: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which of the held-out rows have a class that the other folds knew, and their probabilities."""
    scores = discriminant(table).out_of_fold(SHRINKAGES, held)
    known = np.isfinite(scores[0, np.arange(len(held)), table.labels[held]])
    truth = table.labels[held[known]]
    trials = [calibration.calibrate(trial[known].astype(np.float64), truth, table.shares) for trial in scores]
    best = min(range(len(trials)), key=lambda number: trials[number].loss)
    probabilities = trials[best].probabilities(scores[best][known].astype(np.float64))
    return known, probabilities.astype(np.float32)
