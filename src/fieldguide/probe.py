"""A linear head with its promises, from features alone: what `linear-probe` is made of and others start
from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide import calibration, familiarity
from fieldguide.blas import threads_for
from fieldguide.calibration import Calibrated
from fieldguide.discriminant import Table, discriminant
from fieldguide.familiarity import Familiarity
from fieldguide.graph import Distance, Head

COVERAGE = 0.95
"""Coverage promised for prediction sets."""
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
    set_threshold: float
    """Classes at least this probable belong to the prediction set."""
    judged: IntArray
    """Rows of the table that were held out and whose class the other folds knew, growing."""
    probabilities: FloatArray
    """Out-of-fold, of shape (n_judged, n_classes)."""
    typicality: FloatArray
    """Out-of-fold, of shape (n_judged,)."""
    uses_shares: bool
    """Whether probabilities expect the class shares of the training images."""
    choices: tuple[str, ...]
    """A sentence for each automatic choice."""


def fit_probe(
    table: Table,
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
    table: Table, depths: tuple[tuple[str, int], ...], seed: int, shrinkages: tuple[float, ...]
) -> Probe:
    problem = discriminant(table)
    held = held_out_sample(len(table.labels), table.n_classes, seed)
    scores = problem.out_of_fold(shrinkages, held)
    known = np.isfinite(scores[0, np.arange(len(held)), table.labels[held]])
    judged, scores = held[known], scores[:, known]
    trials = [
        calibration.calibrate(trial.astype(np.float64), table.labels[judged], table.shares)
        for trial in scores
    ]
    chosen = min(range(len(trials)), key=lambda number: trials[number].loss)
    best = trials[chosen]
    probabilities = best.probabilities(scores[chosen].astype(np.float64))
    distance, distances = fit_distance(table, depths, held, seed)
    weights, bias = _folded(table, problem.fit(shrinkages[chosen]), best)
    truth = probabilities[np.arange(len(judged)), table.labels[judged]]
    return Probe(
        head=Head(**vars(distance), weights=weights, bias=bias),
        set_threshold=calibration.set_threshold(truth, COVERAGE),
        judged=judged,
        probabilities=probabilities,
        typicality=calibration.own_typicality(distances)[known],
        uses_shares=bool(best.log_priors.any()),
        choices=(_told_shrinkage(shrinkages, trials, chosen), *told_promises(best, len(distances))),
    )


def fit_distance(
    table: Table, depths: tuple[tuple[str, int], ...], held: IntArray, seed: int
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
    columns = familiarity.deep_columns(depths)
    with threads_for(len(table.labels)):
        distances = familiarity.out_of_fold_distances(table, columns, held, seed).astype(np.float64)
        final = familiarity.fit(table, columns, np.arange(len(table.labels)), seed)
    return as_distance(table, final, distances), distances


def as_distance(table: Table, fitted: Familiarity, distances: FloatArray) -> Distance:
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


def held_out_sample(images: int, n_classes: int, seed: int) -> IntArray:
    """Which images are answered out of fold, growing: all, or a sample where that many say enough."""
    most = min(MOST_HELD_OUT, max(MOST_ANSWERS // n_classes, FEWEST_HELD_OUT))
    if images <= most:
        return np.arange(images)
    return np.sort(np.random.default_rng(seed).choice(images, most, replace=False))


def told_promises(calibrated: Calibrated, reference: int) -> tuple[str, ...]:
    """Sentences on the temperature and, with fewer than 100 held-out images, on `unknown`."""
    sentences = [
        f"temperature {calibrated.temperature:.3g}: makes the out-of-fold labels most probable",
    ]
    if reference < 100:
        sentences.append(
            f"unknown: never said by this model, since {reference} images cannot show a false-alarm rate "
            "of 1 % (100 can); its typicality still ranks images"
        )
    return tuple(sentences)


def _told_shrinkage(shrinkages: tuple[float, ...], trials: list[Calibrated], chosen: int) -> str:
    tried = ", ".join(
        f"{shrinkage:g}: {trial.loss:.3f}" for shrinkage, trial in zip(shrinkages, trials, strict=True)
    )
    why = "the only one tried" if len(trials) == 1 else "lowest cross-validated log loss"
    return f"shrinkage {shrinkages[chosen]:g}: {why} ({tried})"


def _folded(
    table: Table, solution: tuple[NDArray[np.float32], NDArray[np.float32]], calibrated: Calibrated
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold standardisation, temperature and class shares into one weight matrix and one bias."""
    temperature = calibrated.temperature
    weights = solution[0].astype(np.float64) / table.scale[:, None] / temperature
    bias = solution[1].astype(np.float64) / temperature - table.mean.astype(np.float64) @ weights
    return weights.astype(np.float32), (bias + calibrated.log_priors).astype(np.float32)
