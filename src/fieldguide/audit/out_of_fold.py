"""How models that had not seen an image answer it: the evidence behind label errors and strange images.

A reduced linear probe: the same discriminant, calibration and distance, on the deep, mean-pooled features
only, which takes a fifth of the memory; no model comes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.folds import deal
from fieldguide.heads import out_of_distribution
from fieldguide.heads.blas import threads_for
from fieldguide.heads.lda import discriminant
from fieldguide.heads.linear_head import held_out_sample
from fieldguide.heads.promises import promise
from fieldguide.heads.training_table import BLOCK, TrainingTable

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
    columns = out_of_distribution.deep_columns(depths)
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
        Images of one number are held out together; from :func:`fieldguide.data.splits.duplicate_groups`.
    seed
        Of the folds; beyond 20,000 images also of the sample that is answered.

    Returns
    -------
    HeldOut or None
        None where fewer than two classes have two separate images each, so that nothing can be held out.
    """
    classes = tuple(sorted(set(labels)))
    numbers = np.searchsorted(np.array(classes), np.array(labels)).astype(np.int64)
    if not _can_hold_out(numbers, groups):
        return None
    folds = deal(labels, groups, seed)
    with threads_for(len(labels)):
        table = TrainingTable.of(vectors, numbers, folds)
        held = held_out_sample(len(labels), len(classes), seed)
        scores = discriminant(table).out_of_fold(SHRINKAGES, held)
        distances = out_of_distribution.out_of_fold_distances(table, np.arange(vectors.shape[1]), held, seed)
        made = promise(scores, numbers[held], table.shares, distances.astype(np.float64))
    rows = held[made.known]
    probabilities = made.probabilities.astype(np.float32)
    return HeldOut(rows, classes, numbers[rows], probabilities, distances[made.known].astype(np.float64))


def _can_hold_out(numbers: NDArray[np.int64], groups: NDArray[np.int64]) -> bool:
    pairs = {(int(number), int(group)) for number, group in zip(numbers, groups, strict=True)}
    counts = np.bincount([number for number, _ in pairs])
    return bool((counts >= 2).sum() >= 2)
