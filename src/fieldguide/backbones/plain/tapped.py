"""From a network's passage to the features and class scores of a backbone.

The same parts, in the same order and under the same names, as an export of the same network by way of torch
gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from onnx import TensorProto

from fieldguide.backbones.plain.graph import GraphBuilder, Map
from fieldguide.backbones.plain.layers import CLASSIFIER, Layers
from fieldguide.backbones.taps import Pooling, Taps


@dataclass(frozen=True)
class Tapped:
    """A map within the network that may become features."""

    name: str
    """As timm calls the module that gives it."""
    map: Map
    depth: float
    """Share of the network that lies before it, 0 to 1."""


@dataclass(frozen=True)
class Passage:
    """What a network gives on the way from an image to its classifier."""

    tapped: tuple[Tapped, ...]
    """From early to late."""
    final: Map
    """The last map."""
    vector: str | None = None
    """Of shape (batch, width): what the classifier sees; None where that is the mean of the last map."""
    width: int = 0
    """Of `vector`."""


class Network(Protocol):
    """A family of networks with its table filled in."""

    def run(self, graph: GraphBuilder, layers: Layers, image: Map) -> Passage:
        """Write the network behind an image."""


def normalised(graph: GraphBuilder, mean: Sequence[float], std: Sequence[float]) -> Map:
    """Turn `pixels`, uint8 of shape (batch, size, size, 3), into a network's input.

    Parameters
    ----------
    graph
        Where to.
    mean, std
        Of red, green and blue, on the scale 0 to 1.
    """
    first = graph.node("Transpose", ["pixels"], "pixels.channels_first", perm=[0, 3, 1, 2])
    image = graph.node("Cast", [first], "pixels.float", to=TensorProto.FLOAT)
    means, stds = (np.array(values, dtype=np.float64).reshape(1, 3, 1, 1) for values in (mean, std))
    scale = graph.constant("pixels.scale", (1 / (255 * stds)).astype(np.float32))
    shift = graph.constant("pixels.shift", (-means / stds).astype(np.float32))
    scaled = graph.node("Mul", [image, scale], "pixels.scaled")
    return Map(graph.node("Add", [scaled, shift], "image"), 3, graph.size)


def features(graph: GraphBuilder, passage: Passage, taps: Taps) -> tuple[tuple[str, int], ...]:
    """Write `features`, the pooled maps side by side.

    Returns
    -------
    tuple of (str, int)
        Name and width of each part, in order.
    """
    parts = _narrowed(_parts(passage, taps), taps.channels * len(taps.pooling))
    graph.node("Concat", [part.value(graph) for part in parts], "features", axis=1)
    return tuple((part.name, part.width) for part in parts)


def logits(graph: GraphBuilder, passage: Passage, layers: Layers) -> int:
    """Write `logits`, the network's own class scores, and return how many classes it has."""
    classes = layers.width(CLASSIFIER)
    vector = passage.vector or graph.pooled(passage.final, "mean")
    kernel = layers.kernel(CLASSIFIER, (classes, passage.width or passage.final.channels), 0, bias=None)
    inputs = [vector, graph.constant(f"{CLASSIFIER}.weight", kernel.weight)]
    if kernel.bias is not None:
        inputs.append(graph.constant(f"{CLASSIFIER}.bias", kernel.bias))
    graph.node("Gemm", inputs, "logits", transB=1)
    return classes


@dataclass(frozen=True)
class _Part:
    name: str
    width: int
    map: Map | None
    """That is pooled; None where there is a vector already."""
    kind: Pooling = "mean"
    vector: str = ""

    def repeats(self, other: "_Part") -> bool:
        """Whether both are the same numbers; of a single place mean and maximum are the same."""
        if self.map is None or self.map != other.map:
            return False
        return self.kind == other.kind or self.map.side == 1

    def value(self, graph: GraphBuilder) -> str:
        return self.vector if self.map is None else graph.pooled(self.map, self.kind)


def _parts(passage: Passage, taps: Taps) -> list[_Part]:
    """All parts, but for what repeats an earlier one, as the mean of a ResNet's last map does."""
    earlier = [
        _Part(f"{tapped.name}:{kind}", tapped.map.channels, tapped.map, kind)
        for tapped in passage.tapped
        if tapped.depth >= taps.since
        for kind in taps.pooling
    ]
    last = _final_parts(passage, taps)
    return [*earlier, *(part for part in last if not any(part.repeats(one) for one in earlier))]


def _final_parts(passage: Passage, taps: Taps) -> Iterator[_Part]:
    for kind in taps.final_pooling:
        if kind != "mean":
            yield _Part(f"final:{kind}", passage.final.channels, passage.final, kind)
        elif passage.vector is not None:
            yield _Part("final", passage.width, None, vector=passage.vector)
        else:
            yield _Part("final", passage.final.channels, passage.final)


def _narrowed(parts: list[_Part], limit: int) -> list[_Part]:
    """Drop the earliest parts while all together are wider than `limit`; the last always stays."""
    while len(parts) > 1 and sum(part.width for part in parts) > limit:
        parts = parts[1:]
    return parts
