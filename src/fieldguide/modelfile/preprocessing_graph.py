"""Preprocessing as ONNX operators: what `images/preprocessing.py` does with Pillow, for every runtime.

ONNX's own ``Resize`` with antialiasing differs from Pillow by one grey level on some 14 % of the pixels of a
photo and by up to 13 near the borders of large ones (measured with ONNX Runtime 1.31), which moves
probabilities by more than 1e-4. So Pillow's filter is written out (:mod:`fieldguide.modelfile.resize_graph`).
There is no control flow, no double precision and no operator that a runtime on a phone or a GPU lacks.

An image of shape (height, width, 3) is looked at as a table of ``height`` lines of ``3 * width`` numbers, and
turned on its side as ``3 * width`` lines of ``height``: neither takes a copy that is not fast.
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

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.operators import IR_VERSION, OPSET
from fieldguide.modelfile.resize_graph import resize_constants, resized

LEVELS = 14
"""Sides of blocks are 1, 2, 4 … up to 2 to the power of this."""

# ONNX's own text form: importing onnxscript, in which this would be half as long, takes half a second.
# Words in capitals stand for the pieces below. Types are ONNX's numbers: 1 float, 2 uint8, 7 int64.
_MODEL = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
preprocessing (uint8[batch, height, width, 3] image) => (uint8[batch, {side}, {side}, 3] pixels) {{
    down_whole = Shape <start: int = 1, end: int = 2> (image)
    right_whole = Shape <start: int = 2, end: int = 3> (image)
SEEN
SHRINK_DOWN
SHRINK_RIGHT
    starts = Concat <axis: int = 0> (down_start, right_start)
    stops = Concat <axis: int = 0> (down_stop, right_stop)
    seen = Slice (image, starts, stops, height_and_width)
    seen_values = Cast <to: int = 1> (seen)
    down_blocks_shape = Concat <axis: int = 0> (as_before, down_count, down_factor, the_rest)
    down_blocks = Reshape (seen_values, down_blocks_shape)
    down_block_sums = ReduceSum <keepdims: int = 0> (down_blocks, axis_2)
    turned = Transpose <perm: ints = [0, 2, 1]> (down_block_sums)
    columns_shape = Concat <axis: int = 0> (as_before, right_covered, the_rest)
    columns = Reshape (turned, columns_shape)
    right_blocks_shape = Concat <axis: int = 0> (as_before, right_count, right_factor, the_rest)
    right_blocks = Reshape (columns, right_blocks_shape)
    block_sums = ReduceSum <keepdims: int = 0> (right_blocks, axis_2)
    block_pixels = Mul (down_factor, right_factor)
    block_size = Cast <to: int = 1> (block_pixels)
    block_means = Div (block_sums, block_size)
    block_means_more = Add (block_means, half)
    shrunk = Floor (block_means_more)
RESIZED_RIGHT
    right_lines_shape = Concat <axis: int = 0> (as_before, colours_of_line, down_count)
    right_lines = Reshape (right_resized, right_lines_shape)
    rows = Transpose <perm: ints = [0, 2, 1]> (right_lines)
RESIZED_DOWN
    square = Reshape (down_resized, square_shape)
    pixels = Cast <to: int = 2> (square)
}}
"""

_SEEN = {
    "squash": """
    down_seen = Identity (down_whole)
    right_seen = Identity (right_whole)""",
    "crop": """
    down_seen = Min (down_whole, right_whole)
    right_seen = Identity (down_seen)""",
}

_SHRINK = """
    A_reached = GreaterOrEqual (A_seen, levels)
    A_levels_reached = Cast <to: int = 7> (A_reached)
    A_level = ReduceSum <keepdims: int = 1> (A_levels_reached)
    A_factor = Gather (factors, A_level)
    A_count = Div (A_seen, A_factor)
    A_covered = Mul (A_count, A_factor)
    A_left_out = Sub (A_whole, A_covered)
    A_start = Div (A_left_out, two)
    A_stop = Add (A_start, A_covered)"""
"""How much of an axis is seen, and by blocks of how many pixels."""


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
        of shape (batch, size, size, 3). An image of the network's own size passes unchanged.

    Raises
    ------
    ValueError
        If it does not shrink by halving, as those of files of version 1, which are no longer written.
    """
    if preprocessing.shrink != "halving":
        raise ValueError(
            f"only preprocessing that shrinks by halving is written; got {preprocessing.shrink!r}"
        )
    pieces = {
        "SEEN": _SEEN[preprocessing.mode],
        "SHRINK_DOWN": _of("down", _SHRINK),
        "SHRINK_RIGHT": _of("right", _SHRINK),
        "RESIZED_RIGHT": resized("shrunk", "right"),
        "RESIZED_DOWN": resized("rows", "down"),
    }
    text = _MODEL.format(side=preprocessing.size, ir_version=IR_VERSION, opset=OPSET)
    for name, piece in pieces.items():
        text = text.replace(name, piece)
    model = onnx.parser.parse_model(text)
    for name, value in _constants(preprocessing).items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    onnx.checker.check_model(model)
    return model


def _of(axis: str, text: str) -> str:
    return re.sub(r"\bA_", f"{axis}_", text)


def _constants(preprocessing: Preprocessing) -> dict[str, NDArray[Any]]:
    side = preprocessing.size
    sizes = {
        "levels": [4 * side << level for level in range(LEVELS)],
        "factors": [1 << level for level in range(LEVELS + 1)],
        "two": [2],
        "as_before": [0],
        "the_rest": [-1],
        "axis_2": [2],
        "height_and_width": [1, 2],
        "colours_of_line": [3 * side],
        "square_shape": [0, side, side, 3],
    }
    return {
        **resize_constants(side, preprocessing.interpolation),
        **{name: np.array(value, dtype=np.int64) for name, value in sizes.items()},
    }
