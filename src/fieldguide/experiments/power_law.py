"""How the error of a classifier falls with more training images: a power law, and where it says nothing.

Over wide ranges the error follows ``floor + scale * n ** -rate`` (Cortes, Jackel, Solla, Vapnik and Denker
1993, "Learning curves: asymptotic values and rate of convergence"; Hestness et al. 2017, "Deep learning
scaling is predictable, empirically"). Fitted to half a dozen noisy points it always gives some curve, so the
uncertainty is had by fitting many redrawn sets of held-out images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATES = np.linspace(0.05, 2.0, 40)
"""Rates that are tried; measured ones lie between 0.07 and 1."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PowerLaw:
    """Curves fitted to several sets of errors at the same sizes, a row a set."""

    floor: FloatArray
    """Error that no number of images goes below, of shape (n_sets,); 0 or more."""
    scale: FloatArray
    """Of shape (n_sets,); 0 or more."""
    rate: FloatArray
    """Of shape (n_sets,); one of :data:`RATES`."""

    def error(self, images: float) -> FloatArray:
        """Error at so many training images, at most 1; of shape (n_sets,)."""
        return np.minimum(1.0, self.floor + self.scale * images**-self.rate)


def fit(images: FloatArray, errors: FloatArray) -> PowerLaw:
    """Fit curves by weighted least squares.

    Parameters
    ----------
    images
        Numbers of training images, at least two different ones, of shape (n_sizes,).
    errors
        Of shape (n_sets, n_sizes), each 0 to 1. A size's weight is the inverse of the binomial variance of
        its mean error, so that the noisy start does not decide the end.

    Examples
    --------
    >>> images = np.array([50.0, 100.0, 200.0, 400.0])
    >>> law = fit(images, errors=(0.05 + 2 * images**-0.5)[None])
    >>> round(float(law.floor[0]), 3), round(float(law.rate[0]), 2), round(float(law.error(10_000)[0]), 3)
    (0.05, 0.5, 0.07)
    """
    mean = errors.mean(axis=0).clip(1e-3, 1 - 1e-3)
    weights = 1 / (mean * (1 - mean))
    best: list[FloatArray] = []
    for rate in RATES:
        falling = (images / images.max()) ** -rate
        floor, scale = _two_terms(falling, errors, weights)
        misfit = (floor[:, None] + scale[:, None] * falling - errors) ** 2 @ weights
        best.append(np.stack([misfit, floor, scale * images.max() ** rate, np.full(len(errors), rate)]))
    tried = np.stack(best)
    chosen = tried[:, 0].argmin(axis=0)
    _, floor, scale, rates = tried[chosen, :, np.arange(len(errors))].T
    return PowerLaw(floor, scale, rates)


def _two_terms(falling: FloatArray, errors: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least squares for a constant and one falling term, neither below 0; each of shape (n_sets,)."""
    total = weights.sum()
    middle = float(falling @ weights) / total
    means = errors @ weights / total
    spread = float(((falling - middle) ** 2) @ weights)
    scale = ((errors - means[:, None]) * (falling - middle)) @ weights / spread
    scale = np.maximum(scale, 0.0)
    floor = means - scale * middle
    through_zero = np.maximum(errors @ (weights * falling) / float(falling**2 @ weights), 0.0)
    return np.maximum(floor, 0.0), np.where(floor < 0, through_zero, scale)
