"""Edges: histograms of oriented gradients, as scikit-image computes them.

Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection" (CVPR 2005).
"""

import math

import numpy as np

from fieldguide.backbones.classical.cells import FeaturePart, Piece, in_cells

ORIENTATIONS = 9
BLOCK = 2
"""Cells along the side of a block, in which contrast is evened out."""

# Central differences, 0 at the border, of the colour that changes most; the first of equals.
_GRADIENTS = """
    left = Slice (planes, [0], [{inner}], [3])
    right = Slice (planes, [2], [{size}], [3])
    across_inside = Sub (right, left)
    across_colours = Pad (across_inside, [0, 0, 0, 1, 0, 0, 0, 1])
    above = Slice (planes, [0], [{inner}], [2])
    below = Slice (planes, [2], [{size}], [2])
    down_inside = Sub (below, above)
    down_colours = Pad (down_inside, [0, 0, 1, 0, 0, 0, 1, 0])
    across_squared = Mul (across_colours, across_colours)
    down_squared = Mul (down_colours, down_colours)
    strengths = Add (across_squared, down_squared)
    across_red, across_green, across_blue = Split <axis: int = 1, num_outputs: int = 3> (across_colours)
    down_red, down_green, down_blue = Split <axis: int = 1, num_outputs: int = 3> (down_colours)
    red_strength, green_strength, blue_strength = Split <axis: int = 1, num_outputs: int = 3> (strengths)
    green_first = Greater (green_strength, red_strength)
    across_two = Where (green_first, across_green, across_red)
    down_two = Where (green_first, down_green, down_red)
    strength_two = Max (red_strength, green_strength)
    blue_first = Greater (blue_strength, strength_two)
    across = Where (blue_first, across_blue, across_two)
    down = Where (blue_first, down_blue, down_two)
    strength = Max (strength_two, blue_strength)
    magnitude = Sqrt (strength)"""

# Differences are whole numbers up to 255, so 512 * down + across has the sign of `down`, and that of `across`
# where `down` is 0: multiplied by it, every direction lies between 0° and 180°. The number of an orientation
# is how many of the borders 20°, 40°, … it has reached.
_ORIENTATIONS = """
    down_first = Mul (down, 512.0)
    both = Add (down_first, across)
    sign = Sign (both)
    half_down = Mul (down, sign)
    half_across = Mul (across, sign)
    borders = Mul (half_down, cotangents)
    has_reached = GreaterOrEqual (borders, half_across)
    reached = Cast <to: int = 1> (has_reached)
    orientation = ReduceSum <keepdims: int = 1> (reached, [1])
    gradients = Concat <axis: int = 1> (orientation, magnitude)"""

_HISTOGRAMS = """
    cell_orientation, cell_magnitude = Split <axis: int = 1, num_outputs: int = 2> (gradients_in_cells)
    orientation_alone = Reshape (cell_orientation, [0, {cells}, 1, {pixels}])
    is_orientation = Equal (orientation_alone, orientations)
    orientation_share = Cast <to: int = 1> (is_orientation)
    magnitude_column = Reshape (cell_magnitude, [0, {cells}, {pixels}, 1])
    histogram_sums = MatMul (orientation_share, magnitude_column)
    histogram_means = Div (histogram_sums, {pixels}.0)
    fine_histograms = Reshape (histogram_means, [0, {count}, {count}, {orientations}])
    histograms_in_fours = Reshape (histogram_means, [0, {half}, 2, {half}, 2, {orientations}])
    coarse_histograms = ReduceMean <keepdims: int = 0> (histograms_in_fours, [2, 4])"""

# "L2-Hys": to unit length, no value above 0.2, to unit length again. 1e-10 keeps even blocks from 0 / 0.
_BLOCKS = """
    {name}_top = Slice ({name}_histograms, [0], [{blocks}], [1])
    {name}_bottom = Slice ({name}_histograms, [1], [{cells}], [1])
    {name}_top_left = Slice ({name}_top, [0], [{blocks}], [2])
    {name}_top_right = Slice ({name}_top, [1], [{cells}], [2])
    {name}_bottom_left = Slice ({name}_bottom, [0], [{blocks}], [2])
    {name}_bottom_right = Slice ({name}_bottom, [1], [{cells}], [2])
    {name}_blocks = Concat <axis: int = 3> (
        {name}_top_left, {name}_top_right, {name}_bottom_left, {name}_bottom_right)
    {name}_squares = ReduceSumSquare <keepdims: int = 1> ({name}_blocks, [3])
    {name}_squares_and_more = Add ({name}_squares, 1.0e-10)
    {name}_length = Sqrt ({name}_squares_and_more)
    {name}_unit = Div ({name}_blocks, {name}_length)
    {name}_clipped = Min ({name}_unit, 0.2)
    {name}_clipped_squares = ReduceSumSquare <keepdims: int = 1> ({name}_clipped, [3])
    {name}_clipped_and_more = Add ({name}_clipped_squares, 1.0e-10)
    {name}_clipped_length = Sqrt ({name}_clipped_and_more)
    {name}_even = Div ({name}_clipped, {name}_clipped_length)
    {name}_edges = Reshape ({name}_even, [0, {width}])"""


def gradient_histograms(size: int) -> Piece:
    """Nodes from `planes` to mean gradients by orientation: `fine_histograms` and `coarse_histograms`.

    Of the three colours a pixel takes the one that changes most there, so no grey conversion has a say. Grey
    levels are whole numbers, and the tangents of 20°, 40°, … are irrational, so on which side of a border a
    direction lies is told without an arc tangent, and never by rounding.

    Parameters
    ----------
    size
        Side of the images in pixels, a multiple of 16; cells are an eighth and a quarter of it.
    """
    count, inside = 8, size // 8
    nodes = (
        _GRADIENTS.format(size=size, inner=size - 2)
        + _ORIENTATIONS
        + in_cells("gradients", "gradients_in_cells", 2, size, count)
        + _HISTOGRAMS.format(
            cells=count**2, pixels=inside**2, count=count, half=count // 2, orientations=ORIENTATIONS
        )
    )
    angles = [math.pi * number / ORIENTATIONS for number in range(1, ORIENTATIONS)]
    cotangents = np.array([1 / math.tan(angle) for angle in angles], dtype=np.float32)
    constants = {
        "cotangents": cotangents.reshape(-1, 1, 1),
        "orientations": np.arange(ORIENTATIONS, dtype=np.float32).reshape(-1, 1),
    }
    return Piece(nodes, constants)


def oriented_gradients(name: str, size: int, cells: int) -> FeaturePart:
    """``skimage.feature.hog(image, 9, (cell, cell), (2, 2), channel_axis=-1)`` of every image of a batch.

    Parameters
    ----------
    name
        `fine` or `coarse`: which of the histograms of :func:`gradient_histograms`.
    size
        Side of the images in pixels.
    cells
        Cells along the side: 8 or 4.
    """
    blocks = cells - BLOCK + 1
    width = blocks**2 * BLOCK**2 * ORIENTATIONS
    nodes = _BLOCKS.format(name=name, blocks=blocks, cells=cells, width=width)
    return FeaturePart(nodes, {}, f"{name}_edges", (f"edges:{size // cells}", width))
