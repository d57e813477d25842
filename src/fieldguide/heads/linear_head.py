"""A linear head with its promises, from features alone: what `linear-probe` is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads import calibration, out_of_distribution
from fieldguide.heads.blas import threads_for
from fieldguide.heads.calibration import Calibrated
from fieldguide.heads.lda import ByProducts, ByRelevance, Discriminant, discriminant
from fieldguide.heads.nonconformity import LEAST_PROBABILITY, Nonconformity
from fieldguide.heads.out_of_distribution import MahalanobisDistance
from fieldguide.heads.promises import Promises, promise
from fieldguide.heads.scatter import MANY
from fieldguide.heads.training_table import TrainingTable
from fieldguide.modelfile.graph import Distance, Head, Ranking

SHRINKAGES = (0.4, 0.6, 0.8, 0.9)
"""Candidates for cross-validation; on the sets of docs/log.md the best lay within, and flat."""
FOR_FEW_IMAGES = (0.95, 0.98)
"""Further candidates where there are so few images that trying them costs next to nothing."""
MOST_BY_RELEVANCE = 2500
"""Images up to which features weighted by relevance are tried: with more, little was gained at more cost."""
MOST_HELD_OUT = 20_000
"""Images answered out of fold: more would not change the promises."""
MOST_ANSWERS = 10_000_000
"""Probabilities of these images together; a dozen arrays of as many numbers are in memory at once."""
FEWEST_HELD_OUT = 2_000
"""Images answered out of fold however many classes there are."""

NAMES = ("features as they come", "features weighted by relevance")
"""Of the forms that are tried, in this order."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_Candidate = tuple[Discriminant, tuple[float, ...]]


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
    tried = _candidates(table, shrinkages)
    held = held_out_sample(len(table.labels), table.n_classes, seed)
    scores = np.concatenate([problem.out_of_fold(values, held) for problem, values in tried])
    distance, distances = fit_distance(table, depths, held, seed)
    promises = promise(scores, table.labels[held], table.shares, distances)
    problem, shrinkage = [(problem, value) for problem, values in tried for value in values][promises.chosen]
    weights, bias = _folded(table, problem.fit(shrinkage), promises.calibrated)
    return Probe(
        head=Head(**vars(distance), weights=weights, bias=bias),
        judged=held[promises.known],
        promises=promises,
        ranking=as_ranking(promises.ranking),
        choices=(*sums_summary(table), _shrinkage_summary(tried, promises), *promises.summary()),
    )


def _candidates(table: TrainingTable, shrinkages: tuple[float, ...]) -> list[_Candidate]:
    """What is tried, each with its shrinkages; features as they come first."""
    plain = discriminant(table)
    if not isinstance(plain, ByProducts) or len(table.labels) > MOST_BY_RELEVANCE:
        return [(plain, shrinkages)]
    if len(shrinkages) > 1:
        shrinkages = (*shrinkages, *FOR_FEW_IMAGES)
    return [(plain, shrinkages), (ByRelevance(table), shrinkages)]


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


def sums_summary(table: TrainingTable) -> tuple[str, ...]:
    """A sentence on the sums that a head of so many images comes from; none where they are few."""
    images = len(table.labels)
    if images < MANY:
        return ()
    said = f"added up over {images:,} images, of which few are in memory at once"
    return (f"fitted from sums: class means and a scatter matrix of each fold, {said}",)


def _shrinkage_summary(tried: Sequence[_Candidate], promises: Promises) -> str:
    """The losses of the chosen form, and the best of the other."""
    losses = iter(promises.losses)
    by_form = [[(next(losses), value) for value in values] for _, values in tried]
    form, (_, shrinkage) = [(form, pair) for form, pairs in enumerate(by_form) for pair in pairs][
        promises.chosen
    ]
    said = ", ".join(f"{value:g}: {loss:.3f}" for loss, value in by_form[form])
    others = [
        f"; {NAMES[other]} at best {min(pairs)[0]:.3f}"
        for other, pairs in enumerate(by_form)
        if other != form
    ]
    why = "the only one tried" if len(promises.losses) == 1 else "lowest cross-validated log loss"
    weighted = f", {NAMES[form]}" * bool(form)
    return f"shrinkage {shrinkage:g}{weighted}: {why} ({said}{''.join(others)})"


def _folded(
    table: TrainingTable, solution: tuple[NDArray[np.float32], NDArray[np.float32]], calibrated: Calibrated
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold standardisation, temperature and class shares into one weight matrix and one bias."""
    temperature = calibrated.temperature
    weights = solution[0].astype(np.float64) / table.scale[:, None] / temperature
    bias = solution[1].astype(np.float64) / temperature - table.mean.astype(np.float64) @ weights
    return weights.astype(np.float32), (bias + calibrated.log_priors).astype(np.float32)
