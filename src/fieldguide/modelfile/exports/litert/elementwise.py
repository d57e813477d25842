"""Operators of LiteRT that compute value by value, or only move values."""

from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import onnx.shape_inference
from ai_edge_litert import schema_py_generated as schema

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


def normalised(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Scale and shift channels as a batch norm does."""
    scale, shift, mean, variance = (known.constants[name] for name in node.input[1:5])
    factor = scale / np.sqrt(variance + attributes.get("epsilon", 1e-5))
    output, number = node.output[0], known.number(node.input[0])
    first = known.graph.constant(f"{output}/factor", factor.astype(np.float32))
    second = known.graph.constant(f"{output}/shift", (shift - mean * factor).astype(np.float32))
    between = known.between(f"{output}/scaled", known.shape(output))
    number = known.graph.operator("MUL", [number, first], between, {"table": "MulOptions"})
    known.graph.operator("ADD", [number, second], known.made(output), {"table": "AddOptions"})
