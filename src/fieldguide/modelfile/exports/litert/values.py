"""What is known while a model is translated to LiteRT: shapes, constants, and the values made so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import onnx.shape_inference
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from fieldguide.modelfile.exports.litert.builder import Graph
from fieldguide.modelfile.exports.litert.joining import join_gelu, join_scales

NONE, RELU, RELU6 = (getattr(schema.ActivationFunctionType, name) for name in ("NONE", "RELU", "RELU6"))
LAST = (0, 2, 3, 1)
"""Where LiteRT's axes of a map are in ONNX."""
AXES = {0: 0, 1: 3, 2: 1, 3: 2}
"""Axis of a map in ONNX to the one in LiteRT."""


class Untranslatable(Exception):
    """Something in the graph has no counterpart in LiteRT."""


@dataclass
class Translation:
    """What is known while a graph is translated."""

    graph: Graph
    shapes: dict[str, tuple[int, ...]]
    """Of every computed value, in ONNX's order."""
    constants: dict[str, NDArray[Any]]
    uses: dict[str, int]
    """By how many nodes each value is used."""
    outputs: frozenset[str]
    """Names of the graph's outputs."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Of the values that were made in LiteRT."""
    untouched: set[str] = field(default_factory=lambda: {"pixels"})
    """Maps that are in LiteRT's order in ONNX as well: the pixels, until they are turned."""
    fused: dict[str, int] = field(default_factory=dict)
    """Outputs of a layer whose activation is computed with it."""

    def number(self, name: str) -> int:
        """The number of a value; a constant is added where it is first used."""
        if name not in self.numbers:
            content = self.constants[name]
            content = content.astype(np.float32) if content.dtype == np.float64 else content
            if content.ndim == 4:
                content = content.transpose(LAST)
            elif content.ndim == 3:  # as a part of a map without the batch
                content = content.transpose(1, 2, 0)
            self.numbers[name] = self.graph.constant(name, np.ascontiguousarray(content))
        return self.numbers[name]

    def made(self, name: str, type_: Any = np.float32) -> int:
        """Add the value that a node computes."""
        self.numbers[name] = self.graph.value(name, self.shape(name), type_)
        return self.numbers[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a value, in LiteRT's order."""
        found = self.shapes[name]
        turned = len(found) == 4 and name not in self.untouched
        return tuple(found[axis] for axis in LAST) if turned else found

    def between(self, name: str, shape: Sequence[int], type_: Any = np.float32) -> int:
        """Add a value that ONNX has no name for."""
        return self.graph.value(name, shape, type_)

    def whole_numbers(self, name: str) -> list[int]:
        """A constant of whole numbers."""
        if name not in self.constants:
            raise Untranslatable(f"sizes that are computed ({name})")
        return [int(one) for one in self.constants[name].ravel()]


Translator: TypeAlias = Callable[[Translation, onnx.NodeProto, dict[str, Any]], None]
"""Adds what a node of ONNX computes; gets its attributes by name."""


def known_of(core: onnx.ModelProto, graph: Graph) -> Translation:
    """What is known of a graph before any of it is translated."""
    single = onnx.ModelProto()
    single.CopyFrom(core)
    (given,) = single.graph.input
    given.type.tensor_type.shape.dim[0].dim_value = 1
    del single.graph.value_info[:]
    for output in single.graph.output:
        output.type.tensor_type.shape.dim[0].dim_value = 1
    inferred = onnx.shape_inference.infer_shapes(single, data_prop=True).graph
    values = (*inferred.input, *inferred.value_info, *inferred.output)
    shapes = {one.name: tuple(side.dim_value for side in one.type.tensor_type.shape.dim) for one in values}
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in single.graph.initializer}
    join_gelu(core.graph, constants)
    if graph.rounds:  # a step less that is rounded
        join_scales(core.graph, constants)
    uses: dict[str, int] = {}
    for name in (name for node in core.graph.node for name in node.input):
        uses[name] = uses.get(name, 0) + 1
    for output in core.graph.output:
        uses[output.name] = uses.get(output.name, 0) + 1
    outputs = frozenset(one.name for one in single.graph.output)
    known = Translation(graph, shapes, constants, uses, outputs)
    # Pixels come in LiteRT's order already.
    known.numbers[given.name] = graph.value(
        given.name, shapes[given.name], np.float32 if graph.micro else np.uint8
    )
    known.fused = _activations(core.graph, known)
    return known


def _activations(graph: onnx.GraphProto, known: Translation) -> dict[str, int]:
    """Layers that nothing but an activation looks at: it is computed with them."""
    layers = {node.output[0] for node in graph.node if node.op_type in ("Conv", "Gemm", "Add")}
    found = {}
    for node in graph.node:
        kind = activation(node, known)
        if kind is not None and node.input[0] in layers and known.uses[node.input[0]] == 1:
            found[node.input[0]] = kind
    return found


def activation(node: onnx.NodeProto, known: Translation) -> int | None:
    """LiteRT's number of the activation that a node is, if a layer can compute it."""
    if node.op_type == "Relu":
        return int(RELU)
    if node.op_type != "Clip" or len(node.input) < 3:
        return None
    limits = [float(known.constants[name]) for name in node.input[1:3] if name in known.constants]
    return int(RELU6) if limits == [0, 6] else None
