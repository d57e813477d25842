"""The rows that feature extraction fills: in memory while they are few, in a file once they are many."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import Refusal
from fieldguide.large_arrays import in_file, in_named_file, let_pages_go

IN_MEMORY_BYTES = 256_000_000


class FeatureTable:
    """Room for as many images as there are paths.

    Parameters
    ----------
    count
        Number of paths.
    width
        Length of a vector.
    folder
        Where a file of vectors may lie; None takes the system's place for temporary files.
    named
        Called for the name of that file, if one is made; None gives it no name.
    """

    def __init__(
        self, count: int, width: int, folder: Path | None, named: Callable[[], Path] | None = None
    ) -> None:
        self.vectors: NDArray[np.float32] | NDArray[np.float16] = allocate(count, width, folder, named)
        self.signatures: list[NDArray[np.uint8]] = []
        self.digests: list[str] = []
        self.rows: list[int] = []
        self.refused: list[Refusal] = []

    def add(self, position: int, digest: bytes, signature: NDArray[np.uint8]) -> int:
        """Open a row for the path at `position` and return its number; its vector may follow later."""
        self.signatures.append(signature)
        self.digests.append(digest.hex())
        self.rows.append(position)
        return len(self.rows) - 1

    def put(self, rows: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Fill the vectors of some rows."""
        if self.vectors.dtype == np.float16:
            limit = float(np.finfo(np.float16).max)
            vectors = vectors.clip(-limit, limit)
        self.vectors[rows] = vectors
        let_pages_go(self.vectors)

    def stacked_signatures(self) -> NDArray[np.uint8]:
        """All signatures, of shape (n_kept, k)."""
        return np.stack(self.signatures) if self.signatures else np.empty((0, 0), np.uint8)


def allocate(
    rows: int, width: int, folder: Path | None, named: Callable[[], Path] | None = None
) -> NDArray[np.float32] | NDArray[np.float16]:
    """Make room for vectors: in memory up to 256 MB of float32, beyond that float16 in a file.

    Parameters
    ----------
    rows, width
        Of the vectors.
    folder, named
        As for :class:`FeatureTable`.

    Raises
    ------
    OutputError
        If the disk has no room for the file.
    """
    if rows * width * 4 <= IN_MEMORY_BYTES:
        return np.zeros((rows, width), np.float32)
    if named is not None:
        return in_named_file((rows, width), np.float16, named(), "features")
    return in_file((rows, width), np.float16, folder, "features")
