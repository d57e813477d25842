"""Preprocessing as ONNX operators: Pillow's antialiased resize, written out so that every runtime computes
the same.

ONNX's own ``Resize`` with antialiasing differs from Pillow by one grey level on some 14 % of the pixels of a
photo and by up to 13 near the borders of large ones (measured with ONNX Runtime 1.31), which moves
probabilities by more than 1e-4. Pillow's method is a weighted mean of neighbouring pixels along one axis and
then the other, rounded to 8 bits after each. Here it is two matrix products with the same weights. They are
in double precision, in which sums of 22-bit weights times 8-bit pixels are exact, as Pillow's integers are: a
single pixel off by one level can move a probability by 1e-3.

Source of the weights: Pillow, ``src/libImaging/Resample.c``, ``precompute_coeffs`` and
``normalize_coeffs_8bpc``.
"""

import re
from typing import Any

import numpy as np
import onnx
import onnx.checker
import onnx.helper
import onnx.numpy_helper
import onnx.parser
from numpy.typing import NDArray

from fieldguide.model_operators import IR_VERSION, OPSET
from fieldguide.preprocess import Preprocessing

# Pillow keeps resize weights as integers in units of 2**-22.
_UNIT = float(2**22)
_SUPPORT = {"bicubic": 2.0, "bilinear": 1.0}

# ONNX's own text form: importing onnxscript, in which this would be half as long, takes half a second.
# Words in capitals stand for the pieces below. Types are ONNX's numbers: 2 uint8, 7 int64, 9 bool, 11 double.
_MODEL = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
preprocessing (uint8[batch, height, width, 3] image) => (uint8[batch, {side}, {side}, 3] pixels) {{
    shape = Shape <start: int = 1, end: int = 3> (image)
    same = Equal (shape, side)
    same_numbers = Cast <to: int = 7> (same)
    all_same = ReduceMin <keepdims: int = 0> (same_numbers)
    fits = Cast <to: int = 9> (all_same)
    pixels = If (fits) <
        then_branch: graph = unchanged () => (uint8[batch, {side}, {side}, 3] as_it_is) {{
            as_it_is = Identity (image)
        }},
        else_branch: graph = resized () => (uint8[batch, {side}, {side}, 3] small_image) {{
TAKEN
            rows = Shape <start: int = 1, end: int = 2> (taken)
            columns = Shape <start: int = 2, end: int = 3> (taken)
            planes = Transpose <perm: ints = [0, 3, 1, 2]> (taken)
            plane = Cast <to: int = 11> (planes)
WEIGHTS_DOWN
WEIGHTS_RIGHT
            to_the_right = Transpose <perm: ints = [1, 0]> (right)
            wider = Sub (columns, side)
            surplus = Max (wider, no_pixels)
            too_wide = Mul (surplus, two)
            higher = Sub (rows, side)
            is_tall = Greater (higher, too_wide)
            tall = Squeeze (is_tall)
            small = If (tall) <
                then_branch: graph = down_first () => (double[batch, 3, {side}, {side}] down_right) {{
                    d_exact = MatMul (down, plane)
ROUNDED(d_exact, d)
                    dr_exact = MatMul (d, to_the_right)
ROUNDED(dr_exact, down_right)
                }},
                else_branch: graph = right_first () => (double[batch, 3, {side}, {side}] right_down) {{
                    r_exact = MatMul (plane, to_the_right)
ROUNDED(r_exact, r)
                    rd_exact = MatMul (down, r)
ROUNDED(rd_exact, right_down)
                }}
            >
            small_planes = Cast <to: int = 2> (small)
            small_image = Transpose <perm: ints = [0, 2, 3, 1]> (small_planes)
        }}
    >
}}
"""

_TAKEN = {
    "squash": """
            taken = Identity (image)""",
    "crop": """
            shorter = ReduceMin <keepdims: int = 1> (shape)
            margin = Sub (shape, shorter)
            start = Div (margin, two)
            stop = Add (start, shorter)
            taken = Slice (image, start, stop, height_and_width)""",
}

_WEIGHTS = """
            A_length = Squeeze (LENGTH)
            A_pixels = Cast <to: int = 11> (A_length)
            A_scale = Div (A_pixels, size)
            A_stretch = Max (A_scale, unity)
            A_reach = Mul (A_stretch, support)
            A_centre = Mul (places, A_scale)
            A_begin = Sub (A_centre, A_reach)
            A_begin_half = Add (A_begin, half)
            A_first = Floor (A_begin_half)
            A_end = Add (A_centre, A_reach)
            A_end_half = Add (A_end, half)
            A_last = Floor (A_end_half)
            A_place = Range (nought, A_pixels, unity)
            A_begun = GreaterOrEqual (A_place, A_first)
            A_not_ended = Less (A_place, A_last)
            A_inside = And (A_begun, A_not_ended)
            A_apart = Sub (A_place, A_centre)
            A_middle = Add (A_apart, half)
            A_relative = Div (A_middle, A_stretch)
            A_distance = Abs (A_relative)
FILTER
            A_kept = Where (A_inside, A_value, nought)
            A_sum = ReduceSum <keepdims: int = 1> (A_kept, last_axis)
            A_share = Div (A_kept, A_sum)
            A_sign = Sign (A_share)
            A_size = Abs (A_share)
            A_units = Mul (A_size, unit)
            A_units_half = Add (A_units, half)
            A_whole = Floor (A_units_half)
            A_signed = Mul (A_sign, A_whole)
            A = Div (A_signed, unit)"""
"""The matrix of shape (size, length) that resizes one axis of `length` pixels."""

_FILTERS = {
    # 1 - d, up to 1.
    "bilinear": """
            A_slope = Sub (unity, A_distance)
            A_near = Less (A_distance, unity)
            A_value = Where (A_near, A_slope, nought)""",
    # Keys' cubic convolution with a = -0.5: (1.5 d - 2.5) d d + 1 up to 1, -0.5 (((d - 5) d + 8) d - 4) to 2.
    "bicubic": """
            A_n1 = Mul (A_distance, one_and_a_half)
            A_n2 = Sub (A_n1, two_and_a_half)
            A_n3 = Mul (A_n2, A_distance)
            A_n4 = Mul (A_n3, A_distance)
            A_near_value = Add (A_n4, unity)
            A_f1 = Sub (A_distance, five)
            A_f2 = Mul (A_f1, A_distance)
            A_f3 = Add (A_f2, eight)
            A_f4 = Mul (A_f3, A_distance)
            A_f5 = Sub (A_f4, four)
            A_far_value = Mul (A_f5, minus_half)
            A_near = Less (A_distance, unity)
            A_far = Less (A_distance, twofold)
            A_beyond = Where (A_far, A_far_value, nought)
            A_value = Where (A_near, A_near_value, A_beyond)""",
}

_ROUNDED = r"""
                    \2_half = Add (\1, half)
                    \2_floor = Floor (\2_half)
                    \2 = Clip (\2_floor, nought, brightest)"""


def preprocessing_model(preprocessing: Preprocessing) -> onnx.ModelProto:
    """Build the model from `image` to `pixels`, the network's square.

    Parameters
    ----------
    preprocessing
        Size, mode and filter; mean and standard deviation belong to the network's own graph.

    Returns
    -------
    onnx.ModelProto
        Input `image`, uint8 of shape (batch, height, width, 3), any height and width; output `pixels`, uint8
        of shape (batch, size, size, 3). An image of the network's own size passes unchanged, at no cost.
    """
    pieces = {
        "TAKEN": _TAKEN[preprocessing.mode],
        "WEIGHTS_DOWN": _weights("down", "rows", preprocessing.interpolation),
        "WEIGHTS_RIGHT": _weights("right", "columns", preprocessing.interpolation),
    }
    text = _MODEL.format(side=preprocessing.size, ir_version=IR_VERSION, opset=OPSET)
    for name, piece in pieces.items():
        text = text.replace(name, piece)
    text = re.sub(r"ROUNDED\((\w+), (\w+)\)", _ROUNDED, text)
    model = onnx.parser.parse_model(text)
    # As nodes: `onnx.compose.add_prefix` does not rename initializers where subgraphs use them.
    for name, value in _constants(preprocessing).items():
        if re.search(rf"\b{name}\b", text):
            tensor = onnx.numpy_helper.from_array(value)
            model.graph.node.insert(0, onnx.helper.make_node("Constant", [], [name], value=tensor))
    onnx.checker.check_model(model)
    return model


def _weights(axis: str, length: str, interpolation: str) -> str:
    text = _WEIGHTS.replace("FILTER", _FILTERS[interpolation]).replace("LENGTH", length)
    return re.sub(r"\bA(_|\b)", rf"{axis}\1", text)


def _constants(preprocessing: Preprocessing) -> dict[str, NDArray[Any]]:
    side = preprocessing.size
    numbers = {
        "nought": 0.0,
        "half": 0.5,
        "unity": 1.0,
        "one_and_a_half": 1.5,
        "two_and_a_half": 2.5,
        "twofold": 2.0,
        "four": 4.0,
        "five": 5.0,
        "eight": 8.0,
        "minus_half": -0.5,
        "brightest": 255.0,
        "unit": _UNIT,
        "size": float(side),
        "support": _SUPPORT[preprocessing.interpolation],
    }
    lengths = {"side": [side], "two": [2], "no_pixels": [0], "last_axis": [1], "height_and_width": [1, 2]}
    return {
        **{name: np.array(value, dtype=np.float64) for name, value in numbers.items()},
        **{name: np.array(value, dtype=np.int64) for name, value in lengths.items()},
        "places": np.arange(side, dtype=np.float64)[:, None] + 0.5,
    }
