"""One axis of Pillow's antialiased resize as ONNX operators: to the bit, in single precision.

Pillow takes a weighted mean of neighbouring pixels. Its weights are whole multiples of 2**-22, computed in
double precision, and its sums are integers. A single pixel off by one grey level can move a probability by
1e-3, and few runtimes have double precision, so both are computed here from pairs of float32 numbers.

*Weights.* How far a pixel lies from the centre that an output looks at, in units of the filter, is N / M with
whole numbers N and M. It is split into a step of 2**-10 and an exact rest; a table has the filter and its
derivatives at each step, in two parts each, and Taylor's series gives the rest. The sum of the weights is
inverted by a value of 12 bits and one correction by Newton's method. Errors stay below 2**-8 of a unit.

*Sums.* A weight of 22 bits is split into two of 11. Products of those with pixels of 8 bits, and their sums,
stay below 2**24: whole numbers that float32 holds exactly, in whatever order a runtime adds.

*Blocks.* Sixteen neighbouring outputs look at few pixels, so those are gathered and multiplied by a small
matrix, for all blocks at once; the matrix of all outputs and pixels would be zeros, nearly all of it.

Source of the weights: Pillow, ``src/libImaging/Resample.c``, ``precompute_coeffs`` and
``normalize_coeffs_8bpc``.
"""

import re

import numpy as np
from numpy.typing import NDArray

BLOCK = 16
"""Outputs that are computed together."""
UNIT = 2.0**22
"""Pillow keeps weights as integers in units of 2**-22."""
STEPS = 1024
"""Of the table of the filter, for each pixel of an image that is neither shrunk nor enlarged."""
MOST_SHRUNK = 4
"""An axis is at most this many times as long as the network's side: longer ones were shrunk before."""
SUPPORT = {"bicubic": 2, "bilinear": 1}
"""How far a filter reaches to either side."""
PIECES = {
    "bilinear": [(1.0, -1.0, 0.0, 0.0)],
    "bicubic": [(1.0, 0.0, -2.5, 1.5), (2.0, -4.0, 2.5, -0.5)],
}
"""Polynomials of the distance, lowest power first, from 0 to 1 and from 1 to 2; Keys' with a = -0.5."""

_RESIZED = """
    A_length = Cast <to: int = 1> (A_count)
    A_scale = Div (A_length, side_value)
    A_stretch = Max (A_scale, one)
    A_stretch_up = Ceil (A_stretch)
    A_reach_exact = Mul (A_stretch_up, support)
    A_reach = Add (A_reach_exact, one)
    A_span = Mul (A_scale, block_span)
    A_span_up = Ceil (A_span)
    A_margins = Add (A_reach, A_reach)
    A_taps_before = Add (A_span_up, A_margins)
    A_taps_wanted = Add (A_taps_before, two_value)
    A_taps = Min (A_taps_wanted, A_length)
    A_tap_count = Cast <to: int = 7> (A_taps)
    A_offsets = Slice (offsets, first_index, A_tap_count)
    A_block_centres_times = Mul (block_firsts, A_length)
    A_block_centres_exact = Div (A_block_centres_times, twice_side)
    A_block_centres = Floor (A_block_centres_exact)
    A_starts_wanted = Sub (A_block_centres, A_reach)
    A_starts_most = Sub (A_length, A_taps)
    A_starts_capped = Min (A_starts_wanted, A_starts_most)
    A_starts = Max (A_starts_capped, zero)
    A_places = Add (A_starts, A_offsets)
    A_places_twice = Add (A_places, A_places)
    A_places_odd = Add (A_places_twice, one)
    A_places_scaled = Mul (A_places_odd, side_value)
    A_places_row = Unsqueeze (A_places_scaled, axis_1)
    A_centres = Mul (outputs_odd, A_length)
    A_apart_signed = Sub (A_places_row, A_centres)
    A_apart_anywhere = Abs (A_apart_signed)
    A_longer = Max (A_length, side_value)
    A_one_apart = Add (A_longer, A_longer)
    A_apart_most = Mul (A_one_apart, support)
    A_apart = Min (A_apart_anywhere, A_apart_most)
    A_apart_steps = Mul (A_apart, steps)
    A_step_exact = Div (A_apart_steps, A_one_apart)
    A_step = Floor (A_step_exact)
    A_step_apart = Mul (A_step, A_one_apart)
    A_beyond = Sub (A_apart_steps, A_step_apart)
    A_part = Div (A_beyond, A_one_apart)
    A_step_index = Cast <to: int = 7> (A_step)
    A_series = Gather (filter, A_step_index)
    A_s0, A_s1, A_s2, A_s3, A_s4 = Split <axis: int = -1, num_outputs: int = 5> (A_series)
    A_large = Squeeze (A_s0, last_axis)
    A_rest = Squeeze (A_s1, last_axis)
    A_slope = Squeeze (A_s2, last_axis)
    A_curvature = Squeeze (A_s3, last_axis)
    A_third = Squeeze (A_s4, last_axis)
    A_third_times = Mul (A_third, A_part)
    A_second = Add (A_third_times, A_curvature)
    A_second_times = Mul (A_second, A_part)
    A_first = Add (A_second_times, A_slope)
    A_first_times = Mul (A_first, A_part)
    A_small = Add (A_first_times, A_rest)
    A_small_whole = Floor (A_small)
    A_small_part = Sub (A_small, A_small_whole)
    A_large_sum = ReduceSum <keepdims: int = 1> (A_large, last_axis)
    A_small_whole_sum = ReduceSum <keepdims: int = 1> (A_small_whole, last_axis)
    A_small_part_sum = ReduceSum <keepdims: int = 1> (A_small_part, last_axis)
    A_small_sum = Add (A_small_whole_sum, A_small_part_sum)
    A_sum = Add (A_large_sum, A_small_sum)
    A_inverse_exact = Div (unit_shifted, A_sum)
    A_inverse_more = Add (A_inverse_exact, half)
    A_inverse_whole = Floor (A_inverse_more)
    A_inverse = Div (A_inverse_whole, two_12)
    A_sum_upper_exact = Div (A_large_sum, two_12)
    A_sum_upper = Floor (A_sum_upper_exact)
    A_sum_upper_value = Mul (A_sum_upper, two_12)
    A_sum_lower_large = Sub (A_large_sum, A_sum_upper_value)
    A_sum_lower = Add (A_sum_lower_large, A_small_sum)
    A_product_upper = Mul (A_sum_upper, A_inverse_whole)
    A_missing_upper = Sub (unit, A_product_upper)
    A_product_lower = Mul (A_sum_lower, A_inverse)
    A_missing = Sub (A_missing_upper, A_product_lower)
    A_error = Div (A_missing, unit)
    A_kept = Sub (one, A_error)
    A_error_share = Div (A_error, A_kept)
    A_correction = Mul (A_inverse, A_error_share)
    A_inverse_corrected = Add (A_inverse, A_correction)
    A_upper_exact = Div (A_large, two_11)
    A_upper = Floor (A_upper_exact)
    A_upper_value = Mul (A_upper, two_11)
    A_lower = Sub (A_large, A_upper_value)
    A_upper_twice = Mul (A_upper, A_inverse_whole)
    A_upper_units = Mul (A_upper_twice, half)
    A_upper_whole = Floor (A_upper_units)
    A_upper_part = Sub (A_upper_units, A_upper_whole)
    A_lower_units = Mul (A_lower, A_inverse)
    A_corrected_units = Mul (A_large, A_correction)
    A_small_units = Mul (A_small, A_inverse_corrected)
    A_units_1 = Add (A_lower_units, A_corrected_units)
    A_units_2 = Add (A_units_1, A_small_units)
    A_units_3 = Add (A_units_2, A_upper_part)
    A_units_4 = Add (A_units_3, half)
    A_units_rounded = Floor (A_units_4)
    A_weights = Add (A_upper_whole, A_units_rounded)
    A_weights_exact = Div (A_weights, two_11)
    A_weights_upper = Floor (A_weights_exact)
    A_weights_upper_value = Mul (A_weights_upper, two_11)
    A_weights_lower = Sub (A_weights, A_weights_upper_value)
    A_matrix = Concat <axis: int = 1> (A_weights_upper, A_weights_lower)
    A_indices = Cast <to: int = 7> (A_places)
    A_neighbours = Gather <axis: int = 1> (LINES, A_indices)
    A_sums = MatMul (A_matrix, A_neighbours)
    A_sums_upper, A_sums_lower = Split <axis: int = 2, num_outputs: int = 2> (A_sums)
    A_carried_exact = Div (A_sums_lower, two_11)
    A_carried = Floor (A_carried_exact)
    A_sums_whole = Add (A_sums_upper, A_carried)
    A_sums_more = Add (A_sums_whole, two_10)
    A_levels_exact = Div (A_sums_more, two_11)
    A_levels_floor = Floor (A_levels_exact)
    A_levels = Clip (A_levels_floor, zero, brightest)
    A_blocks_joined = Reshape (A_levels, joined_shape)
    A_resized = Slice (A_blocks_joined, first_index, side_index, axis_1)"""


def resized(lines: str, axis: str) -> str:
    """The text of the nodes that resize the lines of an image, in ONNX's own form.

    Parameters
    ----------
    lines
        Name of the value to resize, float32 of shape (batch, count, anything): whole numbers from 0 to 255.
    axis
        Prefix of all names. ``{axis}_count`` must be an int64 of shape (1,): how many lines there are, at
        most :data:`MOST_SHRUNK` times the network's side. ``{axis}_resized`` is what comes out, of shape
        (batch, side, anything).
    """
    return re.sub(r"\bA_", f"{axis}_", _RESIZED).replace("LINES", lines)


def resize_constants(side: int, interpolation: str) -> dict[str, NDArray[np.float32] | NDArray[np.int64]]:
    """The constants that those nodes name.

    Parameters
    ----------
    side
        Of the network's square, in pixels.
    interpolation
        ``bicubic`` or ``bilinear``.
    """
    blocks = -(-side // BLOCK)
    reach = SUPPORT[interpolation] * MOST_SHRUNK + 1
    most_taps = (BLOCK - 1) * MOST_SHRUNK + 2 * reach + 2
    outputs = np.minimum(np.arange(blocks * BLOCK), side - 1).reshape(blocks, BLOCK, 1)
    values = {
        "zero": 0.0,
        "half": 0.5,
        "one": 1.0,
        "two_value": 2.0,
        "two_10": 2.0**10,
        "two_11": 2.0**11,
        "two_12": 2.0**12,
        "unit": UNIT,
        "unit_shifted": UNIT * 2.0**12,
        "brightest": 255.0,
        "side_value": [side],
        "twice_side": [2 * side],
        "support": SUPPORT[interpolation],
        "block_span": BLOCK - 1,
        "steps": STEPS,
        "offsets": np.arange(most_taps),
        "block_firsts": 2 * BLOCK * np.arange(blocks)[:, None] + 1,
        "outputs_odd": 2 * outputs + 1,
        "filter": _filter_table(interpolation),
    }
    sizes = {
        "first_index": [0],
        "side_index": [side],
        "axis_1": [1],
        "last_axis": [-1],
        "joined_shape": [0, blocks * BLOCK, -1],
    }
    return {
        **{name: np.array(value, dtype=np.float32) for name, value in values.items()},
        **{name: np.array(value, dtype=np.int64) for name, value in sizes.items()},
    }


def _filter_table(interpolation: str) -> NDArray[np.float64]:
    """The filter at each step, in Pillow's units, of shape (steps + 1, 5).

    An even number and the rest (even, so that sums above 2**24 stay exact), then the coefficients of Taylor's
    series by the part of a step.
    """
    pieces = PIECES[interpolation]
    steps = np.arange(len(pieces) * STEPS + 1)
    apart = steps / STEPS
    coefficients = np.array([*pieces, (0.0,) * 4])[steps // STEPS]
    c0, c1, c2, c3 = coefficients.T
    value = (c0 + apart * (c1 + apart * (c2 + apart * c3))) * UNIT
    even = 2 * np.round(value / 2)
    slope = c1 + apart * (2 * c2 + apart * 3 * c3)
    series = [slope / STEPS, (c2 + 3 * c3 * apart) / STEPS**2, c3 / STEPS**3]
    return np.stack([even, value - even, *(UNIT * one for one in series)], axis=1)
