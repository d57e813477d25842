"""Where the cells of a map lie on the photo: matrices that spread what a cell holds, and lose nothing."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ALIKE = 0.999
"""Least correlation at which a view of a noise image is recognised."""


class View(NamedTuple):
    """One way in which a network looks at an image: pixel (y, x) of the view is (rows[y], columns[x])."""

    rows: IntArray
    """Of shape (size,)."""
    columns: IntArray
    """Of shape (size,)."""


class Move(NamedTuple):
    """How a view is made of an image."""

    down: int
    """Pixels by which it looks further down: -1, 0 or 1; the border is reflected."""
    across: int
    """The same to the right."""
    mirrored: bool
    """Whether the result is mirrored, left and right."""


MOVES = tuple(
    Move(down, across, mirrored) for down in (0, -1, 1) for across in (0, -1, 1) for mirrored in (False, True)
)
"""Those that are recognised."""


def spread(side: int, cells: int) -> FloatArray:
    """Share the content of cells evenly among the pixels that they cover, along one axis.

    Returns
    -------
    ndarray of shape (side, cells)
        Each column sums to 1, so a sum over cells stays the sum over pixels.

    Examples
    --------
    >>> spread(side=4, cells=2).tolist()
    [[0.5, 0.0], [0.5, 0.0], [0.0, 0.5], [0.0, 0.5]]
    """
    edges, borders = np.arange(side + 1) / side, np.arange(cells + 1) / cells
    above = np.minimum(edges[1:, None], borders[None, 1:])
    below = np.maximum(edges[:-1, None], borders[None, :-1])
    shares: FloatArray = np.maximum(above - below, 0.0) * cells
    return shares


def spread_view(side: int, cells: int, source: IntArray) -> FloatArray:
    """The same for a view, whose pixels along this axis are those of the image at `source`.

    Parameters
    ----------
    source
        Of shape (size,).
    """
    moved = np.zeros((len(source), cells))
    np.add.at(moved, source, spread(len(source), cells))
    return spread(side, len(source)) @ moved


def plain_view(size: int) -> View:
    """The image as it is."""
    return View(np.arange(size), np.arange(size))


def moved_view(size: int, move: Move) -> View:
    """The image moved or mirrored."""
    columns = _moved(size, move.across)
    return View(_moved(size, move.down), columns[::-1] if move.mirrored else columns)


def move_of(view: View) -> Move:
    """How a view is made: the inverse of :func:`moved_view`.

    Raises
    ------
    ValueError
        If it is made in another way.

    Examples
    --------
    >>> move_of(moved_view(8, Move(down=0, across=1, mirrored=True)))
    Move(down=0, across=1, mirrored=True)
    """
    for move in MOVES:
        if all(map(np.array_equal, view, moved_view(len(view.rows), move))):
            return move
    raise ValueError("view: must be moved by a pixel at most, or mirrored; got another")


def recognise_views(image: NDArray[np.uint8], stacked: NDArray[np.float32]) -> list[View] | None:
    """Tell from an image of noise, and what a network made of it, in which views it looks at images.

    Known are mirror images, left and right, and copies moved by one pixel in any direction, the border
    reflected.

    Parameters
    ----------
    image
        Of shape (size, size, 3).
    stacked
        Views of it, normalised in any way, of shape (n_views, 3, size, size).

    Returns
    -------
    list of View or None
        None where one of them is none of these.
    """
    size = len(image)
    planes = image.astype(np.float64).transpose(2, 0, 1)
    known = [moved_view(size, move) for move in MOVES]
    found = []
    for view in stacked.astype(np.float64):
        alike = (way for way in known if _correlation(planes[:, way.rows][:, :, way.columns], view) > ALIKE)
        way = next(alike, None)
        if way is None:
            return None
        found.append(way)
    return found


def _moved(size: int, by: int) -> IntArray:
    """Places along an axis, moved, with the border reflected."""
    places = np.abs(np.arange(size) + by)
    return np.where(places >= size, 2 * (size - 1) - places, places)


def _correlation(first: FloatArray, second: FloatArray) -> float:
    """Least correlation of the three colours; how a network normalises each of them makes no difference."""
    if first.shape != second.shape:
        return 0.0
    return min(
        float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) for one, other in zip(first, second, strict=True)
    )
