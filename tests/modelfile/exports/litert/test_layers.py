"""Layers give in LiteRT what they give in ONNX Runtime, with any margins and strides."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")

from litert_made import both, model_of

PIECES = {
    "conv": ("out = Conv <kernel_shape: ints = [3, 3]> (image, w3, b8)"),
    "conv without bias": ("out = Conv <kernel_shape: ints = [1, 1]> (image, w1)"),
    "conv, margins": ("out = Conv <kernel_shape: ints = [3, 3], pads: ints = [1, 1, 1, 1]> (image, w3, b8)"),
    "conv, stride": (
        "out = Conv <kernel_shape: ints = [3, 3], pads: ints = [1, 1, 1, 1], strides: ints = [2, "
        "2]> (image, w3, b8)"
    ),
    "conv, uneven margins": (
        "out = Conv <kernel_shape: ints = [5, 5], pads: ints = [0, 1, 2, 3], strides: ints = [2, "
        "1]> (image, w5, b8)"
    ),
    "depthwise": (
        "out = Conv <kernel_shape: ints = [3, 3], group: int = 3, pads: ints = [1, 1, 1, 1]> (image, deep)"
    ),
    "conv and relu6": ("c = Conv <kernel_shape: ints = [3, 3]> (image, w3, b8) out = Clip (c, zero, six)"),
    "conv seen twice": (
        "c = Conv <kernel_shape: ints = [3, 3]> (image, w3, b8) r = Relu (c) out = Add (c, r)"
    ),
    "mean pool": ("out = AveragePool <kernel_shape: ints = [2, 2], strides: ints = [2, 2]> (image)"),
    "largest": (
        "out = MaxPool <kernel_shape: ints = [3, 3], strides: ints = [2, 2], pads: ints = [1, 1, "
        "1, 1]> (image)"
    ),
    "largest, negative": (
        "n = Sub (zero, image) out = MaxPool <kernel_shape: ints = [3, 3], strides: ints = [2, "
        "2], pads: ints = [0, 0, 1, 2]> (n)"
    ),
    "reduced": ("out = ReduceMax <keepdims: int = 0> (image, places)"),
    "kept": ("out = ReduceMean <keepdims: int = 1> (image, places)"),
    "joined": ("out = Concat <axis: int = 1> (image, image)"),
    "gemm": ("row_of = ReduceMean <keepdims: int = 0> (image, places) out = Gemm (row_of, table, row)"),
    "softmax": (
        "row_of = ReduceMean <keepdims: int = 0> (image, places) small = Div (row_of, hundred) "
        "out = Softmax <axis: int = 1> (small)"
    ),
    "columns": (
        "row_of = ReduceMean <keepdims: int = 0> (image, places) out = Gather <axis: int = 1> "
        "(row_of, columns)"
    ),
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_an_operator_gives_what_it_gives_in_onnx(piece):
    expected, found = both(model_of(piece))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-4)
