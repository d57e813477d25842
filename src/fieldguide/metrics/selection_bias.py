"""How good the winner of a search really is: the best of many scores is best partly by luck.

References
----------
Tsamardinos, Greasidou and Borboudakis (2018), "Bootstrapping the out-of-sample predictions for efficient and
accurate cross-validation" (BBC-CV). Nothing is trained anew: the images are redrawn, the winner on the drawn
ones is chosen again, and measured on those not drawn.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.intervals import Interval

REDRAWN = 1000
"""Times that the images are redrawn."""


@dataclass(frozen=True)
class Corrected:
    """What the chosen setting may be expected to reach on new images, the luck of choosing taken out."""

    accuracy: Interval
    """Share of right answers; of tags the mean average precision."""
    log_loss: Interval
    """In nats."""
    gain: Interval
    """What the search made small, of the first setting less that of the chosen one: more than 0 where
    choosing helps on new images."""
    settings: int
    """Number of settings that were chosen among."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return {
            "accuracy": self.accuracy.as_dict(),
            "log_loss": self.log_loss.as_dict(),
            "gain": self.gain.as_dict(),
            "settings": self.settings,
        }


def corrected(
    objective: NDArray[np.float64],
    right: NDArray[Any],
    losses: NDArray[np.float64],
    groups: NDArray[np.int64],
    seed: int = 0,
) -> Corrected:
    """Correct a winner's out-of-fold score for its having won.

    Parameters
    ----------
    objective
        What the search made small, for each setting and image; of shape (n_settings, n_images). The first
        setting is the one to be beaten.
    right
        Whether each answer was right, or what each image adds to another score; of the same shape.
    losses
        Log loss of each answer in nats, of the same shape.
    groups
        Images with the same number are redrawn together; of shape (n_images,). Two different ones at least.
    seed
        Of the redrawing.

    Examples
    --------
    >>> losses = np.random.default_rng(0).random((20, 30))  # 20 settings, none better than another
    >>> best = losses.mean(axis=1).min()
    >>> found = corrected(losses, losses < 0.5, losses, groups=np.arange(30))
    >>> found.settings, bool(found.log_loss.value > best)
    (20, True)
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    sizes = np.bincount(numbers, minlength=count).astype(np.float64)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=REDRAWN)
    drawn = drawn[(drawn == 0).any(axis=1)]
    winners = (drawn @ _per_group(objective, numbers, count)).argmin(axis=1)
    others = (drawn == 0).astype(np.float64)
    images = others @ sizes
    rows = np.arange(len(drawn))

    def measured(values: NDArray[Any]) -> Interval:
        means = (others @ _per_group(values, numbers, count))[rows, winners] / images
        low, high = np.quantile(means, [0.025, 0.975])
        return Interval(float(means.mean()), float(low), float(high))

    return Corrected(measured(right), measured(losses), measured(objective[0] - objective), len(objective))


def _per_group(values: NDArray[Any], numbers: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Sums of shape (n_groups, n_settings)."""
    return np.stack([np.bincount(numbers, weights=row, minlength=count) for row in values], axis=1)
