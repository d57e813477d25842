"""Near-duplicates image by image, from pairs of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.duplicates import first_equals


@dataclass(frozen=True)
class DuplicateIndex:
    """Which images show the same photo, without chains: what is alike an image's twin need not be its own."""

    first: NDArray[np.int64]
    """Of shape (n_images,): the first image with an equal signature, which stands for all of these."""
    members: dict[int, tuple[int, ...]]
    """Each first image to all with its signature, itself included, growing."""
    linked: dict[int, tuple[int, ...]]
    """Each first image that has near-duplicates to the first images of these, growing."""

    def around(self, first: int) -> tuple[int, ...]:
        """All images whose signature is a near-duplicate of this first image's, not equal to it."""
        return tuple(row for other in self.linked.get(first, ()) for row in self.members[other])


def duplicate_index(signatures: NDArray[np.uint8], pairs: NDArray[np.int64]) -> DuplicateIndex:
    """Order pairs by image.

    Parameters
    ----------
    signatures : ndarray of shape (n_images, SIGNATURE_BYTES), uint8
    pairs : ndarray of shape (n_pairs, 2), int64
        From :func:`likeness`.

    Examples
    --------
    >>> from fieldguide.data.duplicates import SIGNATURE_BYTES
    >>> signatures = np.zeros((4, SIGNATURE_BYTES), dtype=np.uint8)
    >>> signatures[:, 0] = [1, 2, 1, 3]  # the third equals the first
    >>> index = duplicate_index(signatures, pairs=np.array([[0, 1]]))
    >>> index.members[0], index.around(1)
    ((0, 2), (0, 2))
    """
    first = first_equals(signatures)
    members: dict[int, list[int]] = {}
    for row, one in enumerate(first.tolist()):
        members.setdefault(one, []).append(row)
    linked: dict[int, set[int]] = {}
    for low, high in first[pairs].tolist():
        if low != high:
            linked.setdefault(low, set()).add(high)
            linked.setdefault(high, set()).add(low)
    return DuplicateIndex(
        first,
        {one: tuple(rows) for one, rows in members.items()},
        {one: tuple(sorted(others)) for one, others in linked.items()},
    )
