"""The head of a pool: each member's own head behind its features, and their probabilities pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnx.checker
import onnx.compose
from onnx import TensorProto, helper, numpy_helper

from fieldguide.modelfile.operators import IR_VERSION, OPSET
from fieldguide.recipes.auto.trial import FLOOR
from fieldguide.recipes.auto.weights import Kind


@dataclass(frozen=True)
class PoolMember:
    """A model of a pool."""

    head: onnx.ModelProto
    """From `features` to the outputs of the contract."""
    parts: tuple[int, ...]
    """Which parts of the pool's features its own are made of, in order."""
    weight: float
    """More than 0."""


@dataclass(frozen=True)
class PoolHead:
    """Members and how they are pooled."""

    members: Sequence[PoolMember]
    widths: Sequence[int]
    """Width of each part of the features."""
    kind: Kind
    typicality: int
    """The member whose typicality is the pool's."""
    temperature: float
    """Divides the logarithms of the pooled probabilities."""
    classes: int


def pool_head_model(pool: PoolHead) -> onnx.ModelProto:
    """Build the model from `features`, those of all parts side by side, to the outputs of the contract."""
    nodes, constants = _split(pool.widths)
    for number, member in enumerate(pool.members):
        graph = onnx.compose.add_prefix_graph(member.head.graph, f"member{number}/")
        nodes += [_features_of(member, graph.input[0].name), *_without_embedding(graph)]
        constants += graph.initializer
    pooled_nodes, pooled_constants = _pooled(pool)
    nodes += pooled_nodes
    constants += pooled_constants
    nodes += [
        helper.make_node("Identity", [f"member{pool.typicality}/typicality"], ["typicality"]),
        helper.make_node("Identity", ["features"], ["embedding"]),
    ]
    width = sum(pool.widths)
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", width])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", pool.classes]),
            helper.make_tensor_value_info("typicality", TensorProto.FLOAT, ["batch"]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model


def _split(widths: Sequence[int]) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    names = [f"part{number}" for number in range(len(widths))]
    if len(widths) == 1:
        return [helper.make_node("Identity", ["features"], names)], []
    sizes = numpy_helper.from_array(np.array(widths, dtype=np.int64), "part_widths")
    return [helper.make_node("Split", ["features", "part_widths"], names, axis=1)], [sizes]


def _features_of(member: PoolMember, name: str) -> onnx.NodeProto:
    parts = [f"part{part}" for part in member.parts]
    if len(parts) == 1:
        return helper.make_node("Identity", parts, [name])
    return helper.make_node("Concat", parts, [name], axis=1)


def _without_embedding(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    return [node for node in graph.node if not node.output[0].endswith("/embedding")]


def _pooled(pool: PoolHead) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """From the members' probabilities to the pool's, which are calibrated once more."""
    nodes, terms = [], []
    constants = [_number("floor", FLOOR), _number("pool_temperature", pool.temperature)]
    for number, member in enumerate(pool.members):
        own = f"member{number}/probabilities"
        if pool.kind == "logarithmic":
            nodes += _logarithm(own, f"member{number}/log")
            own = f"member{number}/log"
        constants.append(_number(f"weight{number}", member.weight))
        nodes.append(helper.make_node("Mul", [own, f"weight{number}"], [f"term{number}"]))
        terms.append(f"term{number}")
    nodes.append(helper.make_node("Sum", terms, ["pooled"]))
    scores = "pooled"
    if pool.kind == "linear":
        nodes += _logarithm("pooled", "log_pooled")
        scores = "log_pooled"
    nodes += [
        helper.make_node("Div", [scores, "pool_temperature"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    return nodes, constants


def _logarithm(name: str, result: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Max", [name, "floor"], [f"{result}_of"]),
        helper.make_node("Log", [f"{result}_of"], [result]),
    ]


def _number(name: str, value: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, dtype=np.float32), name)
