"""How good predictions are: the usual numbers, in numpy alone.

Conventions, where several are in use (docs/metrics.md gives the sources):

- macro averages run over the classes that occur in the truth *or* among the predictions, and a ratio
  with nothing below the line counts 0 (scikit-learn's ``zero_division=0``);
- balanced accuracy runs over the classes that occur in the truth;
- the expected calibration error uses 15 bins of equal width on the top probability.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
"""Log loss never takes a probability to be smaller: model files answer in float32."""


@dataclass(frozen=True)
class ClassScores:
    """Scores of each class against all others; four arrays of shape (n_classes,)."""

    precision: FloatArray
    """Share of the images given this class that are of it; 0 where none was given it."""
    recall: FloatArray
    """Share of the images of this class that were given it; 0 where there are none."""
    f1: FloatArray
    """Harmonic mean of precision and recall; 0 where both are."""
    support: IntArray
    """Number of images of this class."""


def confusion_matrix(truth: NDArray[Any], predicted: NDArray[Any], n_classes: int) -> IntArray:
    """Count how often each class was taken for each other.

    Parameters
    ----------
    truth, predicted
        Class numbers in 0 to `n_classes` - 1, of shape (n_images,).
    n_classes
        Number of classes.

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int64
        Rows are true classes, columns predicted ones.

    Examples
    --------
    >>> truth, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    >>> confusion_matrix(truth, predicted, n_classes=3).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    """
    cells = np.asarray(truth, dtype=np.int64) * n_classes + np.asarray(predicted, dtype=np.int64)
    return np.bincount(cells, minlength=n_classes * n_classes).reshape(n_classes, n_classes).astype(np.int64)


def class_scores(confusion: IntArray) -> ClassScores:
    """Precision, recall, F1 and support of every class, from a confusion matrix.

    Examples
    --------
    >>> scores = class_scores(np.array([[8, 2], [4, 6]]))
    >>> scores.precision.round(3).tolist(), scores.recall.tolist(), scores.support.tolist()
    ([0.667, 0.75], [0.8, 0.6], [10, 10])
    """
    hits = np.diagonal(confusion).astype(np.float64)
    support, given = confusion.sum(axis=1), confusion.sum(axis=0)
    return ClassScores(
        precision=ratio(hits, given),
        recall=ratio(hits, support),
        f1=ratio(2 * hits, support + given),
        support=support,
    )


def accuracy(confusion: IntArray) -> float:
    """Share of images given their true class; of at least one image."""
    return float(np.trace(confusion) / confusion.sum())


def balanced_accuracy(confusion: IntArray) -> float:
    """Mean recall over the classes that occur in the truth: every class counts the same.

    Examples
    --------
    >>> always_the_first = np.array([[90, 0], [10, 0]])
    >>> accuracy(always_the_first), balanced_accuracy(always_the_first)
    (0.9, 0.5)
    """
    scores = class_scores(confusion)
    return float(scores.recall[scores.support > 0].mean())


def macro_average(scores: FloatArray, confusion: IntArray) -> float:
    """Mean of per-class `scores` over the classes that occur in the truth or among the predictions.

    Examples
    --------
    >>> confusion = np.array([[8, 2, 0], [4, 6, 0], [0, 0, 0]])  # nothing of the third class
    >>> macro_average(class_scores(confusion).recall, confusion)
    0.7
    """
    return float(scores[occurring(confusion)].mean())


def occurring(confusion: IntArray) -> NDArray[np.bool_]:
    """Which classes occur in the truth or among the predictions; of shape (n_classes,)."""
    return np.asarray((confusion.sum(axis=0) + confusion.sum(axis=1)) > 0)


def truth_ranks(truth: NDArray[Any], probabilities: NDArray[Any]) -> IntArray:
    """How many classes each image holds more likely than its true one: 0 where the top answer is right.

    Parameters
    ----------
    truth
        Class numbers, of shape (n_images,).
    probabilities
        Of shape (n_images, n_classes). Among equals, the class with the lower number comes first.

    Examples
    --------
    >>> probabilities = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    >>> truth_ranks(np.array([0, 2]), probabilities).tolist()
    [0, 2]
    """
    own = np.take_along_axis(probabilities, np.asarray(truth)[:, None], axis=1)
    before = np.arange(probabilities.shape[1]) < np.asarray(truth)[:, None]
    ranks: IntArray = ((probabilities > own) | ((probabilities == own) & before)).sum(axis=1)
    return ranks


def log_loss(truth_probabilities: NDArray[Any]) -> float:
    """Mean of -ln(probability given to the true class), in nats; 0 is perfect.

    Parameters
    ----------
    truth_probabilities
        Of shape (n_images,); values below :data:`SMALLEST_PROBABILITY` are taken as that.

    Examples
    --------
    >>> round(log_loss(np.array([1.0, 0.5])), 4)
    0.3466
    >>> round(log_loss(np.array([0.0])), 4)  # a certain mistake costs much, but not infinitely much
    15.9424
    """
    clipped = np.clip(np.asarray(truth_probabilities, dtype=np.float64), SMALLEST_PROBABILITY, 1.0)
    return float(abs(np.log(clipped).mean()))


def expected_calibration_error(confidence: NDArray[Any], correct: NDArray[Any], bins: int = 15) -> float:
    """How far stated confidence and share of right answers lie apart, 0 (calibrated) to 1.

    Images are sorted into `bins` of equal width by the probability of their top class; the absolute
    differences between mean confidence and accuracy are averaged over the bins, weighted by their images
    (Naeini et al. 2015; Guo et al. 2017).

    Parameters
    ----------
    confidence
        Probability of the top class in [0, 1], of shape (n_images,).
    correct
        Whether the top class is the true one, of shape (n_images,).
    bins
        Number of bins; 15 as in Guo et al.

    Examples
    --------
    >>> confidence = np.full(10, 0.9)
    >>> right_in_half = np.arange(10) < 5
    >>> round(expected_calibration_error(confidence, right_in_half), 3)
    0.4
    """
    certain = np.asarray(confidence, dtype=np.float64)
    which = np.clip(np.ceil(certain * bins).astype(np.int64) - 1, 0, bins - 1)
    stated = np.bincount(which, weights=certain, minlength=bins)
    reached = np.bincount(which, weights=np.asarray(correct, dtype=np.float64), minlength=bins)
    return float(np.abs(stated - reached).sum() / len(certain))


def auroc(low: NDArray[Any], high: NDArray[Any]) -> float:
    """Chance that a value from `high` exceeds one from `low`, ties counting half (Mann and Whitney 1947).

    Parameters
    ----------
    low, high
        Values of the group that should score low and of the one that should score high; not empty.

    Examples
    --------
    >>> auroc(low=np.array([0.1, 0.4]), high=np.array([0.4, 0.9]))
    0.875
    """
    return float(placements(np.asarray(high), np.asarray(low)).mean())


def placements(values: NDArray[Any], reference: NDArray[Any]) -> FloatArray:
    """For each value the share of `reference` below it, ties counting half; of shape (n_values,)."""
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, values, side="left")
    not_above = np.searchsorted(ordered, values, side="right")
    shares: FloatArray = (below + not_above) / (2.0 * len(ordered))
    return shares


def ratio(above: NDArray[Any], below: NDArray[Any]) -> FloatArray:
    """Elementwise quotient, 0 where the denominator is 0."""
    quotient = np.zeros(np.shape(above))
    np.divide(above, below, out=quotient, where=np.asarray(below) > 0)
    return quotient
