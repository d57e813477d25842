"""Squares of photos laid side by side in one picture."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fieldguide.images.thumbnails import encoded
from fieldguide.report.blocks import Sheet

GROUND = 238
"""Grey level around a photo that is no square."""


def tile(pixels: NDArray[np.uint8], side: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Shrink a network's square input to `side` pixels, in the proportions of the photo on a pale ground.

    Parameters
    ----------
    pixels
        Of shape (height, width, 3).
    side
        Of the square that comes back.
    size
        Width and height of the photo that was squashed to a square.

    Returns
    -------
    ndarray of shape (side, side, 3), uint8
    """
    longer = max(size)
    width, height = (max(1, round(side * length / longer)) for length in size)
    small = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX)
    square = np.full((side, side, 3), GROUND, dtype=np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = np.asarray(small)
    return square


def sheet(tiles: Sequence[NDArray[np.uint8]]) -> Sheet:
    """Lay square pictures of one size side by side in one image.

    Parameters
    ----------
    tiles
        At least one, each of shape (side, side, 3).
    """
    side, columns = len(tiles[0]), int(np.ceil(np.sqrt(len(tiles))))
    rows = -(-len(tiles) // columns)
    canvas = np.zeros((rows * side, columns * side, 3), dtype=np.uint8)
    for number, picture in enumerate(tiles):
        top, left = side * (number // columns), side * (number % columns)
        canvas[top : top + side, left : left + side] = picture
    return Sheet(encoded(Image.fromarray(canvas)), columns, side)
