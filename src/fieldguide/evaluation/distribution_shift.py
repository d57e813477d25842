"""Whether a model's promises hold on the measured images, or these are unlike what it learned from.

Prediction sets and typicality are conformal: they promise for images drawn like those held out in training
(Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005). Photos from another camera or
shop are not, and then nothing is promised; that shows in how often sets hold the truth, and in typicalities
that are no longer spread evenly from 0 to 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics import intervals
from fieldguide.metrics.intervals import Interval

SURE = 0.99
"""Confidence of the intervals here: whoever measures often must not be alarmed every twentieth time."""
SLACK = 0.02
"""A promise rests on some hundreds of held-out images, so it may be off by so much where nothing is wrong."""
TAIL, MOST_IN_TAIL = 0.05, 0.1
"""Typicalities below the first are to be that share of the images; more than the second is a shift."""


@dataclass(frozen=True)
class DistributionShift:
    """Where the measured images break what was promised."""

    coverage: Interval
    """Share of the images whose prediction set holds the truth, with a 99 % interval."""
    promised: float | None
    """The share that the model promised; None where it made no such promise."""
    atypical: Interval
    """Share of the images with a typicality below 0.05, where 0.05 is to be expected; a 99 % interval."""

    @property
    def sets_fail(self) -> bool:
        """Whether sets hold the truth less often than promised, by more than chance."""
        return self.promised is not None and self.coverage.high < self.promised - SLACK

    @property
    def looks_fail(self) -> bool:
        """Whether the images look less familiar than held-out ones did, by more than chance."""
        return self.atypical.low > MOST_IN_TAIL

    @property
    def summary(self) -> str:
        """One sentence for a person."""
        found = []
        if self.sets_fail:
            found.append(
                f"prediction sets hold the truth for {self.coverage.value:.1%} of them where "
                f"{self.promised:.0%} was promised"
            )
        if self.looks_fail:
            share, usual = f"{self.atypical.value:.0%}", f"{1 - TAIL:.0%}"
            found.append(
                f"{share} of them look less familiar than {usual} of the images held out in training, where "
                f"{TAIL:.0%} is to be expected"
            )
        return (
            f"these images are unlike those that the model learned from: {' and '.join(found)}; its "
            "probabilities, sets and unknowns do not hold here, so learn from some of these images too"
        )

    def as_dict(self) -> dict[str, Any]:
        """The fields as ``evaluate --json`` holds them under ``distribution_shift``."""
        return {
            "message": self.summary,
            "coverage": self.coverage.as_dict(),
            "promised": self.promised,
            "atypical": self.atypical.as_dict(),
        }


def distribution_shift(
    covered: NDArray[np.bool_], typicality: NDArray[np.float64], promised: float | None
) -> DistributionShift | None:
    """Compare what was promised with what came of it.

    Parameters
    ----------
    covered
        Whether the prediction set of each image holds its true class, of shape (n_images,); at least one.
    typicality
        Of each image, of shape (n_images,).
    promised
        Coverage of prediction sets by the model's card, None where it promises none.

    Returns
    -------
    DistributionShift or None
        None where promises hold, or too few images were measured to show that they do not.
    """
    return shift_of(intervals.share(int(covered.sum()), len(covered), SURE), typicality, promised)


def shift_of(
    coverage: Interval, typicality: NDArray[np.float64], promised: float | None
) -> DistributionShift | None:
    """The same from the coverage with its 99 % interval."""
    atypical = intervals.share(int((typicality < TAIL).sum()), len(typicality), SURE)
    found = DistributionShift(coverage, promised, atypical)
    return found if found.sets_fail or found.looks_fail else None
