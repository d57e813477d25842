"""Small graphs in ONNX, run in ONNX Runtime and, translated, in LiteRT."""

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from onnx import helper, numpy_helper
from onnx.parser import parse_graph

from fieldguide.modelfile.exports.litert.builder import Graph
from fieldguide.modelfile.exports.litert.translation import translated
from fieldguide.modelfile.operators import IR_VERSION, OPSET

SIDE = 13
START = """
    channels_first = Transpose <perm: ints = [0, 3, 1, 2]> (pixels)
    image = Cast <to: int = 1> (channels_first)"""
RANDOM = np.random.default_rng(0)
CONSTANTS = {
    "w3": RANDOM.normal(size=(8, 3, 3, 3)) / 100,
    "w5": RANDOM.normal(size=(8, 3, 5, 5)) / 100,
    "w1": RANDOM.normal(size=(8, 3, 1, 1)) / 100,
    "deep": RANDOM.normal(size=(6, 1, 3, 3)) / 100,
    "b8": RANDOM.normal(size=8),
    "b3": RANDOM.normal(size=3),
    "positive": RANDOM.uniform(1, 2, 3),
    "scale": RANDOM.uniform(1, 2, (1, 3, 1, 1)),
    "shift": RANDOM.normal(size=(3, 1, 1)),
    "zero": np.array(0.0),
    "six": np.array(6.0),
    "one": np.array(1.0),
    "half": np.array(0.5),
    "root2": np.sqrt(np.array(2.0)),
    "scales": RANDOM.uniform(0.01, 0.02, (1, 3, 1, 1)),
    "shifts": RANDOM.normal(size=(3, 1, 1)),
    "to_end": np.array([2**62]),
    "to_begin": np.array([-(2**62)]),
    "minus_one": np.array([-1]),
    "minus_two": np.array([-2]),
    "plus_one": np.array([1]),
    "plus_two": np.array([2]),
    "nothing": np.array([0]),
    "high": np.array([2]),
    "wide": np.array([3]),
    "frame": np.array([0, 0, 1, 2, 0, 0, 3, 1]),
    "two_views": np.array([2, -1, 8]),
    "shares": np.array([0.25, 0.75]),
    "hundred": np.array(100.0),
    "table": RANDOM.normal(size=(3, 5)) / 100,
    "row": RANDOM.normal(size=5),
    "flat": RANDOM.normal(size=(3 * SIDE * SIDE, 4)) / 1000,
    "places": np.array([2, 3]),
    "last": np.array([1]),
    "columns": np.array([2, 0]),
    "vector": np.array([0, 3]),
}
TO_ROW = "row_of = ReduceMean <keepdims: int = 0> (image, places)"


def model_of(piece, start=START):
    text = f"g (uint8[batch, {SIDE}, {SIDE}, 3] pixels) => (float out) {{{start}\n{piece}\n}}"
    graph = parse_graph(text)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, None))
    named = {name for node in graph.node for name in node.input}
    for name, value in CONSTANTS.items():
        kind = np.int64 if value.dtype == np.int64 else np.float32
        if name in named:
            graph.initializer.append(numpy_helper.from_array(value.astype(kind), name))
    opset = [helper.make_opsetid("", OPSET)]
    return onnx.shape_inference.infer_shapes(
        helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    )


GELU = """
    d = Div (x, root2)
    e = Erf (d)
    f = Add (e, one)
    g = Mul (half, f)
    out = Mul (x, g)"""
"""Of a value `x`, as torch writes it."""


def both(model, precision="float32", **graph_options):
    """What ONNX Runtime and LiteRT give, the latter in the order of the former."""
    pixels = np.random.default_rng(1).integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"pixels": pixels})
    graph = Graph(precision, **graph_options)
    content = graph.finished(*translated(model, graph), b"{}")
    given = pixels.astype(np.float32) if graph.micro else pixels
    found = Interpreter(model_content=content).get_signature_runner()(pixels=given)["out"]
    return expected, found.transpose(0, 3, 1, 2) if found.ndim == 4 else found
