"""ROC and precision-recall curves of many classes in one pass and little memory.

Each class is taken against all others. Probabilities are counted in :data:`BINS` bins of equal width in log
odds, so that 50,000 images of 1,000 classes take megabytes, not hundreds of them. Images in one bin count
as equal, which moves an area by less than the share of pairs that meet in a bin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics import FloatArray, IntArray, ratio

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
    """Of shape (n_classes,): precision averaged over the steps of recall; NaN without images on both "
    "sides."""


class ScoreCounts:
    """Counts how probable each class was held, for its own images and for all others.

    Parameters
    ----------
    n_classes
        Number of classes.
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
        chance = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
        odds = np.log(chance) - np.log1p(-chance)
        bins = np.clip((odds + WIDEST) * (BINS / (2 * WIDEST)), 0, BINS - 1).astype(np.int64)
        self._all[self._rows, bins] += 1
        self._own[truth, bins[truth]] += 1

    def curves(self) -> Curves:
        """The curves of all images counted so far."""
        own = _from_the_top(self._own)
        others = _from_the_top(self._all - self._own)
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
