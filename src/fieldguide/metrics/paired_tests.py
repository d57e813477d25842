"""Whether two models that answered the same images differ, or the difference may be chance.

Two models are right on mostly the same images, so their intervals may overlap although the difference is
certain; only the images on which exactly one is right tell them apart. Images of one group (near-duplicates,
one patient) are right or wrong together and count as one here.

What the tests are about is these models on new images of the kind. A model trained on other images may
differ a little more: the folds of a cross-validation share most of their training images (Dietterich 1998,
"Approximate statistical tests for comparing supervised classification learning algorithms"), and no test on
one data set can take that in fully (Bengio and Grandvalet 2004).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.intervals import Interval

SIGNIFICANT = 0.05
"""Differences with a corrected p-value below this are called real."""

Z = 1.959963984540054
"""Standard normal quantile of a 95 % interval."""

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Difference:
    """How two models differ on the same images."""

    value: Interval
    """Accuracy of the first less that of the second, with its 95 % interval."""
    only_first: int
    """Images that only the first model got right."""
    only_second: int
    """Images that only the second model got right."""
    p: float
    """Chance of a difference at least as large, either way, if the two were equally good."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        only = {"only_first": self.only_first, "only_second": self.only_second}
        return {"difference": self.value.as_dict(), **only, "p": self.p}


@dataclass(frozen=True)
class Pair:
    """Two models, or ways of training, on the same images.

    Examples
    --------
    >>> first, second = np.arange(100) < 90, np.arange(100) < 80
    >>> Pair("svm", "linear-probe", compare_answers(first, second), p_corrected=0.002).real
    True
    """

    first: str
    """Name of one; where there is a ranking, of the one ranked higher."""
    second: str
    difference: Difference
    p_corrected: float
    """The p-value, corrected for the number of pairs (Holm)."""

    @property
    def interval(self) -> Interval:
        """Accuracy of the first less that of the second, with its 95 % interval."""
        return self.difference.value

    @property
    def real(self) -> bool:
        """Whether the difference is more than chance: by the test, and by the interval as well."""
        interval = self.difference.value
        return self.p_corrected < SIGNIFICANT and not interval.low <= 0 <= interval.high

    @property
    def sentence(self) -> str:
        """The difference in words."""
        points = 100 * self.difference.value.value
        low, high = 100 * self.difference.value.low, 100 * self.difference.value.high
        size = f"{points:.1f} points ({low:.1f} to {high:.1f}), p = {_p_value_text(self.p_corrected)}"
        if self.real:
            return f"{self.first} is better than {self.second}: {size}"
        return f"{self.first} and {self.second} cannot be told apart: {size}"

    def as_dict(self) -> dict[str, Any]:
        """The pair as ``compare --json`` holds it."""
        return {
            "first": self.first,
            "second": self.second,
            **self.difference.as_dict(),
            "p_corrected": self.p_corrected,
            "real": self.real,
            "sentence": self.sentence,
        }


def compare_answers(first: BoolArray, second: BoolArray, groups: IntArray | None = None) -> Difference:
    """Compare two models that answered the same images.

    Parameters
    ----------
    first, second
        Whether each answer was right, of shape (n_images,), at least one image.
    groups
        Images of the same number are right or wrong together; of shape (n_images,). None: each is by
        itself.

    References
    ----------
    McNemar (1947), "Note on the sampling error of the difference between correlated proportions", in its
    exact form; with groups it is the sign test over groups, which is the same where each is one image.

    Examples
    --------
    >>> first, second = np.arange(100) < 90, np.arange(100) < 80
    >>> difference = compare_answers(first, second)
    >>> round(difference.value.value, 2), round(difference.value.low, 2), round(difference.value.high, 2)
    (0.1, 0.04, 0.17)
    >>> difference.only_first, difference.only_second, round(difference.p, 4)
    (10, 0, 0.002)
    """
    numbers = np.arange(len(first)) if groups is None else np.unique(groups, return_inverse=True)[1]
    nets = np.bincount(numbers, weights=first.astype(np.float64) - second)
    return Difference(
        value=_difference(first, second, numbers),
        only_first=int((first & ~second).sum()),
        only_second=int((second & ~first).sum()),
        p=sign_test(int((nets > 0).sum()), int((nets < 0).sum())),
    )


def sign_test(above: int, below: int) -> float:
    """The exact two-sided p-value of so many outcomes one way and so many the other, both equally likely.

    Twice the smaller tail of the binomial distribution, at most 1.

    Examples
    --------
    >>> sign_test(5, 5)
    1.0
    >>> round(sign_test(9, 1), 4)
    0.0215
    """
    n, fewer = above + below, min(above, below)
    if n == 0:
        return 1.0
    chosen = np.arange(fewer + 1)
    whole = math.lgamma(n + 1) - n * math.log(2)
    logs = np.array([whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in chosen])
    highest = float(logs.max())
    return min(1.0, 2 * math.exp(highest) * float(np.exp(logs - highest).sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, so that one false alarm among all stays as rare as for one.

    References
    ----------
    Holm (1979), "A simple sequentially rejective multiple test procedure".

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def _difference(first: BoolArray, second: BoolArray, numbers: IntArray) -> Interval:
    """Square-and-add interval of a paired difference.

    The two single intervals and the correlation of the answers make it; with groups, the number of images is
    an effective one, at which independent images would vary as much as these groups do.

    References
    ----------
    Newcombe (1998), "Improved confidence intervals for the difference between binomial proportions based on
    paired data", method 10.
    """
    n = _effective_number(first.astype(np.float64) - second, numbers)
    one, two = float(first.mean()), float(second.mean())
    (low_one, high_one), (low_two, high_two) = _wilson(one, n), _wilson(two, n)
    correlation = _correlation(first, second)
    below = _reach(one - low_one, high_two - two, correlation)
    above = _reach(high_one - one, two - low_two, correlation)
    value = one - two
    return Interval(value, max(-1.0, value - below), min(1.0, value + above))


def _reach(one: float, two: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * correlation * one * two + two**2))


def _effective_number(differences: NDArray[np.float64], numbers: IntArray) -> float:
    """Number of independent images that would vary as much as these groups do; at most the images."""
    centred = differences - differences.mean()
    alone = float((centred**2).sum())
    together = float((np.bincount(numbers, weights=centred) ** 2).sum())
    return len(differences) * min(1.0, alone / together) if together > 0 else float(len(differences))


def _wilson(value: float, n: float) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927)."""
    squared = Z**2
    middle = value + squared / (2 * n)
    reach = Z * math.sqrt(value * (1 - value) / n + squared / (4 * n**2))
    return (middle - reach) / (1 + squared / n), (middle + reach) / (1 + squared / n)


def _correlation(first: BoolArray, second: BoolArray) -> float:
    """Correlation of the answers' being right, drawn towards 0 by Newcombe's continuity correction."""
    both, neither = float((first & second).sum()), float((~first & ~second).sum())
    one, two = float((first & ~second).sum()), float((second & ~first).sum())
    below = (both + one) * (two + neither) * (both + two) * (one + neither)
    above = both * neither - one * two
    if above > 0:
        above = max(0.0, above - len(first) / 2)
    return above / math.sqrt(below) if below > 0 else 0.0


def _p_value_text(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
