"""What the graph of a model file may hold: looked at before ONNX Runtime sees a byte of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fieldguide.modelfile.constants import NOTHING, Scope, constant_of, define, result_of
from fieldguide.modelfile.operators import DOMAINS, EXTENTS, OPERATORS
from fieldguide.modelfile.tensors import check_tensor, name_of
from fieldguide.modelfile.wire_format import Message, Unacceptable, fixed, integers, text_of

MAX_NODES = 50_000
MAX_GRAPH_DEPTH = 4
MAX_EXTENT = 4_096
"""Largest kernel, stride or padding."""

_UINT8, _FLOAT = 2, 1
INPUTS = {"image": (_UINT8, 4)}
OUTPUTS = {"probabilities": (_FLOAT, 2), "typicality": (_FLOAT, 1), "embedding": (_FLOAT, 2)}
"""Name → element type and number of dimensions, as the contract has them."""


def check_model(model: Message, classes: int) -> None:
    """Check a model as :func:`fieldguide.modelfile.wire_format.read_model` gives it.

    Parameters
    ----------
    model
        The model.
    classes
        How many names the card holds; where the file states the width of `probabilities` it must be this.

    Raises
    ------
    Unacceptable
        With what is not allowed.
    """
    for opset in model["opset_import"]:
        _check_domain(opset.get("domain", b""))
    if "graph" not in model:
        raise Unacceptable("it holds no graph")
    graph = model["graph"]
    _check_values(graph["input"], INPUTS, "inputs")
    _check_values(graph["output"], OUTPUTS, "outputs")
    _check_fixed(graph["input"][0], 3, 3, "channels of image")
    width = next(value for value in graph["output"] if text_of(value["name"]) == "probabilities")
    _check_fixed(width, 1, classes, "columns of probabilities, by its class names,")
    _Graphs().check(graph, {}, 1)


@dataclass
class _Graphs:
    """A walk over a graph and the graphs inside it; counts what it meets."""

    nodes: int = 0

    def check(self, graph: Message, outer: Scope, depth: int) -> None:
        if depth > MAX_GRAPH_DEPTH:
            raise Unacceptable(f"graphs are nested more than {MAX_GRAPH_DEPTH} deep")
        scope: Scope = {"": NOTHING, **outer}
        for value in graph["input"]:
            define(scope, value.get("name", b""), None)
        for tensor in graph["initializer"]:
            check_tensor(tensor)
            define(scope, tensor.get("name", b""), constant_of(tensor))
        for value in graph["value_info"]:
            _tensor_type(value)
        for node in graph["node"]:
            self._check_node(node, scope, depth)

    def _check_node(self, node: Message, scope: Scope, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Unacceptable(f"it has more than {MAX_NODES:,} nodes")
        operator = text_of(node.get("op_type", b""))
        domain = node.get("domain", b"")
        _check_domain(domain)
        if operator not in OPERATORS or text_of(domain) == "ai.onnx.ml":
            raise Unacceptable(f"the operator {operator[:60]!r} is not allowed")
        for attribute in node["attribute"]:
            _check_attribute(attribute)
        for tensor in _tensors(node):
            check_tensor(tensor)
        result = result_of(node, scope)
        for inner in _subgraphs(node):
            self.check(inner, scope, depth + 1)
        for name in node["output"]:
            define(scope, name, result)


def _check_attribute(attribute: Message) -> None:
    numbers = np.frombuffer(fixed(attribute["floats"], "float"), "<f4")
    if math.isnan(attribute.get("f", 0.0)) or np.isnan(numbers).any():
        raise Unacceptable(f"the attribute {name_of(attribute)} is not a number")
    extents = integers(attribute["ints"]) if text_of(attribute.get("name", b"")) in EXTENTS else []
    if any(abs(extent) > MAX_EXTENT for extent in extents):
        raise Unacceptable(f"the attribute {name_of(attribute)} is larger than {MAX_EXTENT:,}")


def _tensors(node: Message) -> Iterator[Message]:
    for attribute in node["attribute"]:
        if "t" in attribute:
            yield attribute["t"]
        yield from attribute["tensors"]


def _subgraphs(node: Message) -> Iterator[Message]:
    for attribute in node["attribute"]:
        if "g" in attribute:
            yield attribute["g"]
        yield from attribute["graphs"]


def _check_values(values: list[Message], contract: dict[str, tuple[int, int]], kind: str) -> None:
    found = {text_of(value.get("name", b"")): _tensor_type(value) for value in values}
    if len(values) != len(contract) or set(found) != set(contract):
        got = ", ".join(sorted(name[:40] for name in found)[:8]) or "none"
        raise Unacceptable(f"its {kind} must be {', '.join(contract)}; got {got}")
    for name, (elements, rank) in contract.items():
        dims = found[name].get("shape", {"dim": []})["dim"]
        if found[name].get("elem_type") != elements or len(dims) != rank:
            kinds = {_UINT8: "uint8", _FLOAT: "float32"}
            raise Unacceptable(f"{name} must be {kinds[elements]} with {rank} dimensions")


def _tensor_type(value: Message) -> Message:
    tensor: Message | None = value.get("type", {}).get("tensor_type")
    if tensor is None:
        raise Unacceptable(f"the value {name_of(value)} is not a tensor")
    return tensor


def _check_fixed(value: Message, axis: int, size: int, what: str) -> None:
    stated = _tensor_type(value)["shape"]["dim"][axis].get("dim_value", size)
    if stated != size:
        raise Unacceptable(f"the number of {what} must be {size}; the graph says {stated}")


def _check_domain(domain: memoryview | bytes) -> None:
    name = text_of(domain)
    if name not in DOMAINS:
        raise Unacceptable(f"operators of the domain {name[:60]!r} are not allowed")
