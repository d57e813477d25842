"""What edges, texture and colour share: a grid of square cells, and grey levels."""

import torch
from torch import Tensor

GREY = (19595, 38470, 7471)
"""Weights of red, green and blue, in 65536ths: those of Pillow's ``convert("L")``."""


def cell_means(planes: Tensor, cells: int) -> Tensor:
    """Average each of `cells` × `cells` squares: (batch, n, side, side) to (batch, n, cells, cells)."""
    batch, count, side = planes.shape[:3]
    inside = side // cells
    return planes.reshape(batch, count, cells, inside, cells, inside).mean((3, 5))


def grey_levels(planes: Tensor) -> Tensor:
    """Whole grey levels 0 to 255, exactly those of ``Image.convert("L")``.

    Parameters
    ----------
    planes
        Whole levels of red, green and blue as float32, of shape (batch, 3, height, width). Their weighted
        sums stay below 2**24, so float32 holds them exactly.

    Returns
    -------
    Tensor of shape (batch, 1, height, width)
    """
    red, green, blue = (planes[:, colour : colour + 1] * GREY[colour] for colour in range(3))
    return torch.floor((red + green + blue + 32768) / 65536)
