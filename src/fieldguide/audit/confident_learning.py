"""Confident learning: which labels are probably wrong, by models that had not seen the image.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (JAIR 2021).
Written anew from the paper, since the authors' package is under a licence (AGPL) that this one cannot take.

How many labels are wrong is estimated from the confident joint: an image counts as really of class j if its
probability of j reaches what images labelled j have on average. Which ones is decided by self-confidence, the
probability of the given label, lowest first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_SELF_CONFIDENCE = 0.1
"""A label that is more probable than this is never called wrong, however many errors were estimated."""


@dataclass(frozen=True)
class LabelDoubts:
    """Labels that are probably wrong."""

    rows: NDArray[np.int64]
    """The images, least probable label first."""
    estimated: int
    """How many labels the confident joint takes to be wrong; `rows` may be fewer."""


def doubtful_labels(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> LabelDoubts:
    """Find the labels that are probably wrong.

    Parameters
    ----------
    probabilities
        Out-of-fold and calibrated, of shape (n_images, n_classes).
    labels
        Class numbers as given, of shape (n_images,).

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1]] * 9 + [[0.02, 0.98]] + [[0.1, 0.9]] * 10)
    >>> labels = np.array([0] * 10 + [1] * 10)
    >>> doubts = doubtful_labels(probabilities, labels)
    >>> doubts.rows.tolist(), doubts.estimated
    ([9], 1)
    """
    own = probabilities[np.arange(len(labels)), labels]
    estimated = round(float(off_diagonal(probabilities, labels)))
    ranked = np.argsort(own, kind="stable")[:estimated]
    return LabelDoubts(ranked[own[ranked] <= MOST_SELF_CONFIDENCE].astype(np.int64), estimated)


def off_diagonal(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Estimate the number of wrong labels: the off-diagonal sum of the calibrated confident joint.

    Parameters
    ----------
    probabilities, labels
        As for :func:`doubtful_labels`.
    """
    n_classes = probabilities.shape[1]
    counts = np.bincount(labels, minlength=n_classes)
    own = probabilities[np.arange(len(labels)), labels]
    sums = np.bincount(labels, weights=own, minlength=n_classes)
    # A class without images can be nobody's true class: no probability reaches 2.
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), 2.0)
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = reached.argmax(axis=1)
    confident = reached.max(axis=1) >= 0
    seen = np.bincount(labels[confident], minlength=n_classes)
    wrong = np.bincount(labels[confident & (likely != labels)], minlength=n_classes)
    return float((wrong / np.maximum(seen, 1) * counts).sum())
