"""How small an image's features are: what some networks tell strangers by better than by the nearest class.

A network that was trained from scratch answers to what it has learned with large features, and to what it has
not with small ones (Dhamija et al., "Reducing network agnostophobia", NeurIPS 2018; Vaze et al., "Open-set
recognition: a good closed-set classifier is all you need?", ICLR 2022). Small features lie near every class,
so that the distance from the nearest one takes strangers for familiar. Which of both tells more is seen from
the held-out images that are answered wrongly, the nearest thing to strangers that a training has.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads import calibration
from fieldguide.metrics.intervals import auroc
from fieldguide.modelfile.graph import Distance

FEWEST = 20
"""Held-out images answered rightly, and as many wrongly, from which on these decide."""

FloatArray = NDArray[np.float64]


def norm_distance(features: NDArray[np.floating[Any]]) -> tuple[Distance, FloatArray]:
    """Minus the squared length of the features, as a file computes distances.

    Parameters
    ----------
    features
        Of held-out images, of shape (n_held, n_features).

    Returns
    -------
    Distance, ndarray of shape (n_held,)
        The distance, and those of the held-out images.

    Examples
    --------
    >>> distance, distances = norm_distance(np.array([[3.0, 4.0], [0.0, 1.0]], np.float32))
    >>> distances.tolist(), distance.evenness
    ([-25.0, -1.0], -1.0)
    """
    width = features.shape[1]
    distances = -(features.astype(np.float64) ** 2).sum(1)
    distance = Distance(
        columns=np.arange(width),
        mean=np.zeros(width, np.float32),
        scale=np.ones(width, np.float32),
        directions=np.zeros((width, 1), np.float32),
        evenness=-1.0,
        centres=np.zeros((1, width), np.float32),
        reference=calibration.reference_distances(distances).astype(np.float32),
    )
    return distance, distances


def tells_more(distances: FloatArray, others: FloatArray, right: NDArray[np.bool_]) -> bool:
    """Whether wrongly answered images stand out more by `distances` than by `others`.

    Parameters
    ----------
    distances, others
        Of held-out images, of shape (n_held,); larger is less familiar.
    right
        Whether each is answered rightly.

    Examples
    --------
    >>> right = np.arange(100) >= 30
    >>> standing_out, not_so = np.where(right, 0.0, 1.0), np.arange(100) % 7.0
    >>> tells_more(standing_out, not_so, right), tells_more(not_so, standing_out, right)
    (True, False)
    """
    if min(int(right.sum()), int((~right).sum())) < FEWEST:
        return False
    first, second = (auroc(-one[~right], -one[right]).value for one in (distances, others))
    return bool(first > second)
