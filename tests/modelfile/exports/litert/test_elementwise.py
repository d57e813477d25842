"""Operators that compute value by value give in LiteRT what they give in ONNX Runtime."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")

from litert_made import both, model_of

PIECES = {
    "relu": ("moved = Sub (image, hundred) out = Relu (moved)"),
    "clip": ("out = Clip (image, six, hundred)"),
    "sum and relu": ("moved = Sub (image, hundred) a = Add (moved, shift) out = Relu (a)"),
    "channels": ("scaled = Mul (image, scale) out = Add (scaled, shift)"),
    "norm": ("out = BatchNormalization (image, positive, b3, b3, positive)"),
    "hard swish": ("small = Div (image, hundred) out = HardSwish (small)"),
    "hard sigmoid": (
        "small = Div (image, hundred) out = HardSigmoid <alpha: float = 0.1666, beta: float = 0.5> (small)"
    ),
    "squeeze": (
        "p = GlobalAveragePool (image) small = Div (p, hundred) s = Sigmoid (small) out = Mul (image, s)"
    ),
    "a map in a row": ("flat_map = Flatten <axis: int = 1> (image) out = MatMul (flat_map, flat)"),
    "reshaped": ("p = GlobalMaxPool (image) out = Reshape (p, vector)"),
    "at least": (
        "row_of = ReduceMean <keepdims: int = 0> (image, places) low = ReduceMin <keepdims: int = "
        "1> (row_of, last) yes = GreaterOrEqual (row_of, low) out = Cast <to: int = 1> (yes)"
    ),
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_an_operator_gives_what_it_gives_in_onnx(piece):
    expected, found = both(model_of(piece))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-4)
