"""Whether stated probabilities come true: reliability diagrams, and the interval of the calibration error."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.classification import FloatArray, IntArray, expected_calibration_error
from fieldguide.metrics.intervals import Interval, share
from fieldguide.metrics.tags import BoolArray, interval

BINS = 15
"""Of equal width, as in :func:`fieldguide.metrics.classification.expected_calibration_error`."""
REDRAWN = 400
"""Sets of images redrawn for the intervals."""


@dataclass(frozen=True)
class Bin:
    """Images whose top probability lies in one range."""

    images: int
    stated: float
    """Mean top probability."""
    reached: Interval
    """Share of right answers."""


@dataclass(frozen=True)
class Reliability:
    """Stated probability against share of right answers."""

    bins: tuple[Bin, ...]
    """Those that hold images, the lowest probabilities first."""
    ece: Interval
    """Expected calibration error; the interval is the basic bootstrap's, which takes off its upward bias."""
    by_chance: float
    """The error that a perfectly calibrated model would stay below in 95 of 100 sets of as many images."""


def reliability(confidence: NDArray[Any], correct: NDArray[Any], seed: int = 0) -> Reliability:
    """Compare stated probabilities with right answers.

    Parameters
    ----------
    confidence
        Probability of the top class in [0, 1], of shape (n_images,), at least one.
    correct
        Whether the top class is the true one, of shape (n_images,).
    seed
        Of the images redrawn.

    References
    ----------
    Davison and Hinkley (1997), section 5.2, for the basic bootstrap interval; Bröcker and Smith (2007),
    "Increasing the reliability of reliability diagrams", for redrawing right answers from stated ones.

    Examples
    --------
    >>> says_80_percent, right_in_16 = np.full(20, 0.8), np.arange(20) < 16
    >>> found = reliability(says_80_percent, right_in_16)
    >>> [(one.images, round(one.stated, 2), one.reached.value) for one in found.bins]
    [(20, 0.8, 0.8)]
    >>> round(found.ece.value, 6)
    0.0
    """
    certain, right = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    which = _bins(certain)
    bins = []
    for number in np.unique(which):
        inside = which == number
        hits = int(right[inside].sum())
        bins.append(Bin(int(inside.sum()), float(certain[inside].mean()), share(hits, int(inside.sum()))))
    rng = np.random.default_rng(seed)
    value = expected_calibration_error(certain, right)
    low, high = np.quantile(_redrawn_errors(certain - right, which, rng), [0.025, 0.975])
    by_chance = float(np.quantile(_chance_errors(certain, which, rng), 0.95))
    return Reliability(tuple(bins), _basic(value, float(low), float(high)), by_chance)


def tag_reliability(
    probabilities: NDArray[Any], shown: BoolArray, known: BoolArray, seed: int = 0
) -> Reliability:
    """Compare the stated probabilities of all tags with how often photos have them.

    Every photo counts once a tag of which it is known whether it has it. Photos are redrawn whole, since the
    errors of one photo's tags come together; the intervals of shares see the same (the infinitesimal
    jackknife, Jaeckel 1972). For `by_chance` tags are taken to be independent given the probabilities.

    Parameters
    ----------
    probabilities, shown, known
        Of shape (n_images, n_tags).
    seed
        Of the photos redrawn.

    Examples
    --------
    >>> probabilities = np.full((10, 2), 0.5)
    >>> shown = np.repeat([[True, False]], 10, axis=0)
    >>> found = tag_reliability(probabilities, shown, np.ones((10, 2), bool))
    >>> [(one.images, one.stated, one.reached.value) for one in found.bins], found.ece.value
    ([(20, 0.5, 0.5)], 0.0)
    """
    counts, stated, hits = (np.zeros((len(shown), BINS)) for _ in range(3))
    variance = np.zeros(BINS)
    for tag in range(shown.shape[1]):  # one tag after the other: all at once would take gigabytes
        rows = np.flatnonzero(known[:, tag])
        certain = np.asarray(probabilities[rows, tag], dtype=np.float64)
        which = _bins(certain)
        counts[rows, which] += 1
        stated[rows, which] += certain
        hits[rows, which] += shown[rows, tag]
        variance += np.bincount(which, weights=certain * (1 - certain), minlength=BINS)
    total, rng = max(float(counts.sum()), 1.0), np.random.default_rng(seed)
    gaps, sizes = stated - hits, counts.sum(1)
    value = float(np.abs(gaps.sum(0)).sum()) / total
    redrawn = np.empty(REDRAWN)
    for number in range(REDRAWN):
        weights = np.bincount(rng.integers(len(gaps), size=len(gaps)), minlength=len(gaps))
        redrawn[number] = np.abs(weights @ gaps).sum() / max(float(weights @ sizes), 1.0)
    low, high = np.quantile(redrawn, [0.025, 0.975])
    chance = np.abs(rng.normal(size=(REDRAWN, BINS)) * np.sqrt(variance)).sum(1) / total
    return Reliability(
        tuple(
            _tag_bin(counts[:, bin], stated[:, bin], hits[:, bin]) for bin in np.flatnonzero(counts.sum(0))
        ),
        _basic(value, float(low), float(high)),
        float(np.quantile(chance, 0.95)),
    )


def _tag_bin(counts: FloatArray, stated: FloatArray, hits: FloatArray) -> Bin:
    """A bin from what each photo adds to it."""
    whole = float(counts.sum())
    value = float(hits.sum()) / whole
    reached = interval(value, (hits - value * counts) / whole, whole)
    return Bin(int(whole), float(stated.sum()) / whole, reached)


def binned(certain: NDArray[Any], right: NDArray[Any]) -> list[tuple[int, float, float]]:
    """How many probabilities lie in each bin that holds any, their mean, and the share that came true.

    Parameters
    ----------
    certain, right
        As for :func:`reliability`.

    Examples
    --------
    >>> binned(np.array([0.1, 0.9, 0.9]), np.array([0, 1, 0]))
    [(1, 0.1, 0.0), (2, 0.9, 0.5)]
    """
    which = _bins(np.asarray(certain, dtype=np.float64))
    counts = np.bincount(which, minlength=BINS)
    stated, hits = (np.bincount(which, weights=column, minlength=BINS) for column in (certain, right))
    used = np.flatnonzero(counts).tolist()
    return [(int(counts[n]), float(stated[n] / counts[n]), float(hits[n] / counts[n])) for n in used]


def _bins(certain: FloatArray) -> IntArray:
    return np.clip(np.ceil(certain * BINS).astype(np.int64) - 1, 0, BINS - 1)


def _basic(value: float, low: float, high: float) -> Interval:
    """The basic bootstrap's interval of an error, from the quantiles of the redrawn ones."""
    return Interval(value, min(max(2 * value - high, 0.0), value), max(2 * value - low, value))


def _redrawn_errors(gaps: FloatArray, which: IntArray, rng: np.random.Generator) -> FloatArray:
    errors = np.empty(REDRAWN)
    for number in range(REDRAWN):
        drawn = rng.integers(len(gaps), size=len(gaps))
        errors[number] = np.abs(np.bincount(which[drawn], weights=gaps[drawn], minlength=BINS)).sum()
    return errors / len(gaps)


def _chance_errors(certain: FloatArray, which: IntArray, rng: np.random.Generator) -> FloatArray:
    errors = np.empty(REDRAWN)
    for number in range(REDRAWN):
        gaps = certain - (rng.random(len(certain)) < certain)
        errors[number] = np.abs(np.bincount(which, weights=gaps, minlength=BINS)).sum()
    return errors / len(certain)
