"""Thresholds of tags for a stated precision, instead of the best F1.

A tag is given from the least probability on at which its out-of-fold precision is, with confidence, at least
the one stated: the lower end of the exact 95 % interval (Clopper and Pearson 1934). Where no threshold shows
that, the tag is never given.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from fieldguide.errors import OptionError
from fieldguide.heads.tag_promises import FloatArray, span_of
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators

ERROR = 0.025
"""Chance of so many right tags, were the precision just below the one stated: one side of a 95 % interval."""
NEVER = 1.0
"""Threshold of a tag that is never given."""
MOST_NAMED = 5


def check_precision(precision: float) -> None:
    """See that a precision can be stated.

    Raises
    ------
    OptionError
        If it is not between 0 and 1.
    """
    fits = isinstance(precision, int | float) and math.isfinite(precision) and 0 < precision < 1
    if not fits:
        raise OptionError(f"precision: must be more than 0 and less than 1, got {precision!r}; 0.9 is usual")


def precision_thresholds(probabilities: FloatArray, tags: Indicators, precision: float) -> FloatArray:
    """Find for each tag from which probability on it is given with a stated precision.

    Parameters
    ----------
    probabilities
        Out-of-fold, calibrated, of shape (n_images, n_tags).
    tags
        Of the same shape; what is not known counts neither way.
    precision
        Share of the tags given that are to be true, more than 0 and less than 1.

    Returns
    -------
    ndarray of shape (n_tags,)
        Half-way between two images; :data:`NEVER` for a tag of which no threshold shows this precision.

    Examples
    --------
    >>> probabilities = np.linspace(0.995, 0.005, 100)[:, None]
    >>> tags = (np.arange(100) < 50).astype(np.int8)[:, None]
    >>> precision_thresholds(probabilities, tags, 0.9).round(2).tolist()
    [0.5]
    >>> precision_thresholds(probabilities, tags, 0.99).tolist()  # 50 photos cannot show that
    [1.0]
    """
    return np.array([_least(probabilities[:, tag], tags[:, tag], precision) for tag in range(tags.shape[1])])


def _least(probabilities: FloatArray, tags: NDArray[np.int8], precision: float) -> float:
    known = tags != NOT_KNOWN
    order = np.argsort(-probabilities[known], kind="stable")
    ranked, shown = probabilities[known][order], tags[known][order] == PRESENT
    given, right = np.arange(1, len(ranked) + 1), np.cumsum(shown)
    ends = np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)]  # equal ones are given together
    # The interval's lower end is at least `precision` where so many right ones would be so unlikely below it.
    proven = ends & (right > 0) & (bdtrc(np.maximum(right - 1, 0), given, precision) <= ERROR)
    if not proven.any():
        return NEVER
    last = int(np.flatnonzero(proven)[-1])
    below = ranked[last + 1] if last + 1 < len(ranked) else 0.0
    return float((ranked[last] + below) / 2)


def precision_summary(thresholds: FloatArray, names: Sequence[str], precision: float) -> str:
    """A sentence on these thresholds, and on the tags that are never given."""
    never = [name for name, threshold in zip(names, thresholds, strict=True) if threshold >= NEVER]
    stated = f"{100 * precision:.6g}%"
    if len(never) == len(names):
        return f"tags given: none, since no probability shows of any tag a precision of {stated}"
    reached = thresholds[thresholds < NEVER]
    shown = f"at which held-out photos show a precision of {stated} (lower end of its 95 % interval)"
    said = f"tags given: {span_of(reached)}, the least {shown}"
    if not never:
        return said
    listed = ", ".join(map(repr, never[:MOST_NAMED])) + (", …" if len(never) > MOST_NAMED else "")
    return f"{said}; never given, since nothing shows that of them: {len(never)} of {len(names)} ({listed})"
