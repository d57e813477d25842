"""Weights of 16 and 8 bits are near, small ones keep their 32, and what is written can be read."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")

from ai_edge_litert import schema_py_generated as schema

from fieldguide.modelfile.exports.litert.builder import SMALLEST, Graph
from litert_made import both, model_of

ROW = "flat_map = Flatten <axis: int = 1> (image) out = MatMul (flat_map, flat)"


@pytest.mark.parametrize(("precision", "apart"), [("float16", 2e-3), ("int8", 2e-2)])
def test_smaller_weights_are_near(precision, apart):
    expected, found = both(model_of(ROW), precision)
    assert 0 < np.abs(found - expected).max() <= apart * np.abs(expected).max()


def test_small_layers_keep_their_weights():
    graph = Graph("int8")
    graph.weights("few", np.ones((SMALLEST // 8 - 1, 8), np.float32), 0)
    graph.weights("many", np.ones((SMALLEST // 8, 8), np.float32), 0)
    few, many = graph.tensors
    assert (few.type, many.type) == (schema.TensorType.FLOAT32, schema.TensorType.INT8)
    assert len(many.quantization.scale) == SMALLEST // 8


def test_channels_that_are_nothing_stay_nothing():
    graph = Graph("int8")
    weights = np.ones((64, 64), np.float32)
    weights[3] = 0
    graph.weights("w", weights, 0)
    stored = graph.buffers[graph.tensors[0].buffer].data.view(np.int8).reshape(64, 64)
    assert (stored[3] == 0).all() and (stored[4] == 127).all()
