"""Model files made by hand whose scores add up from maps: every way of pooling, viewing and weighting."""

import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper

from fieldguide.explanation.upsampling import Move, moved_view
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.artifact import seal
from fieldguide.modelfile.preprocessing_graph import preprocessing_model
from tiny_model import card, tag_card, with_card

SIDE = 16
FEATURES = 28
"""Of two maps, of 6 and 8 channels, each pooled twice."""
MOVES = (Move(0, 0, False), Move(0, 0, True), Move(-1, 1, False), Move(1, -1, True))
START = """
 numbers = Cast <to = 1> (pixels)
 planes = Transpose <perm = [0, 3, 1, 2]> (numbers)
"""
NETWORK = """
 a0 = Conv <strides = [2, 2], pads = [1, 1, 1, 1]> (seen, first)
 a = Clip (a0, nothing, six)
 b0 = Conv <strides = [3, 3], pads = [1, 1, 1, 1]> (a, second)
 b = Tanh (b0)
"""
POOLS = """
 am = GlobalAveragePool (a)
 ax = GlobalMaxPool (a)
 bm = ReduceMean (b, places)
 bx = ReduceMax (b, places)
"""
CHANNELS_LAST = """
 al = Transpose <perm = [0, 2, 3, 1]> (a)
 am = ReduceMean (al, rows)
 ax = ReduceMax (al, rows)
 bm = ReduceMean (b, places)
 bx = ReduceMax (b, places)
"""
TOKENS = """
 at = Reshape (a, tokens)
 al = Transpose <perm = [0, 2, 1]> (at)
 am = ReduceMean (al, row)
 ax = ReduceMax (al, row)
 bm = ReduceMean (b, places)
 bx = ReduceMax (b, places)
"""
JOINED = """
 af = Reshape (am, flat6)
 ag = Reshape (ax, flat6)
 bf = Reshape (bm, flat8)
 bh = Reshape (bx, flat8)
 bg = Mul (bh, half)
 features = Concat <axis = 1> (af, ag, bf, bg)
"""
PLAIN = " seen = Identity (planes)\n"
ALONE = " embedding = Identity (features)\n"
SEVERAL = """
 stack = Reshape (features, by_view)
 embedding = Einsum <equation = "v,vbf->bf"> (shares, stack)
"""
HEADS = {
    "gemm": " scores = Gemm (embedding, weights, bias)\n",
    "turned": (
        " m = Gemm <transB = 1> (embedding, turned, bias)\n t = Div (m, temperature)\n"
        " scores = Add (t, by_class)\n"
    ),
    "by class": " m = MatMul (embedding, weights)\n t = Mul (m, by_class)\n scores = Sub (t, bias)\n",
    "whole numbers": (
        " w = DequantizeLinear <axis = 1> (numbered, steps)\n scores = Gemm (embedding, w, bias)\n"
    ),
    "restored": " scores = Gemm (embedding, restored, bias)\n",
}
KINDS = {
    "depths": (PLAIN, POOLS, ALONE, "gemm"),
    "channels last": (PLAIN, CHANNELS_LAST, ALONE, "turned"),
    "tokens": (PLAIN, TOKENS, ALONE, "by class"),
    "views": (None, POOLS, SEVERAL, "turned"),
    "whole numbers": (PLAIN, POOLS, ALONE, "whole numbers"),
    "restored": (PLAIN, POOLS, ALONE, "restored"),
}
"""`restored` is `whole numbers`, with its weights in float32."""


def write_mapped_model(path, kind="depths", *, mode="squash", tags=False):
    """Write a model file of one of `KINDS` and return its path."""
    preprocessing = Preprocessing(SIDE, mode)
    start, pools, end, head = KINDS[kind]
    text = START + (_views() if start is None else start) + NETWORK + pools + JOINED + end + HEADS[head]
    network = onnx.parser.parse_model(
        f"""<ir_version: 10, opset_import: ["" : 18]>
        network (uint8[n, h, w, 3] pixels)
            => (float[n, 3] probabilities, float[n] typicality, float[n, {FEATURES}] embedding)
        {{ {text}
          probabilities = {"Sigmoid (scores)" if tags else "Softmax <axis = 1> (scores)"}
          typicality = ReduceMax <keepdims = 0> (probabilities, row) }}"""
    )
    used = {name for node in network.graph.node for name in node.input}
    network.graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in _tensors().items() if name in used
    )
    before = onnx.compose.add_prefix(
        preprocessing_model(preprocessing), "preprocessing/", rename_inputs=False, rename_outputs=False
    )
    whole = onnx.compose.merge_models(before, network, io_map=[("pixels", "pixels")])
    written = (tag_card if tags else card)(preprocessing=preprocessing.as_dict())
    path.write_bytes(seal(with_card(whole, written)))
    return path


def _views():
    """The views of `MOVES`, stacked."""
    lines = []
    for number, _ in enumerate(MOVES):
        lines.append(f" d{number} = Gather <axis = 2> (planes, down{number})")
        lines.append(f" v{number} = Gather <axis = 3> (d{number}, across{number})")
    stacked = ", ".join(f"v{number}" for number, _ in enumerate(MOVES))
    return "\n".join([*lines, f" seen = Concat <axis = 0> ({stacked})\n"])


def _tensors():
    random = np.random.default_rng(7)

    def normal(*shape, scale=1.0):
        return (random.normal(size=shape) * scale).astype(np.float32)

    weights = normal(FEATURES, 3)
    numbered = random.integers(-127, 128, (FEATURES, 3)).astype(np.int8)
    steps = np.float32([0.01, 0.002, 0.03])
    tensors = {
        "first": normal(6, 3, 3, 3, scale=0.01),
        "second": normal(8, 6, 3, 3, scale=0.1),
        "weights": weights,
        "turned": np.ascontiguousarray(weights.T),
        "numbered": numbered,
        "steps": steps,
        "restored": numbered * steps,
        "bias": normal(3),
        "by_class": np.float32([0.5, 0.02, 1.5]),
        "temperature": np.float32(1.7),
        "nothing": np.float32(0),
        "six": np.float32(6),
        "half": np.float32(0.5),
        "places": np.array([2, 3]),
        "rows": np.array([1, 2]),
        "row": np.array([1]),
        "tokens": np.array([0, 6, -1]),
        "flat6": np.array([-1, 6]),
        "flat8": np.array([-1, 8]),
        "by_view": np.array([len(MOVES), -1, FEATURES]),
        "shares": np.float32([0.4, 0.3, 0.2, 0.1]),
    }
    for number, move in enumerate(MOVES):
        view = moved_view(SIDE, move)
        tensors |= {f"down{number}": view.rows.copy(), f"across{number}": view.columns.copy()}
    return tensors
