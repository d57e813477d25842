"""Edges: histograms of oriented gradients, as scikit-image computes them, in operators that ONNX has.

Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection" (CVPR 2005).
"""

import math

import torch
from torch import Tensor, nn

from fieldguide.classical_cells import cell_means

ORIENTATIONS = 9
BLOCK = 2
"""Cells along the side of a block, in which contrast is evened out."""
_LEAST = 1e-5
_HIGHEST = 0.2
_SCALE = 1000


class OrientedGradients(nn.Module):
    """``skimage.feature.hog(image, 9, (cell, cell), (2, 2), channel_axis=-1)`` of every image of a batch.

    Of the three colours a pixel takes the one that changes most there, so no grey conversion has a say. Grey
    levels are whole numbers, and the tangents of 20°, 40°, … are irrational, so on which side of a border a
    direction lies is told without an arc tangent, and never by rounding.

    Parameters
    ----------
    size
        Side of the images in pixels, a multiple of `cell`.
    cell
        Side of a cell in pixels.
    """

    borders: Tensor

    def __init__(self, size: int, cell: int) -> None:
        super().__init__()
        self.cells, self.blocks = size // cell, size // cell - BLOCK + 1
        angles = [math.pi * number / ORIENTATIONS for number in range(1, ORIENTATIONS)]
        borders = torch.tensor([[math.cos(angle), math.sin(angle)] for angle in angles])
        self.register_buffer("borders", borders.T.reshape(2, -1, 1, 1))
        self.depths = ((f"edges:{cell}", self.blocks**2 * BLOCK**2 * ORIENTATIONS),)

    def forward(self, planes: Tensor) -> Tensor:
        """Map grey levels of shape (batch, 3, size, size) to (batch, features)."""
        across, down = _strongest(planes)
        behind = (down < 0) | ((down == 0) & (across < 0))
        across, down = (torch.where(behind, -change, change) for change in (across, down))
        beyond = (down * self.borders[0] >= across * self.borders[1]).float()
        magnitude = torch.sqrt(across * across + down * down)
        first, last = magnitude * (1 - beyond[:, :1]), magnitude * beyond[:, -1:]
        between = magnitude * (beyond[:, :-1] - beyond[:, 1:])
        histograms = cell_means(torch.cat([first, between, last], dim=1), self.cells)
        return self._in_blocks(histograms)

    def _in_blocks(self, histograms: Tensor) -> Tensor:
        """Gather blocks of cells and even out the contrast of each ("L2-Hys")."""
        end = self.blocks
        parts = [
            histograms[:, :, row : row + end, column : column + end]
            for row in range(BLOCK)
            for column in range(BLOCK)
        ]
        blocks = torch.stack(parts, dim=1).permute(0, 3, 4, 1, 2).flatten(3)
        return _unit(_unit(blocks).clamp(max=_HIGHEST)).flatten(1)


def _strongest(planes: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences across and down, 0 at the border, of the colour that changes most."""
    across = nn.functional.pad(planes[..., 2:] - planes[..., :-2], (1, 1))
    down = nn.functional.pad(planes[..., 2:, :] - planes[..., :-2, :], (0, 0, 1, 1))
    strength = across * across + down * down
    chosen, best_across, best_down = strength[:, :1], across[:, :1], down[:, :1]
    for colour in (1, 2):
        here = slice(colour, colour + 1)
        stronger = strength[:, here] > chosen
        best_across = torch.where(stronger, across[:, here], best_across)
        best_down = torch.where(stronger, down[:, here], best_down)
        chosen = torch.maximum(chosen, strength[:, here])
    return best_across, best_down


def _unit(vectors: Tensor) -> Tensor:
    # The same quotient as without the scale; but the exporter's optimiser (onnxscript 0.7) takes an added
    # 1e-10 for 0 and removes it, and blocks without an edge would be 0 / 0.
    scaled = vectors * _SCALE
    return scaled / torch.sqrt((scaled * scaled).sum(-1, keepdim=True) + (_SCALE * _LEAST) ** 2)
