"""A linear head with its promises, from features alone: what `linear-probe` is made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads import calibration, out_of_distribution
from fieldguide.heads.blas import threads_for
from fieldguide.heads.calibration import Calibrated
from fieldguide.heads.lda import TrainingTable, discriminant
from fieldguide.heads.nonconformity import LEAST_PROBABILITY, Nonconformity
from fieldguide.heads.out_of_distribution import MahalanobisDistance
from fieldguide.heads.promises import Promises, promise
from fieldguide.modelfile.graph import Distance, Head, Ranking

SHRINKAGES = (0.4, 0.6, 0.8, 0.9)
"""Candidates for cross-validation; on the sets of docs/log.md the best lay within, and flat."""
MOST_HELD_OUT = 20_000
"""Images answered out of fold: more would not change the promises."""
MOST_ANSWERS = 10_000_000
"""Probabilities of these images together; a dozen arrays of as many numbers are in memory at once."""
FEWEST_HELD_OUT = 2_000
"""Images answered out of fold however many classes there are."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Probe:
    """A head fitted to all images, with the out-of-fold answers that its promises rest on."""

    head: Head
    judged: IntArray
    """Rows of the table that were held out and whose class the other folds knew, growing."""
    promises: Promises
    """What the out-of-fold answers to these rows promise."""
    ranking: Ranking
    """What typicality ranks by."""
    choices: tuple[str, ...]
    """A sentence for each automatic choice."""


def fit_probe(
    table: TrainingTable,
    depths: tuple[tuple[str, int], ...],
    seed: int,
    shrinkages: tuple[float, ...] = SHRINKAGES,
) -> Probe:
    """Choose the shrinkage, fit the head, and derive calibration, prediction sets and typicality.

    Parameters
    ----------
    table
        Features, labels and folds; folds must keep near-duplicates together, or every promise is too good.
    depths
        Name and width of each part of the features, from early to late.
    seed
        Of the randomised decomposition.
    shrinkages
        Candidates, each more than 0 and less than 1; a single one is taken as it is.
    """
    with threads_for(len(table.labels)):
        return _fitted(table, depths, seed, shrinkages)


def _fitted(
    table: TrainingTable, depths: tuple[tuple[str, int], ...], seed: int, shrinkages: tuple[float, ...]
) -> Probe:
    problem = discriminant(table)
    held = held_out_sample(len(table.labels), table.n_classes, seed)
    scores = problem.out_of_fold(shrinkages, held)
    distance, distances = fit_distance(table, depths, held, seed)
    promises = promise(scores, table.labels[held], table.shares, distances)
    weights, bias = _folded(table, problem.fit(shrinkages[promises.chosen]), promises.calibrated)
    return Probe(
        head=Head(**vars(distance), weights=weights, bias=bias),
        judged=held[promises.known],
        promises=promises,
        ranking=as_ranking(promises.ranking),
        choices=(_shrinkage_summary(shrinkages, promises), *promises.summary()),
    )


def fit_distance(
    table: TrainingTable, depths: tuple[tuple[str, int], ...], held: IntArray, seed: int
) -> tuple[Distance, FloatArray]:
    """Fit the distance behind typicality to all images.

    Parameters
    ----------
    table, depths, seed
        As in :func:`fit_probe`.
    held
        Rows whose out-of-fold distances become the reference.

    Returns
    -------
    Distance, ndarray of shape (n_held,)
        The distance, and those of the held-out rows.
    """
    columns = out_of_distribution.deep_columns(depths)
    with threads_for(len(table.labels)):
        distances = out_of_distribution.out_of_fold_distances(table, columns, held, seed).astype(np.float64)
        final = out_of_distribution.fit(table, columns, np.arange(len(table.labels)), seed)
    return as_distance(table, final, distances), distances


def as_distance(table: TrainingTable, fitted: MahalanobisDistance, distances: FloatArray) -> Distance:
    """Write a distance on standardised features as one on features as they come.

    Parameters
    ----------
    distances
        Of held-out images, of shape (n_held,): the reference.
    """
    return Distance(
        columns=fitted.columns,
        mean=table.mean[fitted.columns],
        scale=table.scale[fitted.columns] * fitted.scale,
        directions=fitted.directions,
        evenness=fitted.evenness,
        centres=fitted.centres,
        reference=calibration.reference_distances(distances).astype(np.float32),
    )


def as_ranking(found: Nonconformity) -> Ranking:
    """Write measures of held-out images as a model file holds them.

    A file's logits differ from logarithms of probabilities by what all classes share, which the directions
    take out.
    """
    return Ranking(
        directions=found.scores.directions.astype(np.float32),
        centres=found.scores.centres.astype(np.float32),
        knots=tuple(one.knots.astype(np.float32) for one in found.surprisals),
        slopes=tuple(one.slopes.astype(np.float32) for one in found.surprisals),
        least_probability=LEAST_PROBABILITY,
        reference=calibration.reference_distances(found.reference).astype(np.float32),
    )


def held_out_sample(images: int, n_classes: int, seed: int) -> IntArray:
    """Which images are answered out of fold, growing: all, or a sample where that many say enough.

    Examples
    --------
    >>> held_out_sample(images=5, n_classes=2, seed=0).tolist()
    [0, 1, 2, 3, 4]
    >>> len(held_out_sample(images=1_000_000, n_classes=1_000, seed=0))
    10000
    """
    most = min(MOST_HELD_OUT, max(MOST_ANSWERS // n_classes, FEWEST_HELD_OUT))
    if images <= most:
        return np.arange(images)
    return np.sort(np.random.default_rng(seed).choice(images, most, replace=False))


def _shrinkage_summary(shrinkages: tuple[float, ...], promises: Promises) -> str:
    losses = zip(shrinkages, promises.losses, strict=True)
    tried = ", ".join(f"{shrinkage:g}: {loss:.3f}" for shrinkage, loss in losses)
    why = "the only one tried" if len(shrinkages) == 1 else "lowest cross-validated log loss"
    return f"shrinkage {shrinkages[promises.chosen]:g}: {why} ({tried})"


def _folded(
    table: TrainingTable, solution: tuple[NDArray[np.float32], NDArray[np.float32]], calibrated: Calibrated
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold standardisation, temperature and class shares into one weight matrix and one bias."""
    temperature = calibrated.temperature
    weights = solution[0].astype(np.float64) / table.scale[:, None] / temperature
    bias = solution[1].astype(np.float64) / temperature - table.mean.astype(np.float64) @ weights
    return weights.astype(np.float32), (bias + calibrated.log_priors).astype(np.float32)
