"""A linear head with its promises, from features alone: what `linear-probe` is made of and others start
from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide import calibration, familiarity
from fieldguide.discriminant import Table, discriminant
from fieldguide.familiarity import Familiarity
from fieldguide.graph import Head

COVERAGE = 0.95
"""Coverage promised for prediction sets."""
SHRINKAGES = (0.4, 0.6, 0.8, 0.9)
"""Candidates for cross-validation; on the sets of docs/log.md the best lay within, and flat."""
MOST_HELD_OUT = 20_000
"""Images answered out of fold; with a thousand classes more would not fit into memory."""

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


@dataclass(frozen=True)
class _Trial:
    """One shrinkage, tried by cross-validation."""

    shrinkage: float
    temperature: float
    log_priors: FloatArray
    """Of shape (n_classes,); all 0 where the class shares are not used."""
    loss: float
    accuracy: float


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
    log_priors = np.log(np.bincount(table.labels, minlength=table.n_classes) / len(table.labels))
    problem = discriminant(table)
    held = _held_out(table, seed)
    scores = problem.out_of_fold(shrinkages, held)
    known = np.isfinite(scores[0, np.arange(len(held)), table.labels[held]])
    judged, scores = held[known], scores[:, known]
    trials = [
        _try(scores[number].astype(np.float64), table.labels[judged], log_priors, shrinkage)
        for number, shrinkage in enumerate(shrinkages)
    ]
    chosen = min(range(len(trials)), key=lambda number: trials[number].loss)
    best = trials[chosen]
    probabilities = np.exp(
        calibration.log_probabilities(scores[chosen].astype(np.float64), best.log_priors, best.temperature)
    )
    columns = familiarity.deep_columns(depths)
    distances = familiarity.out_of_fold_distances(table, columns, held, seed).astype(np.float64)
    final = familiarity.fit(table, columns, np.arange(len(table.labels)), seed)
    linear = _folded(table, problem.fit(best.shrinkage), best.temperature, best.log_priors)
    truth = probabilities[np.arange(len(judged)), table.labels[judged]]
    return Probe(
        head=_head(table, linear, final, calibration.reference_distances(distances)),
        set_threshold=calibration.set_threshold(truth, COVERAGE),
        judged=judged,
        probabilities=probabilities,
        typicality=calibration.own_typicality(distances)[known],
        uses_shares=bool(best.log_priors.any()),
        choices=_told(trials, best, len(distances)),
    )


def _held_out(table: Table, seed: int) -> IntArray:
    """The rows that are answered out of fold, growing: all, or a sample where that many say enough."""
    everything = np.arange(len(table.labels))
    if len(everything) <= MOST_HELD_OUT:
        return everything
    return np.sort(np.random.default_rng(seed).choice(everything, MOST_HELD_OUT, replace=False))


def _try(scores: FloatArray, labels: IntArray, log_priors: FloatArray, shrinkage: float) -> _Trial:
    """Calibrate with the class shares, or without them where they make more mistakes.

    They do where a few images are badly wrong (one photo under two labels among twenty): the temperature
    rises until every score is small beside the shares, and the largest class always wins.
    """
    trials = [_calibrated(scores, labels, log_p, shrinkage) for log_p in (log_priors, 0 * log_priors)]
    return max(trials, key=lambda trial: (trial.accuracy, -trial.loss))


def _calibrated(scores: FloatArray, labels: IntArray, log_priors: FloatArray, shrinkage: float) -> _Trial:
    temperature = calibration.fit_temperature(scores, labels, log_priors)
    log_p = calibration.log_probabilities(scores, log_priors, temperature)
    loss = -float(log_p[np.arange(len(labels)), labels].mean())
    accuracy = float((log_p.argmax(1) == labels).mean())
    return _Trial(shrinkage, temperature, log_priors, loss, accuracy)


def _folded(
    table: Table,
    solution: tuple[NDArray[np.float32], NDArray[np.float32]],
    temperature: float,
    log_priors: FloatArray,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold standardisation, temperature and class shares into one weight matrix and one bias."""
    weights = solution[0].astype(np.float64) / table.scale[:, None] / temperature
    bias = solution[1].astype(np.float64) / temperature - table.mean.astype(np.float64) @ weights + log_priors
    return weights.astype(np.float32), bias.astype(np.float32)


def _head(
    table: Table,
    linear: tuple[NDArray[np.float32], NDArray[np.float32]],
    distance: Familiarity,
    reference: FloatArray,
) -> Head:
    return Head(
        weights=linear[0],
        bias=linear[1],
        columns=distance.columns,
        mean=table.mean[distance.columns],
        scale=table.scale[distance.columns] * distance.scale,
        directions=distance.directions,
        evenness=distance.evenness,
        centres=distance.centres,
        reference=reference.astype(np.float32),
    )


def _told(trials: list[_Trial], best: _Trial, reference: int) -> tuple[str, ...]:
    tried = ", ".join(f"{trial.shrinkage:g}: {trial.loss:.3f}" for trial in trials)
    why = "set by the preset" if len(trials) == 1 else "lowest cross-validated log loss"
    sentences = [
        f"shrinkage {best.shrinkage:g}: {why} ({tried})",
        f"temperature {best.temperature:.3g}: makes the out-of-fold labels most probable",
    ]
    if reference < 100:
        sentences.append(
            f"unknown: never said by this model, since {reference} images cannot show a false-alarm rate "
            "of 1 % (100 can); its typicality still ranks images"
        )
    return tuple(sentences)
