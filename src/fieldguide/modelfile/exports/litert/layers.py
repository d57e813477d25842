"""Operators of LiteRT that look at neighbours or at many values: convolutions, pools, products, sums."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import onnx.shape_inference
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from fieldguide.modelfile.exports.litert.values import AXES, NONE, Translation, Translator, Untranslatable


def convolution(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Convolve a map, all channels together or each by itself."""
    weights, output = known.constants[node.input[1]], node.output[0]
    groups, channels = attributes.get("group", 1), known.shapes[node.input[0]][1]
    if groups not in (1, channels):
        raise Untranslatable(f"a convolution in {groups} groups of several channels ({output})")
    if weights.ndim != 4 or any(one != 1 for one in attributes.get("dilations", [1, 1])):
        raise Untranslatable(f"a convolution that is dilated or not of two dimensions ({output})")
    strides = attributes.get("strides", [1, 1])
    number, padding = _padded(known, node, weights.shape[2:], strides, attributes)
    bias = known.constants[node.input[2]] if len(node.input) > 2 else np.zeros(len(weights), np.float32)
    options = {
        "padding": padding,
        "strideH": strides[0],
        "strideW": strides[1],
        "fusedActivationFunction": known.fused.get(output, NONE),
    }
    depthwise = groups == channels and groups > 1
    if depthwise:
        order, axis, kind = (1, 2, 3, 0), 3, "DEPTHWISE_CONV_2D"
        options |= {"table": "DepthwiseConv2DOptions", "depthMultiplier": len(weights) // channels}
    else:
        order, axis, kind = (0, 2, 3, 1), 0, "CONV_2D"
        options |= {"table": "Conv2DOptions"}
    placed = np.ascontiguousarray(weights.transpose(order))
    inputs = [
        number,
        known.graph.weights(node.input[1], placed, axis),
        known.graph.constant(f"{output}/bias", bias.astype(np.float32)),
    ]
    known.graph.operator(kind, inputs, known.made(output), options)


def pool(kind: str, empty: float) -> Translator:
    """Take the mean or the largest of neighbours."""

    def add(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
        size, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
        if (
            kind == "AVERAGE_POOL_2D"
            and any(attributes.get("pads", []))
            and attributes.get("count_include_pad")
        ):
            raise Untranslatable(f"a mean over margins ({node.output[0]})")
        number, padding = _padded(known, node, size, strides, attributes, empty)
        options = {"table": "Pool2DOptions", "padding": padding, "strideH": strides[0], "strideW": strides[1]}
        options |= {"filterHeight": size[0], "filterWidth": size[1]}
        known.graph.operator(kind, [number], known.made(node.output[0]), options)

    return add


def _padded(
    known: Translation,
    node: onnx.NodeProto,
    size: Sequence[int],
    strides: Sequence[int],
    attributes: dict[str, Any],
    empty: float = 0.0,
) -> tuple[int, int]:
    """The map with its margins, and LiteRT's own rule for margins where that gives the same."""
    number = known.number(node.input[0])
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    if attributes.get("auto_pad", b"NOTSET") != b"NOTSET" or attributes.get("ceil_mode"):
        raise Untranslatable(f"margins that follow from the size ({node.output[0]})")
    if not any((top, left, bottom, right)):
        return number, int(schema.Padding.VALID)
    sides = known.shapes[node.input[0]][2:]
    own = [_own_margins(*one) for one in zip(sides, size, strides, strict=True)]
    if own == [(top, bottom), (left, right)]:
        return number, int(schema.Padding.SAME)
    margins = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
    high, wide = sides[0] + top + bottom, sides[1] + left + right
    inputs = [
        number,
        known.graph.constant(f"{node.output[0]}/margins", margins),
        known.graph.constant(f"{node.output[0]}/empty", np.array(empty, np.float32)),
    ]
    photos, channels = known.shapes[node.input[0]][:2]
    shape = (photos, high, wide, channels)
    between = known.between(f"{node.output[0]}/padded", shape)
    number = known.graph.operator("PADV2", inputs, between, {"table": "PadV2Options"})
    return number, int(schema.Padding.VALID)


def _own_margins(side: int, size: int, stride: int) -> tuple[int, int]:
    total = max((-(-side // stride) - 1) * stride + size - side, 0)
    return total // 2, total - total // 2


def reduced(kind: str) -> Translator:
    """Take the mean, sum, largest or smallest along axes."""

    def add(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
        source, sides = node.input[0], len(known.shapes[node.input[0]])
        stated = list(attributes["axes"]) if "axes" in attributes else known.whole_numbers(node.input[1])
        axes = [axis % sides for axis in stated]
        axes = [AXES[axis] for axis in axes] if sides == 4 else axes
        keep = bool(attributes.get("keepdims", 1))
        _reduce(known, kind, known.number(source), axes, node.output[0], keep)

    return add


def _reduce(known: Translation, kind: str, source: int, axes: list[int], output: str, keep: bool) -> None:
    constant = known.graph.constant(f"{output}/axes", np.array(axes, np.int32))
    options = {"table": "ReducerOptions", "keepDims": keep}
    known.graph.operator(kind, [source, constant], known.made(output), options)


def pooled_whole(kind: str) -> Translator:
    """Pool a map over all its places."""

    def add(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
        _reduce(known, kind, known.number(node.input[0]), [1, 2], node.output[0], True)

    return add


MOST_JOINED = 10
"""Values that TensorFlow Lite Micro puts side by side at once."""


def concatenation(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Put values side by side."""
    output, sides = node.output[0], len(known.shapes[node.output[0]])
    axis = attributes["axis"] % sides
    place = AXES[axis] if sides == 4 else axis
    options = {"table": "ConcatenationOptions", "axis": place}
    inputs, shape = [known.number(name) for name in node.input], known.shape(output)
    while known.graph.micro and len(inputs) > MOST_JOINED:
        some = inputs[:MOST_JOINED]
        width = sum(int(known.graph.tensors[number].shape[place]) for number in some)
        joined = known.between(f"{output}/joined{len(inputs)}", (*shape[:place], width, *shape[place + 1 :]))
        inputs = [known.graph.operator("CONCATENATION", some, joined, options), *inputs[MOST_JOINED:]]
    known.graph.operator("CONCATENATION", inputs, known.made(output), options)


def gemm(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Multiply by a table and add a row."""
    if attributes.get("transA") or attributes.get("alpha", 1) != 1 or attributes.get("beta", 1) != 1:
        raise Untranslatable(f"a Gemm with factors ({node.output[0]})")
    weights = known.constants[node.input[1]]
    weights = weights if attributes.get("transB") else weights.T
    bias = known.number(node.input[2]) if len(node.input) > 2 else -1
    _connected(known, node, weights, bias)


def product(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
    """Multiply by a table."""
    weights = known.constants.get(node.input[1])
    if weights is None or weights.ndim != 2 or len(known.shapes[node.input[0]]) != 2:
        raise Untranslatable(f"a product of two computed tables ({node.output[0]})")
    _connected(known, node, weights.T, -1)


def _connected(known: Translation, node: onnx.NodeProto, weights: NDArray[Any], bias: int) -> None:
    """The head and its calibration keep their 32 bits: they belong together."""
    content = np.ascontiguousarray(weights.astype(np.float32))
    own = node.input[1].startswith("head/")
    name = node.input[1]
    number = known.graph.constant(name, content) if own else known.graph.weights(name, content, 0)
    options = {
        "table": "FullyConnectedOptions",
        "fusedActivationFunction": known.fused.get(node.output[0], NONE),
    }
    inputs = [known.number(node.input[0]), number, bias]
    known.graph.operator("FULLY_CONNECTED", inputs, known.made(node.output[0]), options)


def softmax(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Make scores shares."""
    sides = len(known.shapes[node.input[0]])
    if attributes.get("axis", -1) % sides != sides - 1 or sides != 2:
        raise Untranslatable(f"a Softmax over something else than classes ({node.output[0]})")
    options = {"table": "SoftmaxOptions", "beta": 1.0}
    known.graph.operator("SOFTMAX", [known.number(node.input[0])], known.made(node.output[0]), options)


def gather(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Choose columns."""
    if len(known.shapes[node.input[0]]) != 2:
        raise Untranslatable(f"columns of something else than a table ({node.output[0]})")
    columns = np.array(known.whole_numbers(node.input[1]), np.int32)
    number = known.graph.constant(f"{node.output[0]}/columns", columns)
    options = {"table": "GatherOptions", "axis": attributes.get("axis", 0)}
    known.graph.operator("GATHER", [known.number(node.input[0]), number], known.made(node.output[0]), options)


def at_least(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
    """Compare two values, place by place."""
    inputs = [known.number(name) for name in node.input]
    options = {"table": "GreaterEqualOptions"}
    known.graph.operator("GREATER_EQUAL", inputs, known.made(node.output[0], np.bool_), options)
