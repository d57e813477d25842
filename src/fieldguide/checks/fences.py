"""What several checks for outliers share: values far outside the usual range of this data set.

The rule is Tukey's "far out" (Exploratory Data Analysis, 1977): more than three times the distance between
the quartiles outside of them. In a set that hardly varies that distance is next to nothing, so a value must
also lie a stated distance from the median.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fieldguide.checks.common import Evidence, Found, Item, NotApplicable, Result

FEWEST = 20
"""Images from which on there is such a thing as a usual range."""
FAR = 3.0

Floats = NDArray[np.float64]


def outliers(values: Floats, least: float) -> NDArray[np.int64]:
    """Find values far out on either side.

    Parameters
    ----------
    values
        Of shape (n_images,).
    least
        Distance from the median that an outlier has at least.

    Returns
    -------
    ndarray of shape (n_outliers,), int64
        Positions, the furthest from the median first.
    """
    low, median, high = np.percentile(values, (25, 50, 75))
    reach = FAR * (high - low)
    away = np.abs(values - median)
    far = ((values < low - reach) | (values > high + reach)) & (away >= least)
    found = np.flatnonzero(far)
    return found[np.argsort(-away[found], kind="stable")].astype(np.int64)


def too_few(evidence: Evidence) -> NotApplicable | None:
    """The answer where there are too few images for a usual range."""
    if len(evidence.dataset) >= FEWEST:
        return None
    return NotApplicable(f"fewer than {FEWEST} images have no usual range")


def found(evidence: Evidence, rows: NDArray[np.int64], note: Callable[[int], str], message: str) -> Result:
    """One item an image, or None where there is none."""
    items = tuple(Item((evidence.path(row),), note(row)) for row in rows.tolist())
    return Found(message, items) if items else None
