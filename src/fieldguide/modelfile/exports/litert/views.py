"""Several views of one photo: moved by a pixel, mirrored, put side by side in a batch, and averaged."""

from typing import Any

import numpy as np
import onnx
import onnx.helper
from ai_edge_litert import schema_py_generated as schema

from fieldguide.modelfile.exports.litert.values import AXES, LAST, Translation, Untranslatable

WEIGHTED_MEAN = b"v,vbf->bf"
"""Of views, with a weight each."""
MANY_VIEWS = "a mean of several views of each photo (of cnn, --preset fast --augment none has one)"
"""What TensorFlow Lite Micro is not given: several times the work."""


def reflected(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Add margins in which a map is mirrored."""
    if known.graph.micro:
        raise Untranslatable(MANY_VIEWS)
    margins, sides = known.whole_numbers(node.input[1]), len(known.shapes[node.input[0]])
    if attributes.get("mode", b"constant") != b"reflect" or sides != 4 or len(node.input) > 3:
        raise Untranslatable(f"margins that are not mirrored ({node.output[0]})")
    both = np.array([margins[:4], margins[4:]], np.int32).T[list(LAST)]
    constant = known.graph.constant(f"{node.output[0]}/margins", np.ascontiguousarray(both))
    options = {"table": "MirrorPadOptions", "mode": int(schema.MirrorPadMode.REFLECT)}
    known.graph.operator(
        "MIRROR_PAD", [known.number(node.input[0]), constant], known.made(node.output[0]), options
    )


def cut(known: Translation, node: onnx.NodeProto, _: dict[str, Any]) -> None:
    """Take a part of a map along one axis, or the whole axis backwards."""
    source, output = node.input[0], node.output[0]
    if known.graph.micro:
        raise Untranslatable(MANY_VIEWS)
    if len(node.input) != 5 or len(known.shapes[source]) != 4:
        raise Untranslatable(f"a Slice of something else than a map ({output})")
    start, end, axis, step = (known.whole_numbers(name) for name in node.input[1:])
    if len(axis) != 1 or step not in ([1], [-1]):
        raise Untranslatable(f"a Slice along several axes or with steps ({output})")
    shape = known.shapes[source]
    place = AXES[axis[0] % 4]
    if step == [-1]:
        if known.shapes[output] != shape:
            raise Untranslatable(f"a part of a map backwards ({output})")
        constant = known.graph.constant(f"{output}/axis", np.array([place], np.int32))
        options = {"table": "ReverseV2Options"}
        known.graph.operator("REVERSE_V2", [known.number(source), constant], known.made(output), options)
        return
    side = shape[axis[0]]
    begin = np.zeros(4, np.int32)
    begin[place] = min(max(start[0] + side if start[0] < 0 else start[0], 0), side)
    size = np.array(known.shape(output), np.int32)
    if begin[place] + size[place] != min(end[0] + side if end[0] < 0 else end[0], side):
        raise Untranslatable(f"a Slice whose size is not known ({output})")
    constants = [
        known.graph.constant(f"{output}/{name}", part) for name, part in (("begin", begin), ("size", size))
    ]
    known.graph.operator(
        "SLICE", [known.number(source), *constants], known.made(output), {"table": "SliceOptions"}
    )


def averaged(known: Translation, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Average views by their weights."""
    weights, output = known.constants.get(node.input[0]), node.output[0]
    if known.graph.micro:
        raise Untranslatable(MANY_VIEWS)
    if attributes["equation"] != WEIGHTED_MEAN or weights is None:
        raise Untranslatable(f"an Einsum that is no weighted mean of views ({output})")
    shares = known.graph.constant(f"{output}/weights", weights.astype(np.float32).reshape(-1, 1, 1))
    between = known.between(f"{output}/weighted", known.shapes[node.input[1]])
    number = known.graph.operator(
        "MUL", [known.number(node.input[1]), shares], between, {"table": "MulOptions"}
    )
    axis = known.graph.constant(f"{output}/axis", np.array([0], np.int32))
    options = {"table": "ReducerOptions", "keepDims": False}
    known.graph.operator("SUM", [number, axis], known.made(output), options)
