"""How far an image lies from everything that was learned: the distance behind `typicality`.

The Mahalanobis distance to the nearest class mean (Lee et al., "A Simple Unified Framework for Detecting
Out-of-Distribution Samples", NeurIPS 2018) with the covariance of probabilistic principal components (Tipping
and Bishop, 1999): the leading directions within classes have each their own variance, at most that of the
rest, and all others one in common. So it fits into a model file (128 directions instead of a full matrix),
and holds with ten images as with ten thousand.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads.blas import side_by_side
from fieldguide.heads.randomized_svd import leading_directions
from fieldguide.heads.relevance import class_sums
from fieldguide.heads.training_table import BLOCK, FloatArray, IntArray, TrainingTable

MOST_DIRECTIONS = 128
WIDEST = 2560
"""Features looked at: the deepest ones, up to this many."""
MOST_IMAGES = 10_000
"""Images from which the covariance is estimated; more would not change 128 directions."""
LEAST_SCALE = 0.02
"""Features that move less than this, relative to all images, are taken not to move and left as they are."""
OTHER_DIRECTIONS = 0.3
"""Weight of all directions without a variance of their own, relative to the leading ones together."""


@dataclass(frozen=True)
class MahalanobisDistance:
    """The distance as a model file computes it, on standardised features of the chosen columns."""

    columns: IntArray
    """Features looked at, of shape (n_columns,)."""
    directions: FloatArray
    """Of shape (n_columns, n_directions), each divided by its standard deviation."""
    evenness: float
    """Weight of the plain squared distance, which stands for all other directions."""
    centres: FloatArray
    """Class means of shape (n_classes, n_columns); NaN for a class without images."""
    scale: FloatArray
    """Standard deviations, of shape (n_columns,), of the images learned from; divides features first."""

    def distances(self, features: FloatArray) -> FloatArray:
        """Squared distance to the nearest class mean.

        Parameters
        ----------
        features
            Standardised, of shape (n_images, n_features).

        Returns
        -------
        ndarray of shape (n_images,), float32

        Examples
        --------
        >>> plain = MahalanobisDistance(
        ...     columns=np.array([0, 1]), directions=np.zeros((2, 1), np.float32), evenness=1.0,
        ...     centres=np.array([[0, 0], [4, 0]], np.float32), scale=np.ones(2, np.float32),
        ... )
        >>> plain.distances(np.array([[0, 0], [3, 0], [4, 3]], np.float32)).tolist()
        [0.0, 1.0, 9.0]
        """
        return self.distances_of(features[:, self.columns])

    def distances_of(self, deep: FloatArray) -> FloatArray:
        """The same from the chosen columns alone, of shape (n_images, n_columns)."""
        known = self.centres[~np.isnan(self.centres[:, 0])]
        image, centre = (self._stretched(rows) for rows in (deep / self.scale, known))
        squared = (image**2).sum(1)[:, None] - 2 * image @ centre.T + (centre**2).sum(1)
        return np.asarray(squared.min(1), dtype=np.float32)

    def _stretched(self, rows: FloatArray) -> FloatArray:
        return np.concatenate([rows @ self.directions, rows * np.float32(np.sqrt(self.evenness))], axis=1)


def deep_columns(depths: tuple[tuple[str, int], ...]) -> IntArray:
    """Choose the mean-pooled features of the deepest parts, at most :data:`WIDEST`.

    Parameters
    ----------
    depths
        Name and width of each part of the features, from early to late; a name that ends in ``:max`` is
        left out, since the largest value of a map says less of what is usual.

    Examples
    --------
    >>> deep_columns((("stage3", 2), ("stage6", 3), ("stage6:max", 3))).tolist()
    [0, 1, 2, 3, 4]
    """
    ends = np.cumsum([width for _, width in depths])
    chosen: list[NDArray[np.int64]] = []
    for (name, width), end in reversed(list(zip(depths, ends, strict=True))):
        if name.endswith(":max"):
            continue
        if chosen and sum(map(len, chosen)) + width > WIDEST:
            break
        chosen.append(np.arange(end - width, end, dtype=np.int64))
    return np.concatenate(chosen[::-1])


def directions_for(table: TrainingTable, columns: IntArray) -> int:
    """How many directions get a variance of their own.

    The same number with a fold left out as with all images, or their distances could not be compared.
    """
    fewest = min(int((table.folds != fold).sum()) for fold in np.unique(table.folds))
    return most_directions(fewest, table.n_classes, len(columns))


def most_directions(images: int, n_classes: int, n_columns: int) -> int:
    """At most half of the images beyond the number of classes, so that each variance is an average.

    Examples
    --------
    >>> most_directions(images=30, n_classes=10, n_columns=1280)
    10
    >>> most_directions(images=10_000, n_classes=10, n_columns=1280)
    128
    """
    return max(1, min(MOST_DIRECTIONS, (images - n_classes) // 2, n_columns // 2))


def fit(
    table: TrainingTable, columns: IntArray, rows: IntArray, seed: int, directions: int | None = None
) -> MahalanobisDistance:
    """Estimate class means and covariance from the given rows of a table.

    Parameters
    ----------
    table
        Features and labels.
    columns
        From :func:`deep_columns`.
    rows
        Images to learn from.
    seed
        Of the randomised decomposition.
    directions
        How many get a variance of their own; None takes :func:`directions_for`.
    """
    deep = _Deep(table, columns)
    return _estimated(deep, rows, deep.sums(rows), seed, directions or directions_for(table, columns))


@dataclass(frozen=True)
class _Sums:
    """What means and standard deviations follow from; those of two lots of images add up."""

    counts: IntArray
    sums: NDArray[np.float64]
    squares: NDArray[np.float64]

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(self.counts + other.counts, self.sums + other.sums, self.squares + other.squares)

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Standard deviations within these images alone, and class means on that scale.

        The table's own scale has seen the images that are held out. A feature that moves in hardly any image
        would be tamed for those, as it will not be for new ones, and too many new images would be unknown.
        """
        images = int(self.counts.sum())
        deviation = np.sqrt(np.maximum(self.squares / images - (self.sums.sum(0) / images) ** 2, 0.0))
        scale = np.where(deviation > LEAST_SCALE, deviation, 1.0).astype(np.float32)
        centres = self.sums / np.where(self.counts > 0, self.counts, np.nan)[:, None]
        return scale, centres.astype(np.float32) / scale


class _Deep:
    """The chosen columns of a table: few images are standardised once for all folds, many stay put."""

    def __init__(self, table: TrainingTable, columns: IntArray) -> None:
        self.table, self.columns = table, columns
        self._kept = table.rows(slice(None), columns) if len(table.labels) <= MOST_IMAGES else None

    def rows(self, rows: IntArray) -> FloatArray:
        """A new array of shape (n_rows, n_columns)."""
        return self.table.rows(rows, self.columns) if self._kept is None else self._kept[rows]

    def blocks(self, rows: IntArray) -> Iterator[tuple[slice, IntArray, FloatArray]]:
        """Place among the rows, labels and features, a block of images after the other."""
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            yield slice(start, start + len(block)), self.table.labels[block], self.rows(block)

    def sums(self, rows: IntArray) -> _Sums:
        """One pass over some rows."""
        squares = np.zeros(len(self.columns))
        sums = np.zeros((self.table.n_classes, len(self.columns)))
        for _, labels, block in self.blocks(rows):
            sums += class_sums(labels, block, self.table.n_classes)
            squares += np.einsum("nd,nd->d", block, block, dtype=np.float64)
        return _Sums(np.bincount(self.table.labels[rows], minlength=self.table.n_classes), sums, squares)


def _estimated(deep: _Deep, rows: IntArray, sums: _Sums, seed: int, count: int) -> MahalanobisDistance:
    scale, centres = sums.moments()
    sample = rows
    if len(rows) > MOST_IMAGES:
        sample = np.sort(np.random.default_rng(seed).choice(rows, MOST_IMAGES, replace=False))
    centred = np.empty((len(sample), len(deep.columns)), dtype=np.float32)
    for place, labels, block in deep.blocks(sample):
        np.divide(block, scale, out=centred[place])
        centred[place] -= centres[labels]
    known = int((sums.counts > 0).sum())
    freedom = len(sample) * (len(rows) - known) // len(rows)
    stretched, evenness = _covariance(centred, count, freedom, seed)
    return MahalanobisDistance(deep.columns, stretched, evenness, centres, scale)


def out_of_fold_distances(table: TrainingTable, columns: IntArray, rows: IntArray, seed: int) -> FloatArray:
    """Distance of each of the rows under means and covariance that were estimated without its fold."""
    distances = np.empty(len(rows), dtype=np.float32)
    deep, count = _Deep(table, columns), directions_for(table, columns)
    sums = {int(fold): deep.sums(np.flatnonzero(table.folds == fold)) for fold in np.unique(table.folds)}

    def measure(fold: int) -> None:
        others = reduce(operator.add, (part for name, part in sums.items() if name != fold))
        model = _estimated(deep, np.flatnonzero(table.folds != fold), others, seed, count)
        hold = np.flatnonzero(table.folds[rows] == fold)
        for place, _, block in deep.blocks(rows[hold]):
            distances[hold[place]] = model.distances_of(block)

    numbers = 3 * min(len(table.labels), MOST_IMAGES) * len(columns)
    for _ in side_by_side(measure, np.unique(table.folds[rows]).tolist(), numbers):
        pass
    return distances


def _covariance(centred: FloatArray, count: int, freedom: int, seed: int) -> tuple[FloatArray, float]:
    """Scaled leading directions and the weight of the rest; none where there are too few images."""
    total = float(np.einsum("nd,nd->", centred, centred, dtype=np.float64)) / max(freedom, 1)
    if total <= 0:
        return np.zeros((centred.shape[1], 1), dtype=np.float32), 1.0
    count = min(count, *centred.shape)
    singular, leading = leading_directions(centred, count, seed)
    evenness = OTHER_DIRECTIONS * count / total
    inverse = max(freedom, 1) / np.maximum(singular**2, 1e-12 * total)
    scale = np.sqrt(np.maximum(inverse - evenness, 0.0)).astype(np.float32)
    return np.ascontiguousarray(leading.T * scale, dtype=np.float32), evenness
