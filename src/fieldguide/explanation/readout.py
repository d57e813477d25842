"""How a model file's class scores come about: where in its graph they are read off from maps.

A score that is linear in pooled maps can be taken apart again, place by place (class activation maps: Zhou et
al., "Learning Deep Features for Discriminative Localization", CVPR 2016). This module finds, in the graph
alone and by its operators, not by names, the linear head and the maps that are pooled before it. What it
finds is a proposal: :mod:`fieldguide.explanation.contributions` runs it and believes it only if it adds up.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fieldguide.modelfile.operators import RESTORING
from fieldguide.modelfile.tensors import tensor_values
from fieldguide.modelfile.wire_format import Message, integers, text_of

FloatArray = NDArray[np.float64]

MOST_NODES = 50_000
"""Steps back through the graph before the search is given up."""

_SAME_VALUES = frozenset(
    {"Cast", "Dropout", "Flatten", "Gather", "Identity", "Reshape", "Squeeze", "Unsqueeze"}
)
"""Operators that between a pool and the head only write its values in another shape."""
_POOLS: dict[str, Literal["mean", "max"]] = {
    "ReduceMean": "mean",
    "GlobalAveragePool": "mean",
    "ReduceMax": "max",
    "GlobalMaxPool": "max",
}


@dataclass(frozen=True)
class Pooled:
    """One part of the features: a map, pooled over its places."""

    map: str
    """Name of the tensor before pooling."""
    kind: Literal["mean", "max"]
    axes: tuple[int, ...]
    """Which of its axes were pooled: (2, 3) or (1, 2) of a map, (1,) of a row of tokens."""
    scale: float = 1.0
    """What the pooled values are multiplied by."""
    views: tuple[float, ...] = ()
    """Weights of the views of an image whose features are averaged; empty where there is one alone."""


@dataclass(frozen=True)
class LinearHead:
    """Scores as features times weights, plus a bias."""

    features: str
    """Name of the tensor that it sees."""
    tensor: str
    """Name of the tensor that the features are multiplied by."""
    transposed: bool
    """Whether that tensor has the shape (n_classes, n_features)."""
    stated: FloatArray
    """Its values, of shape (n_features, n_classes)."""
    factors: FloatArray
    """What the scores are multiplied by after that, temperature included; of shape (n_classes,)."""
    bias: FloatArray
    """Of shape (n_classes,)."""

    @functools.cached_property
    def weights(self) -> FloatArray:
        """Of shape (n_features, n_classes); temperature and standardisation are in them."""
        return self.stated * self.factors


@dataclass(frozen=True)
class Readout:
    """Class scores as a linear function of pooled maps."""

    logits: str
    """Name of the tensor of calibrated scores, whose softmax or sigmoid the probabilities are."""
    head: LinearHead
    """From the features to these scores."""
    parts: tuple[Pooled, ...]
    """The parts of the features, in order."""
    stacked: str | None
    """Name of the tensor that holds the views of the images, one view after the other; None where each image
    is looked at once."""


class NotLinear(Exception):
    """The scores are not a linear function of pooled maps, or not one that is recognised."""


def logits_of(model: Message) -> str | None:
    """The name of the tensor whose softmax, or sigmoid, the probabilities are; None without either."""
    node = _Graph(model).made("probabilities")
    if node is None or _operator(node) not in ("Softmax", "Sigmoid"):
        return None
    return text_of(node["input"][0])


def read_out(model: Message) -> Readout:
    """Find the linear head and the maps before it.

    Parameters
    ----------
    model
        From :func:`fieldguide.modelfile.wire_format.read_model`, checked.

    Raises
    ------
    NotLinear
        If something between the maps and the scores is not linear, with what that is.
    """
    logits = logits_of(model)
    if logits is None:
        raise NotLinear("the probabilities are neither a softmax nor a sigmoid")
    graph = _Graph(model)
    head = graph.head(logits)
    parts = tuple(graph.parts(head.features))
    views = {part.views for part in parts}
    if len(views) > 1:
        raise NotLinear("the parts of the features average different views")
    stacked = graph.stacked(parts[0].map, len(parts[0].views)) if parts[0].views else None
    return Readout(logits, head, parts, stacked)


class _Graph:
    """A graph, walked from its end to its beginning."""

    def __init__(self, model: Message) -> None:
        graph = model["graph"]
        self._makers = {text_of(name): node for node in graph["node"] for name in node["output"] if len(name)}
        self._tensors = {text_of(tensor.get("name", b"")): tensor for tensor in graph["initializer"]}

    def made(self, name: str) -> Message | None:
        """The node that makes a value."""
        return self._makers.get(name)

    def constant(self, name: str) -> NDArray[Any] | None:
        """A value that the file states, in its shape."""
        node = self._makers.get(name)
        if node is not None and _operator(node) == "Identity":
            return self.constant(text_of(node["input"][0]))
        if name in self._tensors:
            return _shaped(self._tensors[name])
        if node is not None and _operator(node) == RESTORING:
            return self._restored(node)
        if node is None or _operator(node) != "Constant":
            return None
        (attribute,) = node["attribute"]
        if "t" in attribute:
            return _shaped(attribute["t"])
        if attribute["ints"]:
            return np.array(integers(attribute["ints"]))
        return np.array(attribute["f"] if "f" in attribute else attribute.get("i", np.nan))

    def _restored(self, node: Message) -> NDArray[Any] | None:
        """Weights of an exported model, from whole numbers and a scale for each slice along an axis."""
        stated = [self.constant(text_of(name)) for name in node["input"]]
        if len(stated) != 2 or stated[0] is None or stated[1] is None:
            return None
        numbers, scales = stated[0].astype(np.float32), stated[1]
        axis, along = _attribute(node, "axis", 1), [1] * numbers.ndim
        if scales.size > 1:
            if not -numbers.ndim <= axis < numbers.ndim or numbers.shape[axis] != scales.size:
                return None
            along[axis] = scales.size
        weights: NDArray[Any] = numbers * scales.reshape(along)
        return weights

    def head(self, name: str) -> LinearHead:
        """The linear head behind a tensor of scores."""
        node = self._makers.get(name)
        if node is None:
            raise NotLinear(f"nothing makes the scores {name!r}")
        operator = _operator(node)
        if operator == "Identity":
            return self.head(text_of(node["input"][0]))
        if operator == "Gemm":
            return self._gemm(node)
        first, constant = self._operands(node)
        if operator == "MatMul" and constant.ndim == 2:
            classes = constant.shape[1]
            tensor = text_of(node["input"][1])
            return LinearHead(first, tensor, False, constant, np.ones(classes), np.zeros(classes))
        head = self.head(first)
        if operator in ("Mul", "Div") and constant.size in (1, len(head.bias)):
            factor = constant.reshape(-1) if operator == "Mul" else 1 / constant.reshape(-1)
            return replace(head, factors=head.factors * factor, bias=head.bias * factor)
        if operator in ("Add", "Sub") and constant.size in (1, len(head.bias)):
            sign = 1 if operator == "Add" else -1
            return replace(head, bias=head.bias + sign * constant.reshape(-1))
        raise NotLinear(f"{operator} stands between features and scores")

    def _gemm(self, node: Message) -> LinearHead:
        inputs = [text_of(name) for name in node["input"]]
        weights = self.constant(inputs[1])
        if weights is None or _attribute(node, "transA", 0):
            raise NotLinear("the weights of the head are computed")
        transposed = bool(_attribute(node, "transB", 0))
        weights = weights.astype(np.float64).T if transposed else weights.astype(np.float64)
        factors = np.full(weights.shape[1], _attribute(node, "alpha", 1.0))
        bias = np.zeros(weights.shape[1])
        if len(inputs) > 2 and inputs[2]:
            stated = self.constant(inputs[2])
            if stated is None or stated.size not in (1, len(bias)):
                raise NotLinear("the bias of the head is computed")
            bias = bias + stated.astype(np.float64).reshape(-1) * _attribute(node, "beta", 1.0)
        return LinearHead(inputs[0], inputs[1], transposed, weights, factors, bias)

    def _operands(self, node: Message) -> tuple[str, FloatArray]:
        """The computed operand and the stated one of an operator of two."""
        names = [text_of(name) for name in node["input"]]
        stated = [self.constant(name) for name in names]
        operator = _operator(node)
        if len(names) == 2 and stated[0] is None and stated[1] is not None:
            return names[0], stated[1].astype(np.float64)
        if len(names) == 2 and stated[1] is None and stated[0] is not None and operator in ("Mul", "Add"):
            return names[1], stated[0].astype(np.float64)
        raise NotLinear(f"{operator} stands between maps and scores")

    def parts(self, name: str) -> Iterator[Pooled]:
        """The pooled maps that a vector of features is put together from, in order."""
        node = self._makers.get(name)
        if node is None:
            raise NotLinear(f"nothing makes the features {name!r}")
        operator = _operator(node)
        inputs = [text_of(given) for given in node["input"]]
        if operator in _POOLS:
            yield self._pooled(node, inputs)
        elif operator == "Concat" and _attribute(node, "axis", 0) in (1, -1):
            for given in inputs:
                yield from self.parts(given)
        elif operator in _SAME_VALUES:
            yield from self.parts(inputs[0])
        elif operator == "Einsum":
            yield from self._averaged(node, inputs)
        elif operator in ("Mul", "Div"):
            given, constant = self._operands(node)
            if constant.size != 1:
                raise NotLinear("parts of the features are multiplied one by one")
            factor = constant.item() if operator == "Mul" else 1 / constant.item()
            yield from (replace(part, scale=part.scale * factor) for part in self.parts(given))
        else:
            raise NotLinear(f"{operator} stands between maps and scores")

    def _pooled(self, node: Message, inputs: Sequence[str]) -> Pooled:
        operator = _operator(node)
        if operator.startswith("Global"):
            return Pooled(inputs[0], _POOLS[operator], (2, 3))
        stated = self.constant(inputs[1]) if len(inputs) > 1 else None
        axes = integers(_attribute(node, "axes", [])) if stated is None else stated.reshape(-1).tolist()
        places = tuple(sorted({-2: 2, -1: 3}.get(int(axis), int(axis)) for axis in axes))
        if places not in ((2, 3), (1, 2), (1,)):
            raise NotLinear(f"a map is pooled over its axes {axes}")
        return Pooled(inputs[0], _POOLS[operator], places)

    def _averaged(self, node: Message, inputs: Sequence[str]) -> Iterator[Pooled]:
        weights = self.constant(inputs[0])
        equation = bytes(_attribute(node, "equation", b"")).replace(b" ", b"")
        if weights is None or weights.ndim != 1 or equation != b"v,vbf->bf":
            raise NotLinear("Einsum stands between maps and scores")
        views = tuple(float(weight) for weight in weights)
        for part in self.parts(inputs[1]):
            if part.views:
                raise NotLinear("views are averaged twice")
            yield replace(part, views=views)

    def stacked(self, name: str, views: int) -> str:
        """The tensor before a map in which so many views of the images are stacked."""
        waiting, seen = [name], {name}
        while waiting and len(seen) < MOST_NODES:
            node = self._makers.get(waiting.pop(0))
            if node is None:
                continue
            if (
                _operator(node) == "Concat"
                and _attribute(node, "axis", 0) == 0
                and len(node["input"]) == views
            ):
                return text_of(node["output"][0])
            before = [text_of(given) for given in node["input"]]
            waiting += [given for given in before if given not in seen]
            seen.update(before)
        raise NotLinear("the views of an image are stacked in no place that is recognised")


def _operator(node: Message) -> str:
    return text_of(node.get("op_type", b""))


def _attribute(node: Message, name: str, default: Any) -> Any:
    """A number, text or list of an operator's attributes."""
    for attribute in node["attribute"]:
        if text_of(attribute.get("name", b"")) == name:
            return next((attribute[key] for key in ("i", "f", "s") if key in attribute), attribute["ints"])
    return default


def _shaped(tensor: Message) -> NDArray[Any]:
    return tensor_values(tensor).reshape(integers(tensor["dims"]))
