"""From a model's part of fixed size in ONNX to a LiteRT graph, operator by operator.

ONNX keeps maps as (batch, channels, height, width), LiteRT as (batch, height, width, channels). Every value
of four dimensions is therefore kept in LiteRT's order, and axes and constants are translated with it. The
batch is one photo.
"""

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import onnx.shape_inference

from fieldguide.modelfile.exports.litert import elementwise, layers, views
from fieldguide.modelfile.exports.litert.builder import Graph
from fieldguide.modelfile.exports.litert.values import Translation, Translator, Untranslatable, known_of

OPERATORS: dict[str, Translator] = {
    "Add": elementwise.arithmetic("ADD", "AddOptions"),
    "AveragePool": layers.pool("AVERAGE_POOL_2D", 0.0),
    "BatchNormalization": elementwise.normalised,
    "Cast": elementwise.cast,
    "Clip": elementwise.clip,
    "Concat": layers.concatenation,
    "Conv": layers.convolution,
    "Div": elementwise.arithmetic("DIV", "DivOptions"),
    "Dropout": elementwise.same,
    "Einsum": views.averaged,
    "Flatten": elementwise.reshape,
    "Gather": layers.gather,
    "Gelu": elementwise.gelu,
    "Gemm": layers.gemm,
    "GlobalAveragePool": layers.pooled_whole("MEAN"),
    "GlobalMaxPool": layers.pooled_whole("REDUCE_MAX"),
    "GreaterOrEqual": layers.at_least,
    "HardSigmoid": elementwise.hard_sigmoid,
    "HardSwish": elementwise.simple("HARD_SWISH", {"table": "HardSwishOptions"}),
    "Identity": elementwise.same,
    "Log": elementwise.simple("LOG"),
    "MatMul": layers.product,
    "Max": elementwise.arithmetic("MAXIMUM", "MaximumMinimumOptions"),
    "MaxPool": layers.pool("MAX_POOL_2D", -3.4e38),
    "Mul": elementwise.arithmetic("MUL", "MulOptions"),
    "Pad": views.reflected,
    "ReduceMax": layers.reduced("REDUCE_MAX"),
    "ReduceMean": layers.reduced("MEAN"),
    "ReduceMin": layers.reduced("REDUCE_MIN"),
    "ReduceSum": layers.reduced("SUM"),
    "Relu": elementwise.clip,
    "Reshape": elementwise.reshape,
    "ScaleShift": elementwise.scaled,
    "Sigmoid": elementwise.simple("LOGISTIC"),
    "Slice": views.cut,
    "Softmax": layers.softmax,
    "Sqrt": elementwise.simple("SQRT"),
    "Sub": elementwise.arithmetic("SUB", "SubOptions"),
    "Tanh": elementwise.simple("TANH"),
    "Transpose": elementwise.transpose,
}
"""ONNX's name of an operator to what adds it."""


def translated(core: onnx.ModelProto, graph: Graph) -> tuple[dict[str, int], dict[str, int]]:
    """Add a whole ONNX graph; names and numbers of its inputs and outputs.

    Parameters
    ----------
    core
        With one input, `pixels`, of shape (batch, side, side, 3).
    graph
        Where it is added.

    Raises
    ------
    Untranslatable
        If it holds something that is not known here, naming it.
    """
    known = known_of(core, graph)
    for node in core.graph.node:
        if node.op_type not in OPERATORS:
            raise Untranslatable(f"the operator {node.op_type} ({node.output[0]})")
        if node.op_type not in ("Cast", "Transpose") and known.untouched & set(node.input):
            raise Untranslatable(f"pixels that are not turned to channels first ({node.output[0]})")
        OPERATORS[node.op_type](
            known, node, {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        )
    inputs = {one.name: known.numbers[one.name] for one in core.graph.input}
    return inputs, {one.name: _own(known, one.name) for one in core.graph.output}


def _own(known: Translation, name: str) -> int:
    """The number of an output; what others read as well is copied, for rounding takes its place otherwise."""
    number = known.numbers[name]
    if not known.graph.rounds or known.uses[name] == 1:
        return number
    shape = known.shape(name)
    constant = known.graph.constant(f"{name}/shape", np.array(shape, np.int32))
    copied = known.between(f"{name}/copied", shape)
    return known.graph.operator("RESHAPE", [number, constant], copied, {"table": "ReshapeOptions"})
