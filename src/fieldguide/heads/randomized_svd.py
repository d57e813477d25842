"""The directions along which rows vary most, found with random numbers.

Halko, Martinsson and Tropp, "Finding Structure with Randomness" (SIAM Review 2011), algorithm 4.4 with two
iterations. scikit-learn's `randomized_svd` computes the same and is the reference in tests; importing
scikit-learn for it was an eighth of training on 253 photos (docs/log.md).
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

_OVERSAMPLED = 10
_ITERATIONS = 2


def leading_directions(rows: FloatArray, count: int, seed: int) -> tuple[NDArray[np.float64], FloatArray]:
    """Compute the largest singular values of a matrix and its right singular vectors.

    Parameters
    ----------
    rows
        Of shape (n_rows, width).
    count
        How many, from 1 to the shorter side.
    seed
        Of the random numbers; the same seed gives the same directions.

    Returns
    -------
    ndarray of shape (count,), ndarray of shape (count, width)
        Singular values, falling, and unit vectors that are at right angles to each other.
    """
    sketched = min(count + _OVERSAMPLED, *rows.shape)
    random = np.random.default_rng(seed).standard_normal((len(rows), sketched), dtype=np.float32)
    basis = np.linalg.qr(rows.T @ random).Q
    for _ in range(_ITERATIONS):
        basis = np.linalg.qr(rows.T @ (rows @ basis)).Q
    inside = (rows @ basis).astype(np.float64)
    squares, turned = np.linalg.eigh(inside.T @ inside)
    largest = slice(None, -count - 1, -1)
    directions = basis @ turned[:, largest].astype(np.float32)
    return np.sqrt(np.maximum(squares[largest], 0.0)), np.ascontiguousarray(directions.T)
