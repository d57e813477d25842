"""What one process of a cluster does for a head: adds up photos whose features lie in a file."""

import mmap
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fieldguide.heads.scatter import Sums, Triangle, add_rows
from fieldguide.heads.training_table import FloatArray, IntArray, TrainingTable


@dataclass(frozen=True)
class FeatureFile:
    """Features that other processes can read."""

    path: Path
    shape: tuple[int, int]
    dtype: str

    @classmethod
    def of(cls, vectors: NDArray[Any]) -> "FeatureFile | None":
        """The file of which these features are the first rows; None where they are in no file with a name."""
        owner = vectors
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        if (
            not isinstance(owner, np.memmap)
            or owner.filename is None
            or not isinstance(owner.base, mmap.mmap)
        ):
            return None
        begin = np.frombuffer(owner.base, np.uint8).ctypes.data
        if vectors.ctypes.data != begin or not vectors.flags.c_contiguous:
            return None
        owner.base.flush()  # what is still on its way must be there for another machine
        return cls(Path(owner.filename), (vectors.shape[0], vectors.shape[1]), vectors.dtype.str)

    def opened(self) -> NDArray[Any]:
        """The features.

        Raises
        ------
        OSError, ValueError
            If the file is not there, or shorter.
        """
        mapped: NDArray[Any] = np.memmap(self.path, self.dtype, "r", shape=self.shape)
        return mapped


@dataclass(frozen=True)
class SumsPart:
    """Photos for one process: some of one fold."""

    number: int
    """From 0, one fold after the other."""
    fold: int
    first: int
    """Of the fold's photos, from 0."""
    end: int
    checksum: int
    """From :func:`ends_checksum`, by the machine that asks."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return f"the sums over photos {self.first + 1} to {self.end} of fold {self.fold + 1}"

    def rows(self, table: TrainingTable) -> IntArray:
        """Rows of a table."""
        return np.flatnonzero(table.folds == self.fold)[self.first : self.end]


@dataclass(frozen=True)
class SumsDone:
    """What came of it."""

    number: int
    seen: bool = True
    """Whether this machine has the file; where not, the rest is empty."""
    classes: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    """Those of the photos, growing."""
    sums: Sums = field(default_factory=lambda: np.empty((0, 0)))
    """Of these classes, of shape (n_these, n_features)."""
    scatter: Triangle = field(default_factory=lambda: Triangle(()))
    """Of shape (n_features, n_features)."""
    failed: str = ""
    """Never: what a process cannot do, the machine that asks does itself."""


@dataclass(frozen=True)
class SumsJob:
    """What a process must know: a table, but for its features."""

    file: FeatureFile
    labels: IntArray
    folds: IntArray
    n_classes: int
    mean: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, table: TrainingTable, file: FeatureFile) -> "SumsJob":
        """Of a table whose features lie in a file."""
        return cls(file, table.labels, table.folds, table.n_classes, table.mean, table.scale)

    def table(self) -> TrainingTable:
        """The table, as another machine has it."""
        vectors = self.file.opened()
        return TrainingTable(vectors, self.labels, self.folds, self.n_classes, self.mean, self.scale)


class SumsWorker:
    """Lives in a process of its own and computes with one thread.

    Parameters
    ----------
    job
        The table.
    """

    def __init__(self, job: SumsJob) -> None:
        self._job = job

    def ready(self) -> None:
        """Answer once the process is there."""

    @cached_property
    def _table(self) -> TrainingTable:
        return self._job.table()

    def work(self, part: SumsPart) -> SumsDone:
        """Add up a part."""
        try:
            rows = part.rows(self._table)
            if ends_checksum(self._table, rows) != part.checksum:
                return SumsDone(part.number, seen=False)
        except (OSError, ValueError):
            return SumsDone(part.number, seen=False)
        with threadpool_limits(1, user_api="blas"):
            return added_up(self._table, part.number, rows)


def added_up(table: TrainingTable, number: int, rows: IntArray) -> SumsDone:
    """The sums over some rows of a table."""
    sums, scatter = np.zeros((table.n_classes, table.n_features)), Triangle.zeros(table.n_features)
    add_rows(table, rows, sums, scatter)
    classes = np.unique(table.labels[rows])
    return SumsDone(number, classes=classes, sums=sums[classes], scatter=scatter)


def ends_checksum(table: TrainingTable, rows: IntArray) -> int:
    """Over the first and the last of some rows: tells from them a file that is another, or not whole yet."""
    return zlib.crc32(np.ascontiguousarray(table.vectors[rows[[0, -1]]]).tobytes())
