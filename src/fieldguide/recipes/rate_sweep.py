"""Losses at growing learning rates, and the rate that they suggest.

Smith, "Cyclical Learning Rates for Training Neural Networks" (WACV 2017): the rate grows from step to step,
and the loss first stays, then falls, then rises. What is taken is where it falls fastest, or a tenth of where
it is lowest if that is less (Gugger and Howard's rule of thumb in fastai).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.mixins.display import DisplayMixin, PlotMixin

SMOOTHING = 0.9
"""Of the running mean of losses."""
FEWEST = 10
"""Steps from which on anything can be said."""
LEAST_FALL = 0.02
"""Share by which the loss must fall, or no rate is suggested."""


@dataclass(frozen=True, repr=False)
class RateSweep(DisplayMixin, PlotMixin):
    """A sweep over learning rates."""

    recipe: str
    usual: float
    """The rate that the recipe takes where none is given, or the one that was given."""
    rates: tuple[float, ...]
    """As `--learning-rate` takes them, growing."""
    losses: tuple[float, ...]
    """Of the images of each step, as they came."""

    @property
    def smoothed(self) -> tuple[float, ...]:
        """Running mean of the losses, corrected for where it began (Kingma and Ba, 2015)."""
        mean, found = 0.0, []
        for number, loss in enumerate(self.losses, start=1):
            mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
            found.append(mean / (1 - SMOOTHING**number))
        return tuple(found)

    @property
    def suggested(self) -> float | None:
        """The rate to take; None where no rate lowered the loss.

        Examples
        --------
        >>> rates = tuple(10 ** (number / 20 - 4) for number in range(100))
        >>> losses = tuple(1.0 if rate < 0.001 else 0.2 if rate < 0.1 else 3.0 for rate in rates)
        >>> 0.0005 < RateSweep("cnn", 0.24, rates, losses).suggested < 0.002
        True
        >>> RateSweep("cnn", 0.24, rates, (1.0,) * 100).suggested is None
        True
        """
        if len(self.losses) < FEWEST:
            return None
        losses, rates = np.array(self.smoothed), np.log(self.rates)
        first = FEWEST // 2  # the first means are of a few steps only
        lowest = first + int(losses[first:].argmin())
        if lowest <= first + 1 or losses[lowest] > (1 - LEAST_FALL) * losses[first:lowest].max():
            return None
        return _rounded(
            min(math.exp(rates[_steepest(losses, rates, first, lowest)]), self.rates[lowest] / 10)
        )

    def sentence(self) -> str:
        """What was found, and what to type next."""
        if self.suggested is None:
            return (
                f"no rate lowered the loss within {len(self.losses)} steps: keep the usual one, "
                f"{self.usual:g}, or take other photos to learn from"
            )
        return f"suggested: --learning-rate {self.suggested:g}; without it, {self.usual:g} is taken"

    def as_dict(self) -> dict[str, Any]:
        """What ``fieldguide train --find-rate --json`` writes."""
        return {
            "recipe": self.recipe,
            "usual": self.usual,
            "suggested": self.suggested,
            "rates": list(self.rates),
            "losses": list(self.losses),
            "smoothed": list(self.smoothed),
        }


def _steepest(losses: NDArray[np.float64], rates: NDArray[np.float64], first: int, lowest: int) -> int:
    """Where the loss falls fastest on the way to its lowest."""
    slopes = np.gradient(losses[first : lowest + 1], rates[first : lowest + 1])
    return first + int(slopes.argmin())


def _rounded(rate: float) -> float:
    return float(f"{rate:.2g}")
