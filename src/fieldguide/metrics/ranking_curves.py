"""ROC and precision-recall curves of many classes or tags in one pass and little memory.

Each class is taken against all others, each tag against its absence. Probabilities are counted in
:data:`BINS` bins of equal width in log odds, so that 50,000 images of 1,000 classes take megabytes, not
hundreds of them. Images in one bin count as equal, which moves an area by less than the share of pairs that
meet in a bin. The probabilities of a tag may lie close together (a rare one is never likely), so its bins are
its own: a value each where there are few, else of equal width between the least and the most of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.classification import FloatArray, IntArray, ratio

BINS = 512
WIDEST = 16.0
"""Log odds beyond this are counted at the ends; float32 holds no probability nearer to 1."""


@dataclass(frozen=True)
class Curves:
    """One curve a class, from the strictest threshold to the loosest; arrays of (n_classes, BINS + 1)."""

    false_positive_rate: FloatArray
    """Share of the images of other classes that are accepted."""
    recall: FloatArray
    """Share of the class's own images that are accepted: the true positive rate."""
    precision: FloatArray
    """Share of the accepted images that are of the class; 1 where none is accepted yet."""
    auroc: FloatArray
    """Of shape (n_classes,): area under recall over false positive rate; NaN without images on both sides."""
    average_precision: FloatArray
    """Of shape (n_classes,): precision averaged over the steps of recall; NaN without both sides."""

    @property
    def told(self) -> IntArray:
        """Numbers of the classes that have images on both sides."""
        return np.flatnonzero(np.isfinite(self.auroc))

    def recall_at(self, rates: FloatArray) -> FloatArray:
        """Recall at growing false positive rates, of shape (n_told, n_rates); of :attr:`told`."""
        told = self.told
        return _read_off(rates, self.false_positive_rate[told], self.recall[told])

    def precision_at(self, recalls: FloatArray) -> FloatArray:
        """Precision at growing values of recall, of shape (n_told, n_recalls); of :attr:`told`."""
        return _read_off(recalls, self.recall[self.told], self.precision[self.told])


def _read_off(grid: FloatArray, across: FloatArray, up: FloatArray) -> FloatArray:
    """Curves over a grid; where one is vertical, its upper end counts."""
    found = np.empty((len(across), len(grid)))
    for row, (own, height) in enumerate(zip(across, up, strict=True)):
        places, first = np.unique(own, return_index=True)
        found[row] = np.interp(grid, places, np.maximum.reduceat(height, first))
    return found


class ScoreCounts:
    """Counts how probable each class was held, for its own images and for all others.

    Parameters
    ----------
    n_classes
        Number of classes.

    Examples
    --------
    >>> counts = ScoreCounts(n_classes=2)
    >>> for first, truth in [(0.9, 0), (0.6, 1), (0.7, 0), (0.2, 1)]:
    ...     counts.add(np.array([first, 1 - first], dtype=np.float32), truth)
    >>> counts.curves().auroc.tolist()
    [1.0, 1.0]
    """

    def __init__(self, n_classes: int) -> None:
        self._all = np.zeros((n_classes, BINS), dtype=np.int64)
        self._own = np.zeros((n_classes, BINS), dtype=np.int64)
        self._rows = np.arange(n_classes)

    def add(self, probabilities: NDArray[np.float32], truth: int) -> None:
        """Count one image.

        Parameters
        ----------
        probabilities
            Of shape (n_classes,).
        truth
            Number of its true class.
        """
        bins = _bins(probabilities)
        self._all[self._rows, bins] += 1
        self._own[truth, bins[truth]] += 1

    def curves(self) -> Curves:
        """The curves of all images counted so far."""
        return _curves(self._own, self._all - self._own)


def tag_curves(
    probabilities: NDArray[np.float32], shown: NDArray[np.bool_], known: NDArray[np.bool_]
) -> Curves:
    """Draw the curves of tags; what is not known of a photo's tags counts in none.

    Parameters
    ----------
    probabilities, shown, known
        Of shape (n_images, n_tags): how probable each tag was held, whether the photo has it, and whether
        that is known.

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.8], [0.2, 0.7]], np.float32)
    >>> shown = np.array([[True, False], [False, True]])
    >>> tag_curves(probabilities, shown, np.ones((2, 2), bool)).auroc.tolist()
    [1.0, 0.0]
    """
    own = np.zeros((shown.shape[1], BINS), dtype=np.int64)
    others = np.zeros_like(own)
    for tag in range(shown.shape[1]):
        bins = _own_bins(probabilities[:, tag])
        own[tag] = np.bincount(bins[known[:, tag] & shown[:, tag]], minlength=BINS)
        others[tag] = np.bincount(bins[known[:, tag] & ~shown[:, tag]], minlength=BINS)
    return _curves(own, others)


def _bins(probabilities: NDArray[np.float32]) -> IntArray:
    """The bin of each probability."""
    return _of_equal_width(_log_odds(probabilities), -WIDEST, WIDEST)


def _own_bins(probabilities: NDArray[np.float32]) -> IntArray:
    """Those of one tag, wherever its probabilities lie."""
    values, ranks = np.unique(probabilities, return_inverse=True)
    if len(values) <= BINS:
        return np.asarray(ranks, dtype=np.int64)
    odds = _log_odds(probabilities)
    return _of_equal_width(odds, float(odds.min()), float(odds.max()))


def _log_odds(probabilities: NDArray[np.float32]) -> FloatArray:
    chance = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
    return np.asarray(np.log(chance) - np.log1p(-chance))


def _of_equal_width(odds: FloatArray, low: float, high: float) -> IntArray:
    return np.clip((odds - low) * (BINS / (high - low)), 0, BINS - 1).astype(np.int64)


def _curves(own_counts: IntArray, other_counts: IntArray) -> Curves:
    own, others = _from_the_top(own_counts), _from_the_top(other_counts)
    n_own, n_others = own[:, -1:], others[:, -1:]
    recall, false_positive_rate = ratio(own, n_own), ratio(others, n_others)
    accepted = own + others
    precision = np.where(accepted > 0, ratio(own, accepted), 1.0)
    steps = np.diff(recall, axis=1)
    heights = (recall[:, 1:] + recall[:, :-1]) / 2
    missing = (n_own[:, 0] == 0) | (n_others[:, 0] == 0)
    auroc = (np.diff(false_positive_rate, axis=1) * heights).sum(axis=1)
    average = (steps * precision[:, 1:]).sum(axis=1)
    return Curves(
        false_positive_rate,
        recall,
        precision,
        np.where(missing, np.nan, auroc),
        np.where(missing, np.nan, average),
    )


def _from_the_top(counts: IntArray) -> IntArray:
    """Images at or above each bin's lower edge, the highest bin first, after a column of none."""
    summed = np.cumsum(counts[:, ::-1], axis=1)
    return np.concatenate([np.zeros((len(counts), 1), dtype=np.int64), summed], axis=1)
