"""Edges, texture and colour side by side: one torch module from pixels to features."""

import torch
from torch import Tensor, nn

from fieldguide.classical_colour import ColourHistograms, ColourMoments
from fieldguide.classical_edges import OrientedGradients
from fieldguide.classical_texture import BinaryPatterns

Part = OrientedGradients | BinaryPatterns | ColourHistograms | ColourMoments


class ClassicalNetwork(nn.Module):
    """Histograms of oriented gradients at two sizes, binary patterns at two radii, colours and their moments.

    Parameters
    ----------
    size
        Side of the images in pixels, a multiple of 16.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.head = size, False
        # The fine edges stand first: typicality looks at the last 2,560 features, and where exactly an edge
        # runs says least of what is usual.
        parts: list[Part] = [
            OrientedGradients(size, size // 8),
            OrientedGradients(size, size // 4),
            BinaryPatterns(size, points=8, radius=2, cells=4),
            BinaryPatterns(size, points=16, radius=3, cells=4),
            ColourHistograms(cells=2),
            ColourMoments(cells=4),
        ]
        self.parts = nn.ModuleList(parts)
        self.depths: tuple[tuple[str, int], ...] = tuple(depth for part in parts for depth in part.depths)

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        """Map uint8 pixels of shape (batch, size, size, 3) to float32 features of shape (batch, features)."""
        planes = pixels.permute(0, 3, 1, 2).float()
        return (torch.cat([part(planes) for part in self.parts], dim=1),)
