"""What several checks for outliers share: values far outside the usual range of this data set.

The rule is Tukey's "far out" (Exploratory Data Analysis, 1977): more than three times the distance between
the quartiles outside of them. In a set that hardly varies that distance is next to nothing, so a value must
also lie a stated distance from the median. And where more than a tenth would be outliers, they are another
kind of image (all landscapes among portraits) and no exception: then the range is taken that holds 90 %, and
outliers lie as far outside of it as it is wide.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fieldguide.audit.checks.common import Evidence, Found, Item, NotApplicable, Result

FEWEST = 20
"""Images from which on there is such a thing as a usual range."""
FAR = 3.0
MOST = 0.1
"""Share of images beyond which they are no exceptions."""

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

    Examples
    --------
    >>> brightness = np.array([100.0, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 3])
    >>> outliers(brightness, least=20).tolist()
    [11]
    """
    low, middle, high = np.percentile(values, (25, 50, 75))
    reach = max(FAR * (high - low), 0.0)
    found = _beyond(values, low - reach, high + reach, least)
    if len(found) > MOST * len(values):
        low, high = np.percentile(values, (100 * MOST / 2, 100 - 100 * MOST / 2))
        found = _beyond(values, 2 * low - high, 2 * high - low, least)
    away = np.abs(values[found] - middle)
    return found[np.argsort(-away, kind="stable")].astype(np.int64)


def _beyond(values: Floats, low: float, high: float, least: float) -> NDArray[np.intp]:
    away = np.abs(values - np.median(values))
    return np.flatnonzero(((values < low) | (values > high)) & (away >= least))


def too_few(evidence: Evidence) -> NotApplicable | None:
    """The answer where there are too few images for a usual range."""
    if len(evidence.dataset) >= FEWEST:
        return None
    return NotApplicable(f"fewer than {FEWEST} images have no usual range")


def found(evidence: Evidence, rows: NDArray[np.int64], note: Callable[[int], str], message: str) -> Result:
    """One item an image, or None where there is none."""
    items = tuple(Item((evidence.path(row),), note(row)) for row in rows.tolist())
    return Found(message, items) if items else None
