"""How sure a measured number is: 95 % intervals that stay honest for small and for perfect results.

Plain shares (accuracy, top-5, coverage) get the exact interval of Clopper and Pearson (1934). Macro averages
and the area under the ROC curve get the same interval with an *effective* number of images (Korn and
Graubard 1998): the number at which a plain share would vary as much as this average does. That variance is
the infinitesimal jackknife's (Jaeckel 1972; for macro F1 Takahashi et al. 2022) or DeLong's (1988), in closed
form: no random numbers, and no cost at 1,000 classes and 100,000 images.

Why not a percentile bootstrap: it answers [1, 1] for ten right answers of ten, and with few images a class
it covers the truth too rarely; docs/metrics.md has the figures.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics import classification
from fieldguide.metrics.classification import FloatArray, IntArray

LEVEL = 0.95
"""Coverage that every interval of the package states."""


@dataclass(frozen=True)
class Interval:
    """A measured value and the range that holds the true one with 95 % confidence."""

    value: float
    """What was measured on these images."""
    low: float
    """Lower end."""
    high: float
    """Upper end."""

    def as_dict(self) -> dict[str, float]:
        """The three numbers as JSON holds them."""
        return {"value": self.value, "low": self.low, "high": self.high}


def share(successes: float, n: float, level: float = LEVEL) -> Interval:
    """The exact interval of a share.

    Parameters
    ----------
    successes
        In 0 to `n`; need not be whole when `n` is an effective number.
    n
        Number of trials, above 0.
    level
        Confidence, between 0 and 1.

    References
    ----------
    Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of the
    binomial".

    Examples
    --------
    >>> ten_of_ten = share(10, 10)
    >>> round(ten_of_ten.low, 3), ten_of_ten.high
    (0.692, 1.0)
    >>> nine_hundred = share(900, 1000)
    >>> round(nine_hundred.low, 3), round(nine_hundred.high, 3)
    (0.88, 0.918)
    """
    tail = (1 - level) / 2
    low = beta_quantile(tail, successes, n - successes + 1) if successes > 0 else 0.0
    high = beta_quantile(1 - tail, successes + 1, n - successes) if successes < n else 1.0
    return Interval(successes / n, low, high)


def balanced_accuracy(confusion: IntArray) -> Interval:
    """Balanced accuracy with its interval, from a confusion matrix.

    Examples
    --------
    >>> interval = balanced_accuracy(np.array([[95, 5], [4, 6]]))
    >>> round(interval.value, 3), round(interval.low, 2), round(interval.high, 2)
    (0.775, 0.58, 0.91)
    """
    present = confusion.sum(axis=1) > 0
    return _macro(confusion, classification.balanced_accuracy(confusion), _recall_influence, present)


def macro_recall(confusion: IntArray) -> Interval:
    """Macro recall with its interval, from a confusion matrix."""
    value = classification.macro_average(classification.class_scores(confusion).recall, confusion)
    return _macro(confusion, value, _recall_influence, classification.occurring(confusion))


def macro_precision(confusion: IntArray) -> Interval:
    """Macro precision with its interval, from a confusion matrix."""
    value = classification.macro_average(classification.class_scores(confusion).precision, confusion)
    return _macro(confusion, value, _precision_influence, classification.occurring(confusion))


def macro_f1(confusion: IntArray) -> Interval:
    """Macro F1 with its interval, from a confusion matrix."""
    value = classification.macro_average(classification.class_scores(confusion).f1, confusion)
    return _macro(confusion, value, _f1_influence, classification.occurring(confusion))


def auroc(low: FloatArray, high: FloatArray) -> Interval:
    """Area under the ROC curve with its interval.

    Parameters
    ----------
    low, high
        Values of the group that should score low and of the one that should score high; not empty.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), in the form of Sun and Xu (2014).

    Examples
    --------
    >>> interval = auroc(low=np.array([0.1, 0.2, 0.3]), high=np.array([0.7, 0.8, 0.9]))
    >>> interval.value, round(interval.low, 2)  # three of three is not yet much
    (1.0, 0.29)
    """
    above, below = classification.placements(high, low), 1 - classification.placements(low, high)
    value = float(above.mean())
    variance = sum(float(side.var(ddof=1)) / len(side) for side in (above, below) if len(side) > 1)
    # A share of min(n, m) varies at most this much more than the area does (Birnbaum and Klose 1957).
    fewest, most = min(len(low), len(high)), len(low) + len(high)
    wanted = value * (1 - value) / variance if variance > 0 else fewest
    return effective_share(value, min(max(wanted, fewest), most))


def effective_share(value: float, n: float, level: float = LEVEL) -> Interval:
    """The exact interval of a figure that varies as a share of `n` images does (Korn and Graubard 1998)."""
    value = min(max(value, 0.0), 1.0)
    interval = share(value * n, n, level)
    return Interval(value, min(interval.low, value), max(interval.high, value))


Influence = Callable[[IntArray, IntArray, IntArray], FloatArray]
"""(confusion, true class, predicted class of each filled cell) -> change of the sum per image added there."""


def _macro(confusion: IntArray, value: float, influence: Influence, among: NDArray[np.bool_]) -> Interval:
    rows, columns = np.nonzero(confusion)
    images = confusion[rows, columns]
    slopes = influence(confusion, rows, columns) / int(among.sum())
    variance = float((images * slopes**2).sum())
    support = confusion.sum(axis=1)
    present = support[support > 0]
    # With few images a class the slopes see too little spread; then the classes are taken to be equally hard.
    alike = len(present) ** 2 / float((1 / present).sum())
    seen = value * (1 - value) / variance if variance > 0 else math.inf
    return effective_share(value, min(seen, alike))


def _recall_influence(confusion: IntArray, rows: IntArray, columns: IntArray) -> FloatArray:
    scores = classification.class_scores(confusion)
    slopes: FloatArray = ((rows == columns) - scores.recall[rows]) / scores.support[rows]
    return slopes


def _precision_influence(confusion: IntArray, rows: IntArray, columns: IntArray) -> FloatArray:
    precision, given = classification.class_scores(confusion).precision, confusion.sum(axis=0)
    slopes: FloatArray = ((rows == columns) - precision[columns]) / given[columns]
    return slopes


def _f1_influence(confusion: IntArray, rows: IntArray, columns: IntArray) -> FloatArray:
    f1, both = classification.class_scores(confusion).f1, confusion.sum(axis=0) + confusion.sum(axis=1)
    pull = f1 / np.maximum(both, 1)
    slopes: FloatArray = (rows == columns) * 2 / both[rows] - pull[rows] - pull[columns]
    return slopes


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The value below which a Beta(a, b) variable falls with this probability, to within 1e-12."""
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        if _beta_distribution(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_distribution(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function, by its continued fraction (Numerical Recipes, section 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    scale = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return scale * _continued_fraction(x, a, b) / a
    return 1 - scale * _continued_fraction(1 - x, b, a) / b


def _continued_fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for step in range(1, 10_000):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        change = 1.0
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d, tiny)
            c = _away_from_zero(1 + term / c, tiny)
            change = c * d
            value *= change
        if abs(change - 1) < 1e-15:
            break
    return value


def _away_from_zero(x: float, tiny: float) -> float:
    return x if abs(x) > tiny else tiny
