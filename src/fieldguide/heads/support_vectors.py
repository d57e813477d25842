"""Support vector machines that compare an image with every image learned from: scikit-learn's ``SVC``.

Cortes and Vapnik, "Support-Vector Networks" (Machine Learning 1995); one class against the rest (Rifkin and
Klautau, "In Defense of One-Vs-All Classification", JMLR 2004). The inner products of all pairs of images are
computed once; whatever kernel and whatever fold is asked for then costs no more pass over the features.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from fieldguide.heads.blas import side_by_side
from fieldguide.heads.kernel_machine import Kind, Labels, Machine, absent_score, gaussian, sides_of
from fieldguide.heads.training_table import FloatArray, IntArray

CACHE = 100
"""Megabytes of kernel that a machine under way keeps as it needs them."""


@dataclass(frozen=True)
class SupportVectors:
    """Machines of all classes, as sums over the images that support any of them."""

    kind: Kind
    rows: IntArray
    """Of shape (n_vectors,): the images, growing."""
    coefficients: FloatArray
    """Of shape (n_vectors, n_classes)."""
    bias: FloatArray
    """Of shape (n_classes,); minus infinity for a class that was not there to learn from."""


@dataclass(frozen=True)
class Products:
    """Scaled images with their labels, and the inner products of all pairs."""

    features: FloatArray
    """Scaled, of shape (n_images, n_features)."""
    labels: Labels
    n_classes: int
    products: FloatArray
    """Of shape (n_images, n_images)."""

    @staticmethod
    def of(features: FloatArray, labels: Labels, n_classes: int) -> "Products":
        """Compute the products of scaled features."""
        return Products(features, labels, n_classes, features @ features.T)

    def kernel(self, rows: IntArray, columns: IntArray, gamma: float | None) -> FloatArray:
        """Kernel of some images with others, of shape (n_rows, n_columns); `gamma` None is linear."""
        products = self.products[np.ix_(rows, columns)]
        if gamma is None:
            return products
        norms = np.diagonal(self.products)
        return gaussian(products, norms[rows], norms[columns], gamma)

    def fit(self, rows: IntArray, kind: Kind) -> SupportVectors:
        """Fit a machine for each class to some of the images.

        Both sides of a machine weigh the same in all, however few images a class has.
        """
        kernel = self.kernel(rows, rows, kind.gamma).astype(np.float64)
        labels = self.labels[rows]
        sides = sides_of(labels)
        if labels.ndim == 1 and len(sides) == 1:  # nothing to tell it from
            return self._of_one_class(int(labels[0]), kind)
        coefficients = np.zeros((len(rows), self.n_classes))
        bias = np.full(self.n_classes, absent_score(labels))

        def against_the_rest(own: NDArray[np.bool_]) -> Any:
            machine = SVC(C=kind.cost, kernel="precomputed", class_weight="balanced", cache_size=CACHE)
            return machine.fit(kernel, own)

        machines = side_by_side(against_the_rest, sides.values(), CACHE * 2**20 // 4)
        for label, machine in zip(sides, machines, strict=True):
            coefficients[machine.support_, label] = machine.dual_coef_[0]
            bias[label] = machine.intercept_[0]
        support = np.flatnonzero(coefficients.any(1))
        return SupportVectors(
            kind, rows[support], coefficients[support].astype(np.float32), bias.astype(np.float32)
        )

    def _of_one_class(self, label: int, kind: Kind) -> SupportVectors:
        bias = np.full(self.n_classes, -np.inf, dtype=np.float32)
        bias[label] = 0
        return SupportVectors(
            kind, np.empty(0, dtype=np.int64), np.empty((0, self.n_classes), dtype=np.float32), bias
        )

    def scores(self, vectors: SupportVectors, rows: IntArray) -> FloatArray:
        """Score some of the images: (n_rows, n_classes)."""
        kernel = self.kernel(rows, vectors.rows, vectors.kind.gamma)
        return np.asarray(kernel @ vectors.coefficients + vectors.bias, dtype=np.float32)

    def machine(self, vectors: SupportVectors) -> Machine:
        """The same as a machine that scores any scaled features."""
        landmarks, gamma = self.features[vectors.rows], vectors.kind.gamma
        if gamma is None:
            return Machine(landmarks.T @ vectors.coefficients, vectors.bias, None, 0.0)
        return Machine(vectors.coefficients, vectors.bias, landmarks, gamma)
