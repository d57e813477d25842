"""Shrinkage linear discriminant analysis, with out-of-fold scores for any shrinkage at little cost.

The classes share one covariance, estimated within classes and shrunk towards a multiple of the identity
(Friedman, "Regularized discriminant analysis", JASA 1989; in closed form like Ledoit and Wolf 2004, with the
share chosen by cross-validation). On pooled features of a pretrained network this was as accurate as logistic
regression tuned in the same way, or more so, at a tenth of the time (docs/log.md).

Two forms of the same algebra. With fewer images than features all there is to know is the matrix of inner
products (`ByProducts`); with more, the scatter matrices of the folds (`ByScatter`), for which the images pass
by in blocks and memory does not grow with their number. `ByRelevance` is the first form on features that are
weighted by how well each tells the classes apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from fieldguide.heads.blas import side_by_side
from fieldguide.heads.relevance import relevance
from fieldguide.heads.scatter import fold_sums, whole
from fieldguide.heads.training_table import BLOCK, FloatArray, IntArray, TrainingTable

MOST_BY_PRODUCTS = 5000
"""Images up to which the matrix of inner products is used."""
_TINY = 1e-6


class Discriminant(Protocol):
    """A table prepared for being solved with several shrinkages."""

    def out_of_fold(self, shrinkages: Sequence[float], rows: IntArray) -> FloatArray:
        """Score the given rows by models that learned without their fold.

        Returns
        -------
        ndarray of shape (n_shrinkages, n_rows, n_classes)
            Minus infinity where such a model has not seen the class.
        """

    def fit(self, shrinkage: float) -> tuple[FloatArray, FloatArray]:
        """Weights (n_features, n_classes) and bias (n_classes,) on standardised features, from all images."""


def discriminant(table: TrainingTable) -> Discriminant:
    """Prepare a table in the cheaper of the two forms.

    Examples
    --------
    >>> labels, folds = np.arange(12) % 2, np.arange(12) // 2 % 3
    >>> vectors = (labels[:, None] + 0.1 * np.sin(np.arange(36).reshape(12, 3))).astype(np.float32)
    >>> scores = discriminant(TrainingTable.of(vectors, labels, folds)).out_of_fold([0.5], np.arange(12))
    >>> scores.shape, bool((scores[0].argmax(axis=1) == labels).all())
    ((1, 12, 2), True)
    """
    if len(table.labels) <= min(table.n_features, MOST_BY_PRODUCTS):
        return ByProducts(table)
    return ByScatter(table)


class ByProducts:
    """The form for fewer images than features: everything follows from the inner products of the images."""

    def __init__(self, table: TrainingTable) -> None:
        self._table = table
        self._features = table.rows(slice(None))
        self._products = self._features @ self._features.T

    def out_of_fold(self, shrinkages: Sequence[float], rows: IntArray) -> FloatArray:
        """As :class:`Discriminant` says."""
        table = self._table
        scores = np.empty((len(shrinkages), len(rows), table.n_classes), dtype=np.float32)

        def answer(fold: int) -> None:
            learn, hold = np.flatnonzero(table.folds != fold), np.flatnonzero(table.folds[rows] == fold)
            products = self._products[np.ix_(rows[hold], learn)]
            for number, (coefficients, bias) in enumerate(self._solutions(learn, shrinkages)):
                scores[number, hold] = products @ coefficients + bias

        _all(side_by_side(answer, np.unique(table.folds[rows]), 3 * self._products.size))
        return scores

    def fit(self, shrinkage: float) -> tuple[FloatArray, FloatArray]:
        """As :class:`Discriminant` says."""
        everything = np.arange(len(self._table.labels))
        ((coefficients, bias),) = self._solutions(everything, (shrinkage,))
        return self._features.T @ coefficients, bias

    def _solutions(
        self, learn: IntArray, shrinkages: Sequence[float]
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        return _coefficients(self._table, learn, self._products[np.ix_(learn, learn)], shrinkages)


class ByRelevance:
    """The form for few images, on features weighted by :func:`fieldguide.heads.relevance.relevance`.

    The weights are those of the images that a model learns from: weights of all images would have seen the
    labels of those held out, and every promise would be too good.
    """

    def __init__(self, table: TrainingTable) -> None:
        self._table = table
        self._features = table.rows(slice(None))

    def out_of_fold(self, shrinkages: Sequence[float], rows: IntArray) -> FloatArray:
        """As :class:`Discriminant` says."""
        table = self._table
        scores = np.empty((len(shrinkages), len(rows), table.n_classes), dtype=np.float32)

        def answer(fold: int) -> None:
            learn, hold = np.flatnonzero(table.folds != fold), np.flatnonzero(table.folds[rows] == fold)
            weights, weighted = self._weighted(learn)
            held, products = (self._features[rows[hold]] * weights) @ weighted.T, weighted @ weighted.T
            for number, (coefficients, bias) in enumerate(_coefficients(table, learn, products, shrinkages)):
                scores[number, hold] = held @ coefficients + bias

        _all(side_by_side(answer, np.unique(table.folds[rows]), 3 * self._features.size))
        return scores

    def fit(self, shrinkage: float) -> tuple[FloatArray, FloatArray]:
        """As :class:`Discriminant` says."""
        everything = np.arange(len(self._table.labels))
        weights, weighted = self._weighted(everything)
        products = weighted @ weighted.T
        ((coefficients, bias),) = _coefficients(self._table, everything, products, (shrinkage,))
        return weights[:, None] * (weighted.T @ coefficients), bias

    def _weighted(self, learn: IntArray) -> tuple[FloatArray, FloatArray]:
        """Weights from the given rows, and these rows weighted."""
        rows = self._features[learn]
        weights = relevance(rows, self._table.labels[learn], self._table.n_classes)
        rows *= weights
        return weights, rows


def _coefficients(
    table: TrainingTable, learn: IntArray, products: FloatArray, shrinkages: Sequence[float]
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Coefficients C (n_learn, n_classes) with weights = features.T @ C, by Woodbury's identity.

    `products` are the inner products of the rows learned from, which are overwritten.
    """
    labels = table.labels[learn]
    counts = np.bincount(labels, minlength=table.n_classes)
    average = np.zeros((len(learn), table.n_classes), dtype=np.float32)
    average[np.arange(len(learn)), labels] = 1.0 / counts[labels]
    to_means = products @ average
    between_means = average.T @ to_means
    chosen = np.eye(table.n_classes, dtype=np.float32)[labels]
    # The centring of rows and columns as one product, in one pass over the large matrix.
    half = to_means - chosen @ (between_means / 2)
    within = products
    within -= np.concatenate([half, chosen], axis=1) @ np.concatenate([chosen, half], axis=1).T
    freedom = max(len(learn) - int((counts > 0).sum()), 1)
    trace = float(np.trace(within))
    for shrinkage in shrinkages:
        ridge = max(shrinkage * trace / freedom / table.n_features, _TINY)
        system = within.copy()
        system[np.diag_indices_from(system)] += np.float32(ridge * freedom / (1 - shrinkage))
        residual = _solved(system, to_means - between_means[labels])
        gathered = average.T @ residual * counts[:, None]
        coefficients = (average - residual + average @ gathered) / np.float32(ridge)
        bias = -0.5 * np.einsum("ik,ik->k", to_means, coefficients)
        yield coefficients, _without_absent(bias, counts)


class ByScatter:
    """The form for many images: all follows from :func:`fieldguide.heads.scatter.fold_sums`."""

    def __init__(self, table: TrainingTable) -> None:
        self._table = table
        self._sums = fold_sums(table)

    def out_of_fold(self, shrinkages: Sequence[float], rows: IntArray) -> FloatArray:
        """As :class:`Discriminant` says."""
        table = self._table
        scores = np.empty((len(shrinkages), len(rows), table.n_classes), dtype=np.float32)

        def answer(without: int) -> None:
            hold = np.flatnonzero(table.folds[rows] == self._sums.names[without])
            for number, (weights, bias) in enumerate(self._solutions(shrinkages, without)):
                for start in range(0, len(hold), BLOCK):
                    block = hold[start : start + BLOCK]
                    scores[number, block] = table.rows(rows[block]) @ weights + bias

        _all(side_by_side(answer, range(len(self._sums.names)), 3 * table.n_features**2))
        return scores

    def fit(self, shrinkage: float) -> tuple[FloatArray, FloatArray]:
        """As :class:`Discriminant` says."""
        ((weights, bias),) = self._solutions((shrinkage,), without=None)
        return weights, bias

    def _solutions(
        self, shrinkages: Sequence[float], without: int | None
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        sums = self._sums
        used = [number for number in range(len(sums.names)) if number != without]
        counts = sums.counts[used].sum(0)
        means = (sums.sums[used].sum(0) / np.maximum(counts, 1)[:, None]).astype(np.float32)
        covariance = whole([sums.scatters[number] for number in used])
        covariance -= (means * counts[:, None].astype(np.float32)).T @ means
        covariance /= np.float32(max(int(counts.sum()) - int((counts > 0).sum()), 1))
        average = float(np.trace(covariance)) / self._table.n_features
        for shrinkage in shrinkages:
            system = covariance * np.float32(1 - shrinkage)
            system[np.diag_indices_from(system)] += np.float32(max(shrinkage * average, _TINY))
            weights = _solved(system, means.T)
            yield weights, _without_absent(-0.5 * np.einsum("kd,dk->k", means, weights), counts)


def _all(results: Iterable[None]) -> None:
    for _ in results:
        pass


def _solved(system: NDArray[Any], right: NDArray[Any]) -> FloatArray:
    """Solve a positive definite system, whose triangle is overwritten."""
    # The transpose is the same matrix in the order of columns that LAPACK works in, without a copy.
    factor = scipy.linalg.cho_factor(system.T, overwrite_a=True, check_finite=False)
    return np.asarray(scipy.linalg.cho_solve(factor, right, check_finite=False), dtype=np.float32)


def _without_absent(bias: FloatArray, counts: IntArray) -> FloatArray:
    """A class that was not there to learn from must never win."""
    return np.where(counts > 0, bias, -np.inf).astype(np.float32)
