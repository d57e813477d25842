"""Support vector machines, linear and with a Gaussian kernel, on a table of features.

Cortes and Vapnik, "Support-Vector Networks" (Machine Learning 1995), one class against the rest (Rifkin and
Klautau, JMLR 2004), with the squared hinge loss of LIBLINEAR (Fan et al., JMLR 2008), solved in the primal
for all classes at once. The kernel is written as inner products of features (Williams and Seeger, "Using the
Nyström Method to Speed Up Kernel Machines", NIPS 2000): with no more images than landmarks that is the kernel
machine itself, with more it is the best that can be said with those landmarks, in bounded memory.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.optimize import minimize

from fieldguide.discriminant import BLOCK, FloatArray, IntArray, Table

RIDGE = 1e-3
"""Added to the diagonal of the landmarks' kernel, so that duplicates among them do no harm."""
MOST_STEPS = 100
TOLERANCE = 1e-5
"""Relative progress of a step at which the solution is good enough."""
_TINY = 1e-12


@dataclass(frozen=True)
class Kind:
    """Which machine."""

    cost: float
    """What an image on the wrong side costs (C)."""
    gamma: float | None
    """Width of the kernel exp(-gamma d²), where the mean d² of two images is 1; None is linear."""

    def __str__(self) -> str:
        kernel = "linear" if self.gamma is None else f"Gaussian kernel with gamma {self.gamma:g}"
        return f"{kernel}, C {self.cost:g}"


@dataclass(frozen=True)
class Scaling:
    """Makes parts of the features comparable: centred, then each part divided by one number."""

    mean: FloatArray
    """Of shape (n_features,)."""
    factor: FloatArray
    """Of shape (n_features,)."""

    def __call__(self, features: NDArray[np.float32] | NDArray[np.float16]) -> FloatArray:
        """Scale features of shape (n_images, n_features)."""
        return (np.asarray(features, dtype=np.float32) - self.mean) * self.factor


def scaling(table: Table, depths: tuple[tuple[str, int], ...], weights: tuple[float, ...]) -> Scaling:
    """Give each part of the features its share in the distance between images.

    Within a part features keep their relation: dividing each by its own deviation makes the rare cells of a
    histogram as loud as the telling ones.

    Parameters
    ----------
    depths
        Name and width of each part.
    weights
        Share of each part in the mean squared distance of two images, which becomes 1 in all.
    """
    variance = np.zeros(table.n_features)
    for start in range(0, len(table.labels), BLOCK):
        block = np.asarray(table.vectors[start : start + BLOCK], dtype=np.float32) - table.mean
        variance += (block.astype(np.float64) ** 2).sum(0) / len(table.labels)
    ends = np.cumsum([width for _, width in depths])
    totals = [part.sum() for part in np.split(variance, ends[:-1])]
    shares = np.array(weights) / sum(weights)
    factors = [
        np.full(width, np.sqrt(share / 2 / total) if total > _TINY else 0.0, np.float32)
        for (_, width), share, total in zip(depths, shares, totals, strict=True)
    ]
    return Scaling(table.mean, np.concatenate(factors))


@dataclass(frozen=True)
class Machine:
    """A support vector machine on scaled features."""

    weights: FloatArray
    """Of shape (n_features or n_landmarks, n_classes)."""
    bias: FloatArray
    """Of shape (n_classes,); minus infinity for a class that it has not seen."""
    landmarks: FloatArray | None
    """Of shape (n_landmarks, n_features); None for a linear machine."""
    gamma: float

    def scores(self, features: FloatArray) -> FloatArray:
        """Score scaled features of shape (n_images, n_features): (n_images, n_classes)."""
        seen = features if self.landmarks is None else kernel(features, self.landmarks, self.gamma)
        return np.asarray(seen @ self.weights + self.bias, dtype=np.float32)


def kernel(features: FloatArray, landmarks: FloatArray, gamma: float) -> FloatArray:
    """exp(-gamma d²) of every image and landmark: (n_images, n_landmarks)."""
    squared = -2 * features @ landmarks.T
    squared += (features**2).sum(1)[:, None]
    squared += (landmarks**2).sum(1)
    np.maximum(squared, 0, out=squared)
    squared *= np.float32(-gamma)
    return np.asarray(np.exp(squared, out=squared), dtype=np.float32)


@dataclass(frozen=True)
class Problem:
    """Scaled images with their labels, to be learned by machines of several kinds."""

    features: FloatArray
    """Scaled, of shape (n_images, n_features)."""
    labels: IntArray
    n_classes: int
    landmarks: IntArray
    """Rows that serve as landmarks."""

    def fit(self, gamma: float | None, costs: tuple[float, ...]) -> list[Machine]:
        """Fit machines of one kernel and growing costs, each starting from the one before."""
        seen, back, landmarks = self._seen(gamma)
        counts = np.bincount(self.labels, minlength=self.n_classes)
        known = np.flatnonzero(counts)
        targets = np.where(self.labels[:, None] == known, 1, -1).astype(np.float32)
        weights = (len(self.labels) / len(known) / counts[self.labels]).astype(np.float32)
        machines, start = [], np.zeros((seen.shape[1] + 1, len(known)))
        for cost in costs:
            start = solve(seen, targets, cost * weights, start)
            solution = np.zeros((back.shape[0] if back is not None else seen.shape[1], self.n_classes))
            solution[:, known] = start[:-1] if back is None else back @ start[:-1]
            bias = np.full(self.n_classes, -np.inf)
            bias[known] = start[-1]
            machines.append(
                Machine(solution.astype(np.float32), bias.astype(np.float32), landmarks, gamma or 0.0)
            )
        return machines

    def _seen(self, gamma: float | None) -> tuple[FloatArray, NDArray[np.float64] | None, FloatArray | None]:
        """What a linear machine is fitted to, how its weights become those of the landmarks, and these."""
        if gamma is None:
            return self.features, None, None
        landmarks = self.features[self.landmarks]
        own = kernel(landmarks, landmarks, gamma).astype(np.float64)
        own[np.diag_indices_from(own)] += RIDGE
        factor = scipy.linalg.cholesky(own, check_finite=False)
        back = scipy.linalg.solve_triangular(factor, np.eye(len(own)), check_finite=False)
        narrow = back.astype(np.float32)
        seen = np.empty((len(self.features), len(own)), dtype=np.float32)
        for start in range(0, len(seen), BLOCK):
            block = slice(start, start + BLOCK)
            seen[block] = kernel(self.features[block], landmarks, gamma) @ narrow
        return seen, back, landmarks


def solve(
    features: FloatArray, targets: FloatArray, costs: FloatArray, start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Minimise ½ |w|² + Σ cost max(0, 1 - target (w·x + b))² for every column of targets.

    Parameters
    ----------
    features
        Of shape (n_images, n_features).
    targets
        1 or -1, of shape (n_images, n_columns).
    costs
        Of each image, of shape (n_images,).
    start
        Where to begin, of shape (n_features + 1, n_columns); the last row is b.

    Returns
    -------
    ndarray of shape (n_features + 1, n_columns)
    """

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        solution = flat.reshape(start.shape)
        weights = solution[:-1].astype(np.float32)
        short = targets * (features @ weights + solution[-1].astype(np.float32))
        np.subtract(1, short, out=short)
        np.maximum(short, 0, out=short)
        pull = costs[:, None] * short
        value = 0.5 * float((solution[:-1] ** 2).sum()) + float(np.vdot(pull, short))
        pull *= -2 * targets
        gradient = np.concatenate([features.T @ pull, pull.sum(0, dtype=np.float64)[None]]).astype(np.float64)
        gradient[:-1] += solution[:-1]
        return value, gradient.ravel()

    options = {"maxiter": MOST_STEPS, "maxcor": 20, "ftol": TOLERANCE}
    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x, dtype=np.float64).reshape(start.shape)
