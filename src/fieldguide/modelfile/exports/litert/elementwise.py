"""Operators of LiteRT that compute value by value, or only move values."""

from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import onnx.shape_inference
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from fieldguide.modelfile.exports.litert.values import (
    NONE,
    RELU,
    Translation,
    Translator,
    Untranslatable,
    activation,
)


def transpose(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Turn the pixels to channels first, which LiteRT leaves as they are; nothing else is turned."""
    if node.input[0] not in known.untouched or list(attributes["perm"]) != [0, 3, 1, 2]:
        raise Untranslatable(f"a Transpose of something else than the pixels ({node.output[0]})")
    known.numbers[node.output[0]] = known.numbers[node.input[0]]


def cast(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Make pixels or truth values numbers."""
    if attributes["to"] != onnx.TensorProto.FLOAT:
        raise Untranslatable(f"a Cast to something else than numbers of 32 bits ({node.output[0]})")
    if node.input[0] in known.untouched:
        known.untouched.add(node.output[0])
    source = known.number(node.input[0])
    if known.graph.tensors[source].type == schema.TensorType.FLOAT32:  # pixels, where they come as numbers
        known.numbers[node.output[0]] = source
        return
    options = {
        "table": "CastOptions",
        "inDataType": known.graph.tensors[source].type,
        "outDataType": schema.TensorType.FLOAT32,
    }
    known.graph.operator("CAST", [source], known.made(node.output[0]), options)


def same(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
    """Pass a value on."""
    source = known.number(node.input[0])
    if node.output[0] in known.outputs:
        _reshaped(known, source, node.output[0])  # an output needs a value of its own
    else:
        known.numbers[node.output[0]] = source


def reshape(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
    """Write the numbers of a value in another shape."""
    source, output = node.input[0], node.output[0]
    before, after = known.shapes[source], known.shapes[output]
    number = known.number(source)
    if len(after) == 4 and after[2:] != (1, 1):
        raise Untranslatable(f"a Reshape to a map of several places ({output})")
    if len(before) == 4 and before[2:] != (1, 1):  # the numbers of a map go into a row in ONNX's order
        order = known.graph.constant(f"{output}/order", np.array([0, 3, 1, 2], np.int32))
        between = known.between(f"{output}/turned", before)
        number = known.graph.operator("TRANSPOSE", [number, order], between, {"table": "TransposeOptions"})
    _reshaped(known, number, output)


def _reshaped(known: Translation, source: int, name: str) -> None:
    shape = known.graph.constant(f"{name}/shape", np.array(known.shape(name), np.int32))
    known.graph.operator("RESHAPE", [source, shape], known.made(name), {"table": "ReshapeOptions"})


def arithmetic(kind: str, table: str | None) -> Translator:
    """Combine two values, place by place."""

    def add(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
        inputs = [known.number(name) for name in node.input]
        options = None
        if table is not None:
            options = {"table": table}
            if node.op_type == "Add":
                options["fusedActivationFunction"] = known.fused.get(node.output[0], NONE)
        known.graph.operator(kind, inputs, known.made(node.output[0]), options)

    return add


def simple(kind: str, options: dict[str, Any] | None = None) -> Translator:
    """Compute each number of a value by itself."""

    def add(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
        known.graph.operator(kind, [known.number(node.input[0])], known.made(node.output[0]), options)

    return add


GELU_STEEPNESS = 1.702
"""x · sigmoid(1.702 x) is GELU to within 0.021 (Hendrycks and Gimpel, 2016, section 2)."""


def gelu(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
    """Compute GELU, on TensorFlow Lite Micro, which has none, by the sigmoid that is nearest to it."""
    source, output = known.number(node.input[0]), node.output[0]
    if not known.graph.micro:
        known.graph.operator("GELU", [source], known.made(output), {"table": "GeluOptions"})
        return
    shape = known.shape(output)
    by = known.graph.constant(f"{output}/steepness", np.array(GELU_STEEPNESS, np.float32))
    steep, gate = (known.between(f"{output}/{name}", shape) for name in ("steep", "gate"))
    known.graph.operator("MUL", [source, by], steep, {"table": "MulOptions"})
    known.graph.operator("LOGISTIC", [steep], gate)
    known.graph.operator("MUL", [source, gate], known.made(output), {"table": "MulOptions"})


def clip(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
    """Limit numbers, alone or with the layer before."""
    source, output = known.number(node.input[0]), node.output[0]
    if node.input[0] in known.fused:
        known.numbers[output] = source
        return
    kind = activation(node, known)
    if kind is not None:
        known.graph.operator("RELU" if kind == RELU else "RELU6", [source], known.made(output))
        return
    for operator, name in zip(("MAXIMUM", "MINIMUM"), node.input[1:], strict=False):
        if name:
            between = known.between(f"{output}/{operator.lower()}", known.shape(output))
            source = known.graph.operator(
                operator, [source, known.number(name)], between, {"table": "MaximumMinimumOptions"}
            )
    known.numbers[output] = source


def hard_sigmoid(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Compute a straight line between 0 and 1."""
    alpha, beta = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    output, shape = node.output[0], known.shape(node.output[0])
    steps = [("MUL", alpha, "MulOptions"), ("ADD", beta, "AddOptions")]
    number = known.number(node.input[0])
    for kind, by, table in steps:
        constant = known.graph.constant(f"{output}/{kind.lower()}_by", np.array(by, np.float32))
        number = known.graph.operator(
            kind, [number, constant], known.between(f"{output}/{kind.lower()}", shape), {"table": table}
        )
    for kind, by in (("MAXIMUM", 0.0), ("MINIMUM", 1.0)):
        constant = known.graph.constant(f"{output}/{kind.lower()}_by", np.array(by, np.float32))
        place = known.between(f"{output}/{kind.lower()}", shape) if kind == "MAXIMUM" else known.made(output)
        number = known.graph.operator(kind, [number, constant], place, {"table": "MaximumMinimumOptions"})


def scaled(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
    """Scale and shift channels, as pixels are normalised."""
    factor, shift = (known.constants[name].ravel() for name in node.input[1:])
    _scaled(known, node, factor, shift)


def normalised(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Scale and shift channels as a batch norm does."""
    scale, shift, mean, variance = (known.constants[name] for name in node.input[1:5])
    factor = scale / np.sqrt(variance + attributes.get("epsilon", 1e-5))
    _scaled(known, node, factor, shift - mean * factor)


def _scaled(known: Translation, node: onnx.NodeProto, factor: NDArray[Any], shift: NDArray[Any]) -> None:
    output, number = node.output[0], known.number(node.input[0])
    first = known.graph.constant(f"{output}/factor", _placed(factor, known.graph.rounds))
    second = known.graph.constant(f"{output}/shift", shift.astype(np.float32))
    if known.graph.rounds:  # a layer has a scale for each channel of its weights, a product has one for all
        options = {"table": "DepthwiseConv2DOptions", "padding": int(schema.Padding.VALID)}
        options |= {"strideH": 1, "strideW": 1, "depthMultiplier": 1}
        known.graph.operator("DEPTHWISE_CONV_2D", [number, first, second], known.made(output), options)
        return
    between = known.between(f"{output}/scaled", known.shape(output))
    number = known.graph.operator("MUL", [number, first], between, {"table": "MulOptions"})
    known.graph.operator("ADD", [number, second], known.made(output), {"table": "AddOptions"})


def _placed(factor: NDArray[Any], as_layer: bool) -> NDArray[np.float32]:
    single = factor.astype(np.float32)
    return single.reshape(1, 1, 1, -1) if as_layer else single
