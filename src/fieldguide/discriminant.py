"""Shrinkage linear discriminant analysis, with out-of-fold scores for any shrinkage at little cost.

The classes share one covariance, estimated within classes and shrunk towards a multiple of the identity
(Friedman, "Regularized discriminant analysis", JASA 1989; in closed form like Ledoit and Wolf 2004, with the
share chosen by cross-validation). On pooled features of a pretrained network this was as accurate as logistic
regression tuned in the same way, or more so, at a tenth of the time (docs/log.md).

Two forms of the same algebra. With fewer images than features all there is to know is the matrix of inner
products (`ByProducts`); with more, the scatter matrices of the folds (`ByScatter`), for which the images pass
by in blocks and memory does not grow with their number.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

MOST_BY_PRODUCTS = 5000
"""Images up to which the matrix of inner products is used."""
BLOCK = 2048
"""Images that are in memory at once where they are many."""
_TINY = 1e-6


@dataclass(frozen=True)
class Table:
    """Features with their labels and folds; rows are standardised whenever they are read."""

    vectors: NDArray[np.float32] | NDArray[np.float16]
    """Of shape (n_images, n_features); may be a memory map."""
    labels: IntArray
    """Class numbers of shape (n_images,)."""
    folds: IntArray
    """Fold of each image, of shape (n_images,)."""
    n_classes: int
    mean: FloatArray
    """Of shape (n_features,)."""
    scale: FloatArray
    """Standard deviation of shape (n_features,), never 0."""

    @staticmethod
    def of(vectors: NDArray[np.float32] | NDArray[np.float16], labels: IntArray, folds: IntArray) -> "Table":
        """Measure mean and standard deviation of the features in one pass."""
        total, squares = np.zeros(vectors.shape[1]), np.zeros(vectors.shape[1])
        for start in range(0, len(vectors), BLOCK):
            block = np.asarray(vectors[start : start + BLOCK], dtype=np.float64)
            total += block.sum(0)
            squares += (block**2).sum(0)
        mean = total / len(vectors)
        deviation = np.sqrt(np.maximum(squares / len(vectors) - mean**2, 0.0))
        # A feature that never moves carries nothing, but must not divide by nothing.
        scale = np.where(deviation > _TINY * (1 + np.abs(mean)), deviation, 1.0)
        return Table(
            vectors, labels, folds, int(labels.max()) + 1, mean.astype(np.float32), scale.astype(np.float32)
        )

    def rows(self, rows: IntArray | slice) -> FloatArray:
        """Standardised features of the given rows, float32."""
        block = np.asarray(self.vectors[rows], dtype=np.float32)
        return (block - self.mean) / self.scale

    @property
    def n_features(self) -> int:
        """Width of the features."""
        return int(self.vectors.shape[1])


class Discriminant(Protocol):
    """A table prepared for being solved with several shrinkages."""

    def out_of_fold(self, shrinkage: float) -> FloatArray:
        """Scores (n_images, n_classes) from models that learned without the image's fold.

        Minus infinity where such a model has not seen the class.
        """

    def fit(self, shrinkage: float) -> tuple[FloatArray, FloatArray]:
        """Weights (n_features, n_classes) and bias (n_classes,) on standardised features, from all images."""


def discriminant(table: Table) -> Discriminant:
    """Prepare a table in the cheaper of the two forms."""
    if len(table.labels) <= min(table.n_features, MOST_BY_PRODUCTS):
        return ByProducts(table)
    return ByScatter(table)


class ByProducts:
    """The form for fewer images than features: everything follows from the inner products of the images."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._features = table.rows(slice(None))
        self._products = self._features @ self._features.T

    def out_of_fold(self, shrinkage: float) -> FloatArray:
        """As :class:`Discriminant` says."""
        table = self._table
        scores = np.empty((len(table.labels), table.n_classes), dtype=np.float32)
        for fold in np.unique(table.folds):
            learn, hold = np.flatnonzero(table.folds != fold), np.flatnonzero(table.folds == fold)
            coefficients, bias = self._solve(learn, shrinkage)
            scores[hold] = self._products[np.ix_(hold, learn)] @ coefficients + bias
        return scores

    def fit(self, shrinkage: float) -> tuple[FloatArray, FloatArray]:
        """As :class:`Discriminant` says."""
        coefficients, bias = self._solve(np.arange(len(self._table.labels)), shrinkage)
        return self._features.T @ coefficients, bias

    def _solve(self, learn: IntArray, shrinkage: float) -> tuple[FloatArray, FloatArray]:
        """Coefficients C (n_learn, n_classes) with weights = features.T @ C, by Woodbury's identity."""
        table = self._table
        labels, products = table.labels[learn], self._products[np.ix_(learn, learn)]
        counts = np.bincount(labels, minlength=table.n_classes)
        average = np.zeros((len(learn), table.n_classes), dtype=np.float32)
        average[np.arange(len(learn)), labels] = 1.0 / counts[labels]
        to_means = products @ average
        between_means = average.T @ to_means
        to_own = to_means[:, labels] - np.float32(0.5) * between_means[np.ix_(labels, labels)]
        within = products - to_own - to_own.T
        freedom = max(len(learn) - int((counts > 0).sum()), 1)
        ridge = max(shrinkage * float(np.trace(within)) / freedom / table.n_features, _TINY)
        system = within
        system[np.diag_indices_from(system)] += np.float32(ridge * freedom / (1 - shrinkage))
        residual = _solved(system, to_means - between_means[labels])
        gathered = average.T @ residual * counts[:, None]
        coefficients = (average - residual + average @ gathered) / np.float32(ridge)
        bias = -0.5 * np.einsum("ik,ik->k", to_means, coefficients)
        return coefficients, _without_absent(bias, counts)


class ByScatter:
    """The form for many images: a scatter matrix for each fold, from one pass over blocks of images."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._names = np.unique(table.folds)
        width, classes = table.n_features, table.n_classes
        self._scatters = np.zeros((len(self._names), width, width), dtype=np.float32)
        self._sums = np.zeros((len(self._names), classes, width), dtype=np.float32)
        self._counts = np.zeros((len(self._names), classes), dtype=np.int64)
        for number, fold in enumerate(self._names):
            rows = np.flatnonzero(table.folds == fold)
            self._counts[number] = np.bincount(table.labels[rows], minlength=classes)
            for start in range(0, len(rows), BLOCK):
                block = table.rows(rows[start : start + BLOCK])
                self._scatters[number] += block.T @ block
                np.add.at(self._sums[number], table.labels[rows[start : start + BLOCK]], block)

    def out_of_fold(self, shrinkage: float) -> FloatArray:
        """As :class:`Discriminant` says."""
        table = self._table
        scores = np.empty((len(table.labels), table.n_classes), dtype=np.float32)
        for number, fold in enumerate(self._names):
            weights, bias = self._solve(shrinkage, without=number)
            rows = np.flatnonzero(table.folds == fold)
            for start in range(0, len(rows), BLOCK):
                block = rows[start : start + BLOCK]
                scores[block] = table.rows(block) @ weights + bias
        return scores

    def fit(self, shrinkage: float) -> tuple[FloatArray, FloatArray]:
        """As :class:`Discriminant` says."""
        return self._solve(shrinkage, without=None)

    def _solve(self, shrinkage: float, without: int | None) -> tuple[FloatArray, FloatArray]:
        used = [number for number in range(len(self._names)) if number != without]
        counts = self._counts[used].sum(0)
        means = self._sums[used].sum(0) / np.maximum(counts, 1)[:, None].astype(np.float32)
        covariance = self._scatters[used[0]].copy()
        for number in used[1:]:
            covariance += self._scatters[number]
        covariance -= (means * counts[:, None].astype(np.float32)).T @ means
        freedom = max(int(counts.sum()) - int((counts > 0).sum()), 1)
        covariance *= np.float32((1 - shrinkage) / freedom)
        ridge = shrinkage / (1 - shrinkage) * float(np.trace(covariance)) / self._table.n_features
        covariance[np.diag_indices_from(covariance)] += np.float32(max(ridge, _TINY))
        weights = _solved(covariance, means.T)
        return weights, _without_absent(-0.5 * np.einsum("kd,dk->k", means, weights), counts)


def _solved(system: NDArray[Any], right: NDArray[Any]) -> FloatArray:
    """Solve a positive definite system, whose triangle is overwritten."""
    factor = scipy.linalg.cho_factor(system, overwrite_a=True, check_finite=False)
    return np.asarray(scipy.linalg.cho_solve(factor, right, check_finite=False), dtype=np.float32)


def _without_absent(bias: FloatArray, counts: IntArray) -> FloatArray:
    """A class that was not there to learn from must never win."""
    return np.where(counts > 0, bias, -np.inf).astype(np.float32)
