"""Colour: histograms and moments."""

import torch
from torch import Tensor, nn

from fieldguide.classical_cells import cell_means

LEVELS = 4
"""Steps of each of red, green and blue; 64 colours."""


class ColourHistograms(nn.Module):
    """``numpy.histogramdd(pixels, 4, range=3 * [(0, 256)])`` in a grid of cells, as shares.

    Swain and Ballard, "Color indexing" (IJCV 1991).

    Parameters
    ----------
    cells
        Cells along the side of the grid.
    """

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.cells = cells
        self.depths = ((f"colours:{cells}", LEVELS**3 * cells**2),)

    def forward(self, planes: Tensor) -> Tensor:
        """Map levels of shape (batch, 3, size, size) to shares, (batch, features), cell by cell."""
        steps = torch.floor(planes * (LEVELS / 256))
        colour = (steps[:, :1] * LEVELS + steps[:, 1:2]) * LEVELS + steps[:, 2:]
        counted = torch.cat([(colour == number).float() for number in range(LEVELS**3)], dim=1)
        return cell_means(counted, self.cells).permute(0, 2, 3, 1).flatten(1)


class ColourMoments(nn.Module):
    """Mean, standard deviation and skewness of three opponent colours in a grid of cells.

    Stricker and Orengo, "Similarity of color images" (SPIE 1995): the skewness is the cube root of the third
    central moment, so that all three are grey levels. Their hue is a circle, of which a mean says little;
    opponent colours (brightness, red against green, yellow against blue) have none.

    Parameters
    ----------
    cells
        Cells along the side of the grid.
    """

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.cells = cells
        self.depths = ((f"moments:{cells}", 9 * cells**2),)

    def forward(self, planes: Tensor) -> Tensor:
        """Map levels of shape (batch, 3, size, size) to (batch, features), on the scale 0 to 1."""
        red, green, blue = (planes[:, colour : colour + 1].double() for colour in range(3))
        brightness, red_green, yellow_blue = red + green + blue, red - green, red + green - 2 * blue
        # Divided so that each spans 1: from black to white, from red to green, from yellow to blue.
        colours = torch.cat([brightness / 765, red_green / 510, yellow_blue / 1020], dim=1)
        mean = cell_means(colours, self.cells)
        inside = colours.shape[-1] // self.cells
        spread = mean.repeat_interleave(inside, 2).repeat_interleave(inside, 3)
        # In double precision, since a cube root makes small errors large.
        distance = colours - spread
        deviation = torch.sqrt(cell_means(distance * distance, self.cells))
        third = cell_means(distance * distance * distance, self.cells)
        skewness = torch.sign(third) * torch.abs(third) ** (1 / 3)
        return torch.cat([mean, deviation, skewness], dim=1).permute(0, 2, 3, 1).flatten(1).float()
