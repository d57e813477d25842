"""How little an image conforms to what was learned: what `typicality` ranks images by.

Three measures, each of which misses what another finds (docs/log.md has the figures):

- the distance of the features from the nearest class (:mod:`fieldguide.heads.out_of_distribution`): photos of
  other things are far, a class of the same kind that was never seen is not
- the distance of the scores of all classes from those that images of the nearest class get: such a class is
  answered by another pattern of scores
- the entropy of the probabilities (Hendrycks and Gimpel, ICLR 2017): it is answered unsurely

Each becomes a surprisal, minus the logarithm of the share of held-out images that have as large a value, and
these are added, as Fisher (1932) combines tests. Beyond the held-out images the share falls exponentially, so
that what is far beyond all of them is never made up for by the others. Typicality stays a split-conformal
p-value, now of the sum (Bates et al., "Testing for outliers with conformal p-values", Annals of Statistics
2023).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WEIGHTS = (1.5, 1.0, 1.0)
"""Of the surprisals: features, scores, entropy."""
RIDGE = 0.3
"""Added to the variance of scores in every direction, as a share of the mean variance."""
LEAST_VARIANCE = 1e-2
"""Of scores within classes, as a share of their variance among all images: few images may not vary at all."""
FEWEST_BEYOND = 8
"""Held-out images that a share is still read from; smaller shares are extrapolated."""
LEAST_SPREADS = (0.0, 0.0, 0.02)
"""Least mean excess beyond the last share, of each measure: answers that are all sure must not make a little
doubt stand out. For distances see :data:`LEAST_SHARE`."""
LEAST_SHARE = 1e-3
"""The same as a share of the measure's own value there."""
PARTS = 5
"""Of the held-out images: each is measured by scores of the other parts."""
LEAST_PROBABILITY = 1e-7
"""In the entropy."""


@dataclass(frozen=True)
class Surprisal:
    """Minus the logarithm of a share, as straight lines between knots."""

    knots: FloatArray
    """Growing, of shape (n_knots,)."""
    slopes: FloatArray
    """What the slope grows by at each knot, of shape (n_knots,)."""

    def __call__(self, values: FloatArray) -> FloatArray:
        """Of each value: 0 up to the first knot, then growing, of the same shape."""
        return np.asarray(np.maximum(values[:, None] - self.knots, 0.0) @ self.slopes)


@dataclass(frozen=True)
class ScoreDistance:
    """Squared distance of scores from the nearest class, where scores within classes vary by 1 everywhere."""

    directions: FloatArray
    """Takes the mean over the classes out and divides by deviations, of shape (n_classes, n_classes)."""
    centres: FloatArray
    """What images of each class have, in these directions, of shape (n_known_classes, n_classes)."""

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Of scores of shape (n_images, n_classes), those of shape (n_images,)."""
        along = scores @ self.directions
        squared = (along**2).sum(1)[:, None] - 2 * along @ self.centres.T + (self.centres**2).sum(1)
        return np.asarray(squared.min(1))


@dataclass(frozen=True)
class Nonconformity:
    """How a model file ranks images, from the distance of their features and their scores."""

    scores: ScoreDistance
    surprisals: tuple[Surprisal, Surprisal, Surprisal]
    """Of features, scores and entropy, their weights included."""
    reference: FloatArray
    """Of the held-out images, of shape (n_held,)."""


def nonconformity(log_probabilities: FloatArray, labels: IntArray, distances: FloatArray) -> Nonconformity:
    """Fit the measures to held-out images.

    Parameters
    ----------
    log_probabilities
        Calibrated and out of fold, of shape (n_held, n_classes); minus infinity for a class that the model
        which gave it did not know.
    labels
        True class numbers, of shape (n_held,); -1 where the model did not know the class.
    distances
        Of the features from what was learned, out of fold, of shape (n_held,).

    Examples
    --------
    >>> labels = np.arange(60) % 3
    >>> log_p = np.where(np.eye(3)[labels] == 1, -0.01, -5.0) + 0.1 * np.sin(np.arange(180)).reshape(60, 3)
    >>> found = nonconformity(log_p, labels, distances=np.linspace(1, 2, 60))
    >>> found.reference.shape, float(found.surprisals[0](np.array([1.0, 9.0])).round()[0])
    ((60,), 0.0)
    """
    finite = _finite(log_probabilities)
    apart = np.empty(len(labels))
    parts = np.empty(len(labels), dtype=np.int64)
    parts[np.argsort(labels, kind="stable")] = np.arange(len(labels)) % PARTS  # some of each class in each
    for part in np.unique(parts):
        others, own = np.flatnonzero((parts != part) & (labels >= 0)), np.flatnonzero(parts == part)
        apart[own] = _distance(finite, labels, others)(finite[own])
    measures = (distances, apart, entropy(finite))
    settled = zip(measures, WEIGHTS, LEAST_SPREADS, strict=True)
    first, second, third = (surprisal_of(values, weight, least) for values, weight, least in settled)
    total = first(measures[0]) + second(measures[1]) + third(measures[2])
    whole = _distance(finite, labels, np.flatnonzero(labels >= 0))
    return Nonconformity(whole, (first, second, third), total)


def entropy(log_probabilities: FloatArray) -> FloatArray:
    """Of probabilities, in nats, of shape (n_images,).

    Examples
    --------
    >>> entropy(np.log([[0.5, 0.5], [1.0, 1e-9]])).round(3).tolist()
    [0.693, 0.0]
    """
    kept = np.maximum(log_probabilities, np.log(LEAST_PROBABILITY))
    return np.asarray(-(np.exp(log_probabilities) * kept).sum(1))


def surprisal_of(held_out: FloatArray, weight: float = 1.0, least_spread: float = 0.0) -> Surprisal:
    """Fit the logarithm of the share of held-out values that are at least as large.

    The share halves from knot to knot; beyond the last one it falls by the mean excess, as the tail of most
    distributions does (Pickands 1975, with an exponential tail).

    Parameters
    ----------
    held_out
        Of shape (n_held,), n_held at least 1.
    weight
        Of this surprisal among others.
    least_spread
        Least mean excess beyond the last knot.

    Examples
    --------
    >>> surprisal = surprisal_of(np.arange(1.0, 1025.0))
    >>> surprisal(np.array([0.0, 512.5, 768.5])).round(2).tolist()
    [0.0, 0.69, 1.39]
    """
    ordered = np.sort(held_out)
    halvings = max(int(np.log2(len(ordered) / FEWEST_BEYOND)), 0)
    heights = np.log(2) * np.arange(halvings + 1)
    places = np.quantile(ordered, 1 - 2.0 ** -np.arange(halvings + 1))
    knots, first = np.unique(places, return_index=True)
    heights = heights[first]
    beyond = ordered[ordered > knots[-1]] - knots[-1]
    excess = float(beyond.mean()) if len(beyond) else 0.0
    least = max(least_spread, LEAST_SHARE * abs(float(knots[-1])), float(np.finfo(np.float32).tiny))
    last = 1 / max(excess, least)
    slopes = np.append(np.diff(heights) / np.diff(knots), last)
    return Surprisal(knots, weight * np.diff(slopes, prepend=0.0))


def _finite(log_probabilities: FloatArray) -> FloatArray:
    """Classes that a model did not know are as improbable as the least probable that it did."""
    known = np.isfinite(log_probabilities)
    least = np.where(known, log_probabilities, np.inf).min(1, keepdims=True)
    return np.where(known, log_probabilities, least)


def _distance(scores: FloatArray, labels: IntArray, rows: IntArray) -> ScoreDistance:
    """Means by class and one covariance within classes, from some rows."""
    classes = scores.shape[1]
    present = np.unique(labels[rows])
    if len(present) == 0:  # nothing is known of scores: every image is as near
        return ScoreDistance(np.zeros((classes, classes)), np.zeros((1, classes)))
    centred = scores[rows] - scores[rows].mean(1, keepdims=True)
    means = np.stack([centred[labels[rows] == number].mean(0) for number in present])
    within = centred - means[np.searchsorted(present, labels[rows])]
    variance = within.T @ within / len(rows)
    least = max(LEAST_VARIANCE * float((centred**2).mean()), float(np.finfo(np.float32).tiny))
    mean_variance = max(float(np.trace(variance)) / classes, least)
    values, vectors = np.linalg.eigh(variance + RIDGE * mean_variance * np.eye(classes))
    directions = vectors / np.sqrt(values)
    return ScoreDistance(directions - directions.mean(0), means @ directions)
