"""Prediction sets that keep their promise for each class, where held-out images show that they can.

One threshold for all classes gives the promised coverage on average: easy classes get more, hard ones less
(on the sets of docs/benchmarks.md down to 0.83 of 0.95). A threshold a class mends that (Vovk, "Conditional
validity of inductive conformal predictors", ACML 2012, there called Mondrian). Classes with few held-out
images share one threshold among them, as in Ding et al., "Class-conditional conformal prediction with many
classes", NeurIPS 2023.
"""

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads.calibration import set_threshold

FEWEST_OF_A_CLASS = 39
"""Held-out images from which on a class has a threshold of its own: then two of them may be missed, and the
threshold is not that of a single photo."""
MOST_GROWTH = 0.10
"""Share by which the mean set may grow for it."""

FloatArray = NDArray[np.float64]


def class_set_thresholds(
    probabilities: FloatArray, labels: NDArray[np.int64], common: float, coverage: float
) -> FloatArray | None:
    """Find how probable each class must be to belong to the prediction set.

    Parameters
    ----------
    probabilities
        Out-of-fold, of shape (n_images, n_classes).
    labels
        True class numbers, of shape (n_images,).
    common
        The threshold that serves all classes, from :func:`fieldguide.heads.calibration.set_threshold`.
    coverage
        More than 0, less than 1; promised for each class that has a threshold of its own, and for all others
        together.

    Returns
    -------
    ndarray or None
        Of shape (n_classes,), each in [0, 1]; None where no class has enough images, or sets would hold more
        than a tenth more classes than with the common threshold.

    Examples
    --------
    >>> labels = np.repeat([0, 1], 99)
    >>> sure = np.concatenate([np.linspace(0.80, 0.99, 99), np.linspace(0.51, 0.70, 99)])
    >>> probabilities = np.where(np.eye(2)[labels] == 1, sure[:, None], 1 - sure[:, None])
    >>> class_set_thresholds(probabilities, labels, common=0.52, coverage=0.95).round(2).tolist()
    [0.81, 0.52]
    """
    own = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    enough = counts >= FEWEST_OF_A_CLASS
    if not enough.any():
        return None
    rest = own[~enough[labels]]
    floors = np.full(len(counts), set_threshold(rest, coverage))
    for number in np.flatnonzero(enough):
        floors[number] = set_threshold(own[labels == number], coverage)
    if not len(rest):  # classes of which nothing was held out promise nothing of their own
        floors[~enough] = common
    grows = (probabilities >= floors).sum() > (1 + MOST_GROWTH) * (probabilities >= common).sum()
    return None if grows else floors


def class_sets_summary(floors: FloatArray | None, labels: NDArray[np.int64], coverage: float) -> str:
    """A sentence on whether sets keep their promise for each class.

    Examples
    --------
    >>> print(class_sets_summary(np.array([0.4, 0.2]), np.repeat([0, 1], 50), coverage=0.95))
    prediction sets: 95% for each class, by a threshold of its own
    """
    if floors is None:
        return (
            f"prediction sets: {100 * coverage:g}% of all photos, by one threshold for all classes: too few "
            f"held-out images a class (below {FEWEST_OF_A_CLASS}), or sets would grow by more than a tenth"
        )
    few = int((np.bincount(labels, minlength=len(floors)) < FEWEST_OF_A_CLASS).sum())
    text = f"prediction sets: {100 * coverage:g}% for each class, by a threshold of its own"
    if not few:
        return text
    share = "one class shares" if few == 1 else f"{few} classes share"
    return f"{text}; {share} one, with fewer than {FEWEST_OF_A_CLASS} held-out images each"
