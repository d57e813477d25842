"""How good predicted tags are, with intervals: average precision, F1, precision, recall, calibration.

Intervals are those of :mod:`fieldguide.metrics.intervals`: exact, with an effective number of photos that
follows from the infinitesimal jackknife (Jaeckel 1972). Each figure therefore has an *influence* a photo: how
much it moves when the photo counts more. What is not known of a photo's tags counts in no figure.

Ratios with nothing below the line count 0, and macro averages run over the tags that occur in the truth or
are given, as for single labels.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.classification import FloatArray, expected_calibration_error, ratio
from fieldguide.metrics.intervals import LEVEL, Interval, effective_share

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class TagCounts:
    """Which tags photos have and which they were given; arrays of shape (n_images, n_tags)."""

    shown: BoolArray
    """The photo has the tag."""
    given: BoolArray
    """The photo was given the tag, and it is known whether it has it."""
    known: BoolArray
    """Whether it is known."""

    @staticmethod
    def of(shown: BoolArray, given: BoolArray, known: BoolArray) -> "TagCounts":
        """Leave out what is not known."""
        return TagCounts(shown & known, given & known, known)

    @property
    def hits(self) -> BoolArray:
        """Tags given that are true."""
        return self.shown & self.given

    @property
    def support(self) -> NDArray[np.int64]:
        """Photos that have each tag, of shape (n_tags,)."""
        return np.asarray(self.shown.sum(0), dtype=np.int64)

    @property
    def occurring(self) -> BoolArray:
        """Tags that occur in the truth or are given, of shape (n_tags,)."""
        return np.asarray(self.shown.any(0) | self.given.any(0))


@dataclass(frozen=True)
class TagScores:
    """Scores of each tag; arrays of shape (n_tags,)."""

    precision: FloatArray
    """Share of the photos given this tag that have it."""
    recall: FloatArray
    """Share of the photos with this tag that were given it."""
    f1: FloatArray
    """Harmonic mean of both."""
    support: NDArray[np.int64]
    """Photos with this tag."""


def tag_scores(counts: TagCounts) -> TagScores:
    """Precision, recall and F1 of every tag.

    Examples
    --------
    >>> shown, given = np.array([[1, 0], [1, 1]], bool), np.array([[1, 1], [0, 1]], bool)
    >>> scores = tag_scores(TagCounts.of(shown, given, np.ones((2, 2), bool)))
    >>> scores.precision.tolist(), scores.recall.tolist()
    ([1.0, 0.5], [0.5, 1.0])
    """
    hits, given, support = counts.hits.sum(0), counts.given.sum(0), counts.support
    return TagScores(ratio(hits, given), ratio(hits, support), ratio(2 * hits, given + support), support)


@dataclass(frozen=True)
class AveragePrecision:
    """The average precision of every tag, and of all."""

    values: FloatArray
    """Of shape (n_tags,); NaN for a tag that no photo has."""
    intervals: tuple[Interval | None, ...]
    """With intervals; None for a tag that no photo has."""
    mean: Interval | None
    """Mean over the tags that photos have; None where there are none."""
    influence: FloatArray = field(repr=False)
    """How much the mean moves with each photo, of shape (n_images,)."""


def average_precision(
    probabilities: NDArray[np.float32], shown: BoolArray, known: BoolArray
) -> AveragePrecision:
    """Average precision: precision at each photo that has the tag, averaged over these photos.

    scikit-learn's definition (``average_precision_score``); photos of equal probability count together.

    Parameters
    ----------
    probabilities, shown, known
        Of shape (n_images, n_tags).

    Examples
    --------
    >>> probabilities = np.array([[0.9], [0.8], [0.7], [0.1]], np.float32)
    >>> shown = np.array([[1], [0], [1], [0]], bool)
    >>> average_precision(probabilities, shown, np.ones((4, 1), bool)).values.round(3).tolist()
    [0.833]
    """
    tags = shown.shape[1]
    values, total = np.full(tags, np.nan), np.zeros(len(shown))
    found: list[Interval | None] = [None] * tags
    support = (shown & known).sum(0)
    for tag in range(tags):
        if support[tag]:
            rows = np.flatnonzero(known[:, tag])
            value, influence = _one_average_precision(probabilities[rows, tag], shown[rows, tag])
            values[tag], found[tag] = value, interval(value, influence, float(support[tag]))
            total[rows] += influence
    having = support > 0
    if not having.any():
        return AveragePrecision(values, tuple(found), None, total)
    most = float(having.sum() ** 2 / (1 / support[having]).sum())
    total /= having.sum()
    return AveragePrecision(values, tuple(found), interval(float(np.nanmean(values)), total, most), total)


def _one_average_precision(probabilities: NDArray[np.float32], shown: BoolArray) -> tuple[float, FloatArray]:
    """The value, and the influence of each photo on it."""
    order = np.argsort(-probabilities, kind="stable")
    ranked, own = probabilities[order], shown[order].astype(np.float64)
    last = np.searchsorted(-ranked, -ranked, side="right") - 1  # of those that are equally probable
    first = np.searchsorted(-ranked, -ranked, side="left")
    count = last + 1.0
    precision = np.cumsum(own)[last] / count
    positives = own.sum()
    value = float((own * precision).sum() / positives)
    # a photo is part of the precision at every rank from its own on
    gain, cost = (np.cumsum((own * term)[::-1])[::-1][first] for term in (1 / count, precision / count))
    influence = np.empty(len(own))
    influence[order] = (own * (precision - value) + own * gain - cost) / positives
    return value, influence


@dataclass(frozen=True)
class TagAverages:
    """Figures over all tags, each with its interval."""

    micro_precision: Interval
    """Share of all tags given that are true."""
    micro_recall: Interval
    """Share of all true tags that were given."""
    micro_f1: Interval
    """Harmonic mean of both."""
    macro_precision: Interval
    """Mean over tags; so are the next two."""
    macro_recall: Interval
    """Mean recall."""
    macro_f1: Interval
    """Mean F1."""


def tag_averages(counts: TagCounts) -> TagAverages:
    """Micro and macro averages.

    Examples
    --------
    >>> shown, given = np.array([[1, 0], [1, 1]], bool), np.array([[1, 1], [0, 1]], bool)
    >>> round(tag_averages(TagCounts.of(shown, given, np.ones((2, 2), bool))).micro_f1.value, 3)
    0.667
    """
    hits, given, shown = (part.astype(np.float32) for part in (counts.hits, counts.given, counts.shown))
    ratios = {"precision": (hits, given), "recall": (hits, shown), "f1": (2 * hits, given + shown)}
    found = {}
    for name, (above, below) in ratios.items():
        found[f"micro_{name}"] = _micro(above, below)
        found[f"macro_{name}"] = _macro(above, below, counts)
    return TagAverages(**found)


def _micro(above: NDArray[np.float32], below: NDArray[np.float32]) -> Interval:
    whole = float(below.sum(dtype=np.float64))
    if not whole:
        return effective_share(0.0, len(above))
    value = float(above.sum(dtype=np.float64)) / whole
    influence = (above.sum(1, dtype=np.float64) - value * below.sum(1, dtype=np.float64)) / whole
    return interval(value, influence, float(len(above)))


def _macro(above: NDArray[np.float32], below: NDArray[np.float32], counts: TagCounts) -> Interval:
    among, support = counts.occurring, counts.support
    if not among.any():
        return effective_share(0.0, len(above))
    whole = below.sum(0, dtype=np.float64)
    values = ratio(above.sum(0, dtype=np.float64), whole)
    slopes = ratio(np.ones_like(whole), whole) / among.sum()
    influence = above @ slopes - below @ (slopes * values)
    having = support[support > 0]
    most = len(having) ** 2 / float((1 / having).sum()) if len(having) else float(len(above))
    return interval(float(values[among].mean()), influence, most)


def interval(value: float, influence: FloatArray, most: float, level: float = LEVEL) -> Interval:
    """The interval of a figure between 0 and 1.

    Parameters
    ----------
    value
        The figure.
    influence
        How much it moves with each photo, of shape (n_images,).
    most
        Photos that it may count as at most: with few, influences see too little spread.
    level
        Confidence, between 0 and 1.
    """
    variance = float((influence**2).sum())
    seen = value * (1 - value) / variance if variance > 0 else most
    return effective_share(value, max(min(seen, most), 1e-3), level)


def mean_interval(values: FloatArray, level: float = LEVEL) -> Interval:
    """The interval of a mean of numbers between 0 and 1, of which there is at least one.

    Examples
    --------
    >>> found = mean_interval(np.array([1.0, 0.5, 1.0, 1.0]))
    >>> found.value, found.low < 0.875 < found.high
    (0.875, True)
    """
    value = float(values.mean())
    return interval(value, (values - value) / len(values), float(len(values)), level)


def calibration_errors(probabilities: NDArray[np.float32], shown: BoolArray, known: BoolArray) -> FloatArray:
    """Expected calibration error of every tag; NaN where nothing is known of it.

    Photos are sorted into 15 bins of equal width by the tag's probability.

    Examples
    --------
    >>> probabilities = np.full((10, 1), 0.9, np.float32)
    >>> in_half = np.arange(10)[:, None] < 5
    >>> calibration_errors(probabilities, in_half, np.ones((10, 1), bool)).round(3).tolist()
    [0.4]
    """
    found = np.full(shown.shape[1], np.nan)
    for tag in range(shown.shape[1]):
        rows = known[:, tag]
        if rows.any():
            found[tag] = expected_calibration_error(probabilities[rows, tag], shown[rows, tag])
    return found


def covered_shares(shown: BoolArray, members: BoolArray) -> FloatArray:
    """Share of each photo's true tags that its set holds, of the photos that have any.

    Examples
    --------
    >>> shown, members = np.array([[1, 1], [0, 0]], bool), np.array([[1, 0], [1, 1]], bool)
    >>> covered_shares(shown, members).tolist()
    [0.5]
    """
    having = shown.any(1)
    return np.asarray((shown & members)[having].sum(1) / shown[having].sum(1), dtype=np.float64)
