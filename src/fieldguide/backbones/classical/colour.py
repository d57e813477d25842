"""Colour: histograms and moments."""

import numpy as np

from fieldguide.backbones.classical.cells import FeaturePart, in_cells

LEVELS = 4
"""Steps of each of red, green and blue; 64 colours."""

# A joint histogram is a product: one-hot red and green of every pixel, times one-hot blue.
_HISTOGRAMS = """
    exact_steps = Div (planes, {step}.0)
    colour_steps = Floor (exact_steps)
    red_step, green_step, blue_step = Split <axis: int = 1, num_outputs: int = 3> (colour_steps)
    red_steps = Mul (red_step, {levels}.0)
    red_green = Add (red_steps, green_step)
    pairs = Concat <axis: int = 1> (red_green, blue_step)
"""
_COUNTED = """
    red_green_cells, blue_cells = Split <axis: int = 1, num_outputs: int = 2> (pairs_in_cells)
    red_green_rows = Reshape (red_green_cells, [0, {cells}, 1, {pixels}])
    is_red_green = Equal (red_green_rows, red_green_kinds)
    red_green_one_hot = Cast <to: int = 1> (is_red_green)
    blue_column = Reshape (blue_cells, [0, {cells}, {pixels}, 1])
    is_blue = Equal (blue_column, blue_kinds)
    blue_one_hot = Cast <to: int = 1> (is_blue)
    colour_counts = MatMul (red_green_one_hot, blue_one_hot)
    colour_shares = Div (colour_counts, {pixels}.0)
    colour_features = Reshape (colour_shares, [0, {width}])"""

_OPPONENTS = """
    levels = Cast <to: int = 11> (planes)
    red_level, green_level, blue_level = Split <axis: int = 1, num_outputs: int = 3> (levels)
    yellow = Add (red_level, green_level)
    twice_blue = Add (blue_level, blue_level)
    brightness = Add (yellow, blue_level)
    red_against_green = Sub (red_level, green_level)
    yellow_against_blue = Sub (yellow, twice_blue)
    whole_opponents = Concat <axis: int = 1> (brightness, red_against_green, yellow_against_blue)
    opponents = Div (whole_opponents, spans)"""

_MOMENTS = """
    means = ReduceMean <keepdims: int = 1> (opponents_in_cells, [3])
    distances = Sub (opponents_in_cells, means)
    squares = Mul (distances, distances)
    variances = ReduceMean <keepdims: int = 1> (squares, [3])
    deviations = Sqrt (variances)
    cubes = Mul (squares, distances)
    thirds = ReduceMean <keepdims: int = 1> (cubes, [3])
    third_sizes = Abs (thirds)
    root_sizes = Pow (third_sizes, third)
    third_signs = Sign (thirds)
    skewnesses = Mul (third_signs, root_sizes)
    moments = Concat <axis: int = 1> (means, deviations, skewnesses)
    moments_by_cell = Transpose <perm: ints = [0, 2, 1, 3]> (moments)
    moments_in_a_row = Reshape (moments_by_cell, [0, {width}])
    moment_features = Cast <to: int = 1> (moments_in_a_row)"""


def colour_histograms(size: int, cells: int) -> FeaturePart:
    """``numpy.histogramdd(pixels, 4, range=3 * [(0, 256)])`` in a grid of cells, as shares.

    Swain and Ballard, "Color indexing" (IJCV 1991).

    Parameters
    ----------
    size
        Side of the images in pixels, a multiple of `cells`.
    cells
        Cells along the side of the grid.

    Returns
    -------
    FeaturePart
        From `planes` to shares of the 64 colours, cell by cell.
    """
    width = LEVELS**3 * cells**2
    nodes = (
        _HISTOGRAMS.format(step=256 // LEVELS, levels=LEVELS)
        + in_cells("pairs", "pairs_in_cells", 2, size, cells)
        + _COUNTED.format(cells=cells**2, pixels=(size // cells) ** 2, width=width)
    )
    constants = {
        "red_green_kinds": np.arange(LEVELS**2, dtype=np.float32).reshape(-1, 1),
        "blue_kinds": np.arange(LEVELS, dtype=np.float32),
    }
    return FeaturePart(nodes, constants, "colour_features", (f"colours:{cells}", width))


def colour_moments(size: int, cells: int) -> FeaturePart:
    """Mean, standard deviation and skewness of three opponent colours in a grid of cells.

    Stricker and Orengo, "Similarity of color images" (SPIE 1995): the skewness is the cube root of the third
    central moment, so that all three are grey levels. Their hue is a circle, of which a mean says little;
    opponent colours (brightness, red against green, yellow against blue) have none. Double precision, since a
    cube root makes small errors large.

    Parameters
    ----------
    size
        Side of the images in pixels, a multiple of `cells`.
    cells
        Cells along the side of the grid.

    Returns
    -------
    FeaturePart
        From `planes` to means, deviations and skewnesses on the scale 0 to 1, cell by cell.
    """
    width = 9 * cells**2
    nodes = (
        _OPPONENTS
        + in_cells("opponents", "opponents_in_cells", 3, size, cells)
        + _MOMENTS.format(width=width)
    )
    constants = {
        # So that each spans 1: from black to white, from red to green, from yellow to blue.
        "spans": np.array([765, 510, 1020], dtype=np.float64).reshape(3, 1, 1),
        "third": np.array(1 / 3, dtype=np.float64),
    }
    return FeaturePart(nodes, constants, "moment_features", (f"moments:{cells}", width))
