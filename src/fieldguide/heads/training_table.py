"""What heads learn from: features with labels and folds, in memory or in a file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.large_arrays import let_pages_go

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

BLOCK = 2048
"""Images that are in memory at once where they are many."""
PASS = 64
"""Images that are looked at together where nothing but sums is wanted: they stay in a core's own memory."""
GATHERED = 256
"""Rows that are looked up together: with each, the system takes up to sixteen pages of the file around it."""
_TINY = 1e-6


@dataclass(frozen=True)
class TrainingTable:
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
    def of(
        vectors: NDArray[np.float32] | NDArray[np.float16], labels: IntArray, folds: IntArray
    ) -> "TrainingTable":
        """Measure mean and standard deviation of the features in one pass.

        Examples
        --------
        >>> vectors = np.array([[2, 5], [6, 5], [2, 5], [6, 5]], dtype=np.float32)
        >>> table = TrainingTable.of(vectors, labels=np.array([0, 0, 0, 1]), folds=np.array([0, 1, 0, 1]))
        >>> table.mean.tolist(), table.scale.tolist(), table.shares.tolist()
        ([4.0, 5.0], [2.0, 1.0], [0.75, 0.25])
        """
        total, squares = np.zeros(vectors.shape[1]), np.zeros(vectors.shape[1])
        for start in range(0, len(vectors), PASS):
            block = np.asarray(vectors[start : start + PASS], dtype=np.float64)
            total += block.sum(0)
            squares += np.einsum("nd,nd->d", block, block)
            if start % BLOCK == 0:
                let_pages_go(vectors)
        mean = total / len(vectors)
        deviation = np.sqrt(np.maximum(squares / len(vectors) - mean**2, 0.0))
        # A feature that never moves carries nothing, but must not divide by nothing.
        scale = np.where(deviation > _TINY * (1 + np.abs(mean)), deviation, 1.0)
        return TrainingTable(
            vectors, labels, folds, int(labels.max()) + 1, mean.astype(np.float32), scale.astype(np.float32)
        )

    def rows(self, rows: IntArray | slice, columns: IntArray | slice = slice(None)) -> FloatArray:
        """Standardised features of the given rows and columns, float32."""
        if isinstance(rows, slice):
            block = np.array(self.vectors[rows][:, columns], dtype=np.float32)
        else:
            block = self._gathered(rows, columns)
        let_pages_go(self.vectors)
        block -= self.mean[columns]
        block /= self.scale[columns]
        return block

    def _gathered(self, rows: IntArray, columns: IntArray | slice) -> FloatArray:
        width = len(np.empty(self.n_features, np.bool_)[columns])
        block = np.empty((len(rows), width), dtype=np.float32)
        for start in range(0, len(rows), GATHERED):
            some = rows[start : start + GATHERED]
            block[start : start + len(some)] = self.vectors[some][:, columns]
            let_pages_go(self.vectors)
        return block

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class, of shape (n_classes,)."""
        return np.bincount(self.labels, minlength=self.n_classes) / len(self.labels)

    @property
    def n_features(self) -> int:
        """Width of the features."""
        return int(self.vectors.shape[1])
