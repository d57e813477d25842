"""Whether stated probabilities come true: the bins of a reliability diagram, and the calibration "
"error's interval."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.intervals import Interval, share
from fieldguide.metrics import FloatArray, IntArray, expected_calibration_error

BINS = 15
"""Of equal width, as in :func:`fieldguide.metrics.expected_calibration_error`."""
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
    """
    certain, right = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    which = np.clip(np.ceil(certain * BINS).astype(np.int64) - 1, 0, BINS - 1)
    bins = []
    for number in np.unique(which):
        inside = which == number
        hits = int(right[inside].sum())
        bins.append(Bin(int(inside.sum()), float(certain[inside].mean()), share(hits, int(inside.sum()))))
    rng = np.random.default_rng(seed)
    value = expected_calibration_error(certain, right)
    low, high = np.quantile(_redrawn_errors(certain - right, which, rng), [0.025, 0.975])
    interval = Interval(value, min(max(2 * value - high, 0.0), value), max(2 * value - low, value))
    return Reliability(tuple(bins), interval, float(np.quantile(_chance_errors(certain, which, rng), 0.95)))


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
