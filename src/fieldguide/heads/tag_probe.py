"""Linear heads for tags with their promises, from features alone: what `linear-probe` is made of for tags."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads import ridge
from fieldguide.heads.blas import threads_for
from fieldguide.heads.linear_head import SHRINKAGES, fit_distance, held_out_sample, sums_summary
from fieldguide.heads.ridge import Solution, TagTable
from fieldguide.heads.tag_promises import LogisticCurves, TagPromises, promise_tags
from fieldguide.heads.training_table import IntArray, TrainingTable
from fieldguide.modelfile.graph import Head
from fieldguide.tasks.tags import PRESENT, Indicators

MOST_COMBINATIONS = 64
"""Combinations of tags that have a centre of their own in the distance behind typicality."""
FEWEST_OF_COMBINATION = 10
"""Images below which a combination has none."""


@dataclass(frozen=True)
class TagProbe:
    """Heads fitted to all images, with the out-of-fold answers that their promises rest on."""

    head: Head
    judged: IntArray
    """Rows of the table that were held out, growing."""
    promises: TagPromises
    """What the out-of-fold answers to these rows promise."""
    choices: tuple[str, ...]
    """A sentence for each automatic choice."""


def fit_tag_probe(
    tags: TagTable,
    depths: tuple[tuple[str, int], ...],
    seed: int,
    shrinkages: tuple[float, ...] = SHRINKAGES,
) -> TagProbe:
    """Choose the shrinkage, fit a head a tag, and derive calibration, thresholds, sets and typicality.

    Parameters
    ----------
    tags
        Features, tags and folds; folds must keep near-duplicates together, or every promise is too good. The
        class numbers of its table are those of :func:`combinations`.
    depths
        Name and width of each part of the features, from early to late.
    seed
        Of the randomised decomposition.
    shrinkages
        Candidates, each more than 0 and less than 1; a single one is taken as it is.
    """
    with threads_for(len(tags.folds)):
        held = held_out_sample(len(tags.folds), tags.indicators.shape[1], seed)
        scores = ridge.out_of_fold(tags, shrinkages, held)
        distance, distances = fit_distance(tags.table, depths, held, seed)
        promises = promise_tags(scores, tags.indicators[held], distances)
        solution = ridge.fit(tags, shrinkages[promises.chosen])
    weights, bias = _folded(tags.table, solution, promises.curves)
    return TagProbe(
        head=Head(**vars(distance), weights=weights, bias=bias),
        judged=held,
        promises=promises,
        choices=(*sums_summary(tags.table), _shrinkage_summary(shrinkages, promises), *promises.summary()),
    )


def combinations(tags: Indicators) -> IntArray:
    """Number images by their combination of tags: the frequent ones, and one number for all others.

    The distance behind typicality is that to the nearest mean; photos with the same tags have one.

    Returns
    -------
    ndarray of shape (n_images,)
        From 0, without gaps.

    Examples
    --------
    >>> combinations(np.array([[1, 0]] * 10 + [[1, 1]] * 20 + [[0, 1]], np.int8)).tolist()[::10]
    [1, 0, 0, 2]
    """
    _, first, number, counts = np.unique(
        tags == PRESENT, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -counts))
    frequent = order[:MOST_COMBINATIONS][counts[order[:MOST_COMBINATIONS]] >= FEWEST_OF_COMBINATION]
    place = np.full(len(counts), len(frequent), dtype=np.int64)
    place[frequent] = np.arange(len(frequent))
    return np.asarray(place[number.reshape(-1)])


def _folded(
    table: TrainingTable, solution: Solution, curves: LogisticCurves
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold standardisation and the logistic curves into one weight matrix and one bias."""
    weights = solution.weights.astype(np.float64) / table.scale[:, None] * curves.slopes
    bias = solution.bias.astype(np.float64) * curves.slopes + curves.intercepts
    bias -= table.mean.astype(np.float64) @ weights
    return weights.astype(np.float32), bias.astype(np.float32)


def _shrinkage_summary(shrinkages: tuple[float, ...], promises: TagPromises) -> str:
    tried = ", ".join(
        f"{shrinkage:g}: {loss:.4f}" for shrinkage, loss in zip(shrinkages, promises.losses, strict=True)
    )
    why = "the only one tried" if len(shrinkages) == 1 else "lowest cross-validated log loss"
    return f"shrinkage {shrinkages[promises.chosen]:g}: {why} ({tried})"
