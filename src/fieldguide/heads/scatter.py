"""Sums from which a linear head follows exactly: counts, class sums and scatter matrix of each fold.

Those of some images and those of others add up. So images may pass by in blocks, wherever they lie and
whoever looks at them, and a head with a fold left out costs no further look. Whatever fits from sums asks
:func:`fold_sums`; :func:`summed_by` has something else add them up, such as a cluster.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads.relevance import class_sums
from fieldguide.heads.training_table import BLOCK, FloatArray, IntArray, TrainingTable

MANY = 100_000
"""Images from which on it is said that a head comes from sums, and a cluster's processes add them up."""
PANEL = 512
"""Columns of a triangle that are one array."""

Sums = NDArray[np.float64]


@dataclass(frozen=True)
class Triangle:
    """A symmetric matrix in double precision, in the room of a whole one in single precision.

    Sums over millions of images in double precision are the same, to single precision, in whatever order they
    are added up.
    """

    panels: tuple[Sums, ...]
    """From the diagonal down, :data:`PANEL` columns each."""

    @classmethod
    def zeros(cls, width: int) -> "Triangle":
        """Of shape (width, width)."""
        firsts = range(0, width, PANEL)
        return cls(tuple(np.zeros((width - first, min(PANEL, width - first))) for first in firsts))

    def add_products(self, rows: FloatArray) -> None:
        """Add the outer product of each row with itself."""
        for place, panel in enumerate(self.panels):
            first = place * PANEL
            panel += rows[:, first:].T @ rows[:, first : first + PANEL]

    def add(self, other: "Triangle") -> None:
        """Add a matrix of the same shape."""
        for panel, more in zip(self.panels, other.panels, strict=True):
            panel += more


def whole(triangles: Sequence[Triangle]) -> FloatArray:
    """The sum of some symmetric matrices of the same shape.

    Examples
    --------
    >>> one = Triangle.zeros(2)
    >>> one.add_products(np.array([[1, 2], [0, 3]], dtype=np.float32))
    >>> whole([one, one]).tolist()
    [[2.0, 4.0], [4.0, 26.0]]
    """
    width = len(triangles[0].panels[0])
    matrix = np.empty((width, width), dtype=np.float32)
    for place, panels in enumerate(zip(*(triangle.panels for triangle in triangles), strict=True)):
        total = reduce(np.add, panels)
        first, end = place * PANEL, place * PANEL + total.shape[1]
        matrix[first:, first:end] = total
        matrix[first:end, first:] = total.T
    return matrix


@dataclass(frozen=True)
class FoldSums:
    """Of standardised features, a fold after the other in the order of :attr:`names`."""

    names: IntArray
    """The folds, growing, of shape (n_folds,)."""
    counts: IntArray
    """Images of each class, of shape (n_folds, n_classes)."""
    sums: Sums
    """Of each class, of shape (n_folds, n_classes, n_features)."""
    scatters: tuple[Triangle, ...]
    """Sums of outer products, not centred; one a fold, of shape (n_features, n_features)."""

    @classmethod
    def empty(cls, table: TrainingTable) -> "FoldSums":
        """With the counts of a table, and nothing added up yet."""
        names, classes, width = np.unique(table.folds), table.n_classes, table.n_features
        counts = [np.bincount(table.labels[table.folds == name], minlength=classes) for name in names]
        return cls(
            names,
            np.array(counts, dtype=np.int64),
            np.zeros((len(names), classes, width)),
            tuple(Triangle.zeros(width) for _ in names),
        )


class SumsPass(Protocol):
    """Adds up the sums of a table somewhere: :func:`fold_sums_here`, or what takes its place."""

    def __call__(self, table: TrainingTable) -> FoldSums:
        """Answer as :func:`fold_sums` does."""


@contextlib.contextmanager
def summed_by(sums_pass: SumsPass) -> Iterator[None]:
    """Have something else answer :func:`fold_sums` in this thread, until the context ends."""
    token = _PASS.set(sums_pass)
    try:
        yield
    finally:
        _PASS.reset(token)


def fold_sums(table: TrainingTable) -> FoldSums:
    """Add up a table by fold: in this process, or where :func:`summed_by` says.

    Examples
    --------
    >>> vectors = np.array([[1], [3], [1], [3]], dtype=np.float32)  # -1, 1, -1, 1 once standardised
    >>> table = TrainingTable.of(vectors, labels=np.array([0, 0, 0, 1]), folds=np.array([0, 0, 1, 1]))
    >>> sums = fold_sums(table)
    >>> sums.counts.tolist(), sums.sums[1].tolist(), whole(sums.scatters).tolist()
    ([[2, 0], [1, 1]], [[-1.0], [1.0]], [[4.0]])
    """
    return _PASS.get()(table)


def fold_sums_here(table: TrainingTable) -> FoldSums:
    """Do what :func:`fold_sums` does in this process, a block of images after the other."""
    found = FoldSums.empty(table)
    for number, name in enumerate(found.names):
        add_rows(table, np.flatnonzero(table.folds == name), found.sums[number], found.scatters[number])
    return found


_PASS: ContextVar[SumsPass] = ContextVar("sums pass", default=fold_sums_here)


def add_rows(table: TrainingTable, rows: IntArray, sums: Sums, scatter: Triangle) -> None:
    """Add some images of a table.

    Parameters
    ----------
    table
        Features and labels; its folds are not looked at.
    rows
        Which images.
    sums, scatter
        Of shape (n_classes, n_features) and (n_features, n_features); these are added to.
    """
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK]
        block = table.rows(some)
        scatter.add_products(block)
        sums += class_sums(table.labels[some], block, table.n_classes)
