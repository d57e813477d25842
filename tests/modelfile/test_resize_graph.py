"""Weights in single precision are Pillow's integers; no sum is above what float32 holds exactly."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.parser import parse_graph

from fieldguide.modelfile.operators import IR_VERSION, OPSET
from fieldguide.modelfile.resize_graph import MOST_SHRUNK, SUPPORT, resize_constants, resized


def run(count, side, interpolation, names, level=255):
    text = resized("lines", "A")
    graph = parse_graph(f"weights (int64[1] A_count, float[1, n, 1] lines) => () {{{text}\n}}")
    for name, value in resize_constants(side, interpolation).items():
        graph.initializer.append(numpy_helper.from_array(value, name))
    graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    lines = np.full((1, count, 1), level, np.float32)
    return session.run(names, {"A_count": np.array([count]), "lines": lines})


def pillow_weights(count, side, interpolation):
    """Of shape (side, count): precompute_coeffs and normalize_coeffs_8bpc of Pillow, in double precision."""
    scale = count / side
    stretch = max(scale, 1.0)
    centres = (np.arange(side)[:, None] + 0.5) * scale
    apart = np.abs((np.arange(count)[None] - centres + 0.5) / stretch)
    if interpolation == "bilinear":
        raw = np.maximum(1 - apart, 0)
    else:
        near = ((1.5 * apart - 2.5) * apart) * apart + 1
        far = (((apart - 5) * apart + 8) * apart - 4) * -0.5
        raw = np.where(apart < 1, near, np.where(apart < 2, far, 0))
    share = raw / raw.sum(1, keepdims=True)
    return np.trunc(share * 2**22 + np.copysign(0.5, share))


@pytest.mark.parametrize("interpolation", SUPPORT)
@pytest.mark.parametrize(
    ("count", "side"), [(1, 24), (13, 24), (24, 24), (71, 24), (95, 24), (640, 224), (895, 224)]
)
def test_the_weights_are_pillows(count, side, interpolation):
    weights, places = run(count, side, interpolation, ["A_weights", "A_places"])
    expected = pillow_weights(count, side, interpolation)
    outputs = np.minimum(np.arange(weights.shape[0] * weights.shape[1]), side - 1).reshape(weights.shape[:2])
    got = np.zeros((side, count))
    for block, row in np.ndindex(*outputs.shape):
        got[outputs[block, row], places[block].astype(int)] = weights[block, row]
    apart = np.abs(got - expected)
    assert apart.max() <= 1  # a tie that double precision rounds the other way
    assert (apart > 0).sum() <= 1e-4 * (expected != 0).sum() + 1


@pytest.mark.parametrize("interpolation", SUPPORT)
@pytest.mark.parametrize("side", [24, 224, 512, 1024])
def test_sums_stay_where_float32_is_exact(side, interpolation):
    count = MOST_SHRUNK * side - 1
    lower, upper, sums = run(
        count, side, interpolation, ["A_weights_lower", "A_weights_upper", "A_large_sum"]
    )
    assert lower.sum(-1).max() * 255 < 2**24
    assert np.abs(upper).sum(-1).max() * 255 < 2**24
    assert sums.max() <= 2**25
