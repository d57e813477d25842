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

from fieldguide.heads.training_table import BLOCK, FloatArray, IntArray, TrainingTable

Labels = IntArray | NDArray[np.bool_]
"""Class numbers of shape (n_images,), or whether images have each tag, of shape (n_images, n_tags)."""
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


def scaling(table: TrainingTable, depths: tuple[tuple[str, int], ...], weights: tuple[float, ...]) -> Scaling:
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
    return gaussian(features @ landmarks.T, (features**2).sum(1), (landmarks**2).sum(1), gamma)


def gaussian(products: FloatArray, norms: FloatArray, other_norms: FloatArray, gamma: float) -> FloatArray:
    """exp(-gamma d²) from inner products, of shape (n, m), and squared lengths; in place of the products."""
    products *= -2
    products += norms[:, None]
    products += other_norms
    np.maximum(products, 0, out=products)
    products *= np.float32(-gamma)
    return np.asarray(np.exp(products, out=products), dtype=np.float32)


def sides_of(labels: Labels) -> dict[int, NDArray[np.bool_]]:
    """For each class or tag that can be told from something, which images have it.

    Examples
    --------
    >>> {name: own.tolist() for name, own in sides_of(np.array([0, 2, 0])).items()}
    {0: [True, False, True], 2: [False, True, False]}
    >>> list(sides_of(np.array([[True, True], [False, True]])))  # all have the second
    [0]
    """
    if labels.ndim == 1:
        return {int(label): labels == label for label in np.unique(labels)}
    told = np.flatnonzero(labels.any(0) & ~labels.all(0))
    return {int(tag): labels[:, tag].astype(np.bool_) for tag in told}


def absent_score(labels: Labels) -> float:
    """The score of a class that was not there to learn from: never; of a tag that tells nothing: always 0."""
    return -np.inf if labels.ndim == 1 else 0.0


@dataclass(frozen=True)
class KernelProblem:
    """Scaled images with their labels, to be learned by machines of several kinds."""

    features: FloatArray
    """Scaled, of shape (n_images, n_features)."""
    labels: Labels
    n_classes: int
    landmarks: IntArray
    """Rows that serve as landmarks."""

    def fit(self, kind: Kind) -> Machine:
        """Fit a machine of one kernel and cost."""
        seen, back, landmarks = self._seen(kind.gamma)
        sides = sides_of(self.labels)
        known = np.array(list(sides), dtype=np.int64)
        own = np.stack(list(sides.values()), axis=1)
        targets = np.where(own, 1, -1).astype(np.float32)
        found = solve(
            seen, targets, kind.cost * self._weights(own), np.zeros((seen.shape[1] + 1, len(known)))
        )
        solution = np.zeros((seen.shape[1] if back is None else len(back), self.n_classes))
        solution[:, known] = found[:-1] if back is None else back @ found[:-1]
        bias = np.full(self.n_classes, absent_score(self.labels))
        bias[known] = found[-1]
        return Machine(solution.astype(np.float32), bias.astype(np.float32), landmarks, kind.gamma or 0.0)

    def _weights(self, own: NDArray[np.bool_]) -> FloatArray:
        """Cost of each image, so that every class, and of a tag either side, weighs the same in all."""
        if self.labels.ndim == 1:
            counts = np.bincount(self.labels, minlength=self.n_classes)
            return np.asarray(len(own) / own.shape[1] / counts[self.labels], dtype=np.float32)
        having = own.sum(0)
        return np.asarray(
            np.where(own, len(own) / 2 / having, len(own) / 2 / (len(own) - having)), np.float32
        )

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
        Of each image, of shape (n_images,), or of each image and column.
    start
        Where to begin, of shape (n_features + 1, n_columns); the last row is b.

    Returns
    -------
    ndarray of shape (n_features + 1, n_columns)
    """
    each = costs[:, None] if costs.ndim == 1 else costs

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        solution = flat.reshape(start.shape)
        weights = solution[:-1].astype(np.float32)
        short = targets * (features @ weights + solution[-1].astype(np.float32))
        np.subtract(1, short, out=short)
        np.maximum(short, 0, out=short)
        pull = each * short
        value = 0.5 * float((solution[:-1] ** 2).sum()) + float(np.vdot(pull, short))
        pull *= -2 * targets
        gradient = np.concatenate([features.T @ pull, pull.sum(0, dtype=np.float64)[None]]).astype(np.float64)
        gradient[:-1] += solution[:-1]
        return value, gradient.ravel()

    options = {"maxiter": MOST_STEPS, "maxcor": 20, "ftol": TOLERANCE}
    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x, dtype=np.float64).reshape(start.shape)
