"""Texture: histograms of uniform local binary patterns, as scikit-image computes them.

Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and rotation invariant texture classification with
local binary patterns" (IEEE PAMI 2002).
"""

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from fieldguide.classical_cells import cell_means, grey_levels


class BinaryPatterns(nn.Module):
    """``skimage.feature.local_binary_pattern(grey, points, radius, "uniform")``, counted in a grid of cells.

    A pixel is compared with `points` neighbours on a circle, interpolated between pixels. On even surfaces
    the last bit of that interpolation decides, so it is done in double precision and in the same order as in
    scikit-image; only so are the patterns the same on every image.

    Parameters
    ----------
    size
        Side of the images in pixels, a multiple of `cells`.
    points, radius
        Of the circle; radius in pixels.
    cells
        Cells along the side of the grid.
    """

    def __init__(self, size: int, points: int, radius: int, cells: int) -> None:
        super().__init__()
        self.size, self.radius, self.cells, self.points = size, radius, cells, points
        angles = 2 * np.pi * np.arange(points) / points
        self._down = np.round(-radius * np.sin(angles), 5)
        self._across = np.round(radius * np.cos(angles), 5)
        self.depths = ((f"texture:{points}@{radius}", (points + 2) * cells**2),)

    def forward(self, planes: Tensor) -> Tensor:
        """Map grey levels of shape (batch, 3, size, size) to shares, (batch, features), cell by cell."""
        centre = grey_levels(planes).double()
        edge = self.radius + 1
        padded = nn.functional.pad(centre, (edge, edge, edge, edge))
        signs = [
            (self._neighbour(padded, down, across) >= centre).float()
            for down, across in zip(self._down, self._across, strict=True)
        ]
        changed = [(first != second).float() for first, second in itertools.pairwise(signs)]
        changes, brighter = torch.cat(changed, dim=1), torch.cat(signs, dim=1)
        uniform = changes.sum(1, keepdim=True) <= 2
        pattern = torch.where(uniform, brighter.sum(1, keepdim=True), float(self.points + 1))
        counted = torch.cat([(pattern == kind).float() for kind in range(self.points + 2)], dim=1)
        return cell_means(counted, self.cells).permute(0, 2, 3, 1).flatten(1)

    def _neighbour(self, padded: Tensor, down: float, across: float) -> Tensor:
        """Interpolate at an offset from every pixel; outside of the image lies 0."""
        top, row_shares = _steps(self.size, down)
        left, column_shares = _steps(self.size, across)
        down_share, across_share = row_shares.view(-1, 1), column_shares.view(1, -1)
        rows, columns = (
            [
                slice(first + self.radius + 1 + step, first + self.radius + 1 + step + self.size)
                for step in (0, 1)
            ]
            for first in (top, left)
        )
        corners = [[padded[..., row, column] for column in columns] for row in rows]
        upper, lower = ((1 - across_share) * one + across_share * other for one, other in corners)
        return (1 - down_share) * upper + down_share * lower


def _steps(size: int, offset: float) -> tuple[int, Tensor]:
    """The whole part of an offset, and for each pixel the rest, rounded as the sum with its place is."""
    places = np.arange(size) + offset
    whole = int(np.floor(offset))
    return whole, torch.from_numpy(places - (np.arange(size) + whole))
