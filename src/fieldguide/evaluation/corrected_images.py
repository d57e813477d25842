"""How much a measurement owes to corrections: the accuracy without the photos that were relabelled."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.intervals import Interval, share

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class CorrectedPart:
    """The images whose labels corrections changed, and the accuracy without them."""

    relabelled: int
    """Images measured whose label was changed."""
    dropped: int
    """Images that were left out of the data; they are measured in neither number."""
    n_without: int
    """Images measured whose label is as it was."""
    accuracy_without: Interval | None
    """Accuracy on these; None where there are none."""

    @staticmethod
    def of(right: BoolArray, relabelled: BoolArray, dropped: int) -> "CorrectedPart":
        """Look at answers without the images whose labels were changed.

        Parameters
        ----------
        right
            Of shape (n_images,): whether each answer is right.
        relabelled
            Of shape (n_images,): whether the label of each was changed.
        dropped
            Images that corrections left out.

        Examples
        --------
        >>> part = CorrectedPart.of(np.array([True, True, False]), np.array([True, False, False]), dropped=2)
        >>> part.n_without, part.accuracy_without.value
        (2, 0.5)
        """
        rest = right[~relabelled]
        return CorrectedPart(
            relabelled=int(relabelled.sum()),
            dropped=dropped,
            n_without=len(rest),
            accuracy_without=share(int(rest.sum()), len(rest)) if len(rest) else None,
        )

    @property
    def summary(self) -> str:
        """One sentence: why the accuracy flatters."""
        return (
            f"{self.relabelled} of the photos measured were relabelled and {self.dropped} left out by "
            "corrections; where a model's own doubts led to them, it now agrees more with the labels than it "
            "will with those of new photos"
        )

    def as_dict(self) -> dict[str, Any]:
        """The fields as ``train --json`` holds them under ``validation.corrections``."""
        without = None if self.accuracy_without is None else self.accuracy_without.as_dict()
        return {
            "relabelled": self.relabelled,
            "dropped": self.dropped,
            "message": self.summary,
            "n_without": self.n_without,
            "accuracy_without": without,
        }
