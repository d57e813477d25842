"""Networks of depthwise separable convolutions and inverted residuals: MobileNet V1 to V3, EfficientNet.

A. Howard et al., "MobileNets", https://arxiv.org/abs/1704.04861; M. Sandler et al., "MobileNetV2: Inverted
Residuals and Linear Bottlenecks", https://arxiv.org/abs/1801.04381; A. Howard et al., "Searching for
MobileNetV3", https://arxiv.org/abs/1905.02244; M. Tan and Q. Le, "EfficientNet",
https://arxiv.org/abs/1905.11946.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from fieldguide.backbones.plain.graph import Activation, GraphBuilder, Map, Padding
from fieldguide.backbones.plain.layers import Layers
from fieldguide.backbones.plain.tapped import Passage, Tapped

Kind = Literal["separable", "inverted", "plain"]


@dataclass(frozen=True)
class MobileBlock:
    """One block, or in a stage several alike of which the first has the stride."""

    channels: int
    """It gives."""
    stride: int = 1
    kernel: int = 3
    expansion: float = 6
    """Channels within, as a multiple of those it is given; of inverted residuals."""
    repeats: int = 1
    squeeze: float = 0
    """Share of channels in squeeze-and-excitation (https://arxiv.org/abs/1709.01507); 0 for none."""
    kind: Kind = "inverted"
    activation: Activation | None = None
    """None for the network's own."""


@dataclass(frozen=True)
class InvertedResiduals:
    """A network: a convolution, stages of blocks, a last convolution, mean pooling, a linear classifier."""

    stages: tuple[tuple[MobileBlock, ...], ...]
    stem: int
    """Channels of the first convolution."""
    head: int
    """Channels of the last 1 × 1 convolution; 0 for none."""
    activation: Activation = "relu6"
    epsilon: float = 1e-5
    """Of the batch norms."""
    padding: Padding = "symmetric"
    stem_padding: Padding | None = None
    """Of the first convolution, where it differs."""
    gate: tuple[Activation, Activation] = ("silu", "sigmoid")
    """Functions within squeeze-and-excitation: between its layers, and of its factors."""
    squeeze_expanded: bool = False
    """Whether `squeeze` is a share of a block's inner channels, rounded to eights, or of its input's."""
    head_after_pooling: bool = False
    """Whether the last convolution has a bias instead of a norm, and sees the pooled map (MobileNetV3)."""
    separable_activation: bool = False
    """Whether separable blocks end in an activation, and have no shortcut (MobileNet V1)."""

    def blocks(self) -> Iterator[tuple[str, MobileBlock]]:
        """Every single block with its place, in order."""
        for stage, members in enumerate(self.stages):
            single = [
                replace(block, stride=1 if index else block.stride, repeats=1)
                for block in members
                for index in range(block.repeats)
            ]
            yield from ((f"blocks.{stage}.{index}", block) for index, block in enumerate(single))

    def run(self, graph: GraphBuilder, layers: Layers, image: Map) -> Passage:
        """Write the network behind an image."""
        kernel = layers.kernel("stem", (self.stem, image.channels, 3, 3), self.epsilon)
        stem = graph.convolution(image, "stem", kernel, 2, self.stem_padding or self.padding)
        current, tapped = graph.activation(stem, self.activation), []
        for place, block in self.blocks():
            current = _InvertedBlock(self, graph, layers, place, block).run(current)
            tapped.append(Tapped(place, current, int(place.split(".")[1]) / len(self.stages)))
        if self.head_after_pooling:
            pooled = Map(graph.pooled(current, "mean", keep=True), current.channels, 1)
            vector = graph.flat(self._head(graph, layers, pooled, bias=True))
            return Passage(tuple(tapped), current, vector, self.head)
        final = self._head(graph, layers, current, bias=False) if self.head else current
        return Passage(tuple(tapped), final)

    def _head(self, graph: GraphBuilder, layers: Layers, given: Map, bias: bool) -> Map:
        kernel = layers.kernel("head", (self.head, given.channels, 1, 1), self.epsilon, bias)
        return graph.activation(graph.convolution(given, "head", kernel), self.activation)


@dataclass(frozen=True)
class _InvertedBlock:
    network: InvertedResiduals
    graph: GraphBuilder
    layers: Layers
    place: str
    block: MobileBlock

    def run(self, given: Map) -> Map:
        block, network = self.block, self.network
        last = block.activation or network.activation
        if block.kind == "plain":
            shape = (block.channels, given.channels, block.kernel, block.kernel)
            return self._layer(given, "plain", shape, last)
        inner = given
        if block.kind == "inverted":
            width = rounded(given.channels * block.expansion)
            inner = self._layer(given, "expand", (width, given.channels, 1, 1), last)
        shape = (inner.channels, 1, block.kernel, block.kernel)
        inner = self._layer(inner, "depthwise", shape, last)
        if block.squeeze:
            inner = self._squeezed(inner, given.channels)
        acts = network.separable_activation and block.kind == "separable"
        shape = (block.channels, inner.channels, 1, 1)
        result = self._layer(inner, "project", shape, last if acts else "none")
        if acts or block.stride > 1 or result.channels != given.channels:
            return result
        return self.graph.add(result, given, self.place)

    def _layer(self, given: Map, part: str, shape: tuple[int, ...], activation: Activation) -> Map:
        place, stride = f"{self.place}.{part}", self.block.stride if part in ("depthwise", "plain") else 1
        kernel = self.layers.kernel(place, shape, self.network.epsilon)
        made = self.graph.convolution(given, place, kernel, stride, self.network.padding)
        return self.graph.activation(made, activation)

    def _squeezed(self, inner: Map, given: int) -> Map:
        """Multiply each channel by a factor between 0 and 1 that all places of all channels decide."""
        graph, network, share = self.graph, self.network, self.block.squeeze
        width = rounded(inner.channels * share) if network.squeeze_expanded else round(given * share)
        factor = Map(graph.pooled(inner, "mean", keep=True), inner.channels, 1)
        for part, channels, activation in zip(
            ("reduce", "restore"), (width, inner.channels), network.gate, strict=True
        ):
            place = f"{self.place}.squeeze.{part}"
            kernel = self.layers.kernel(place, (channels, factor.channels, 1, 1), network.epsilon, bias=True)
            factor = graph.activation(graph.convolution(factor, place, kernel), activation)
        name = graph.node("Mul", [inner.name, factor.name], f"{self.place}.squeezed")
        return Map(name, inner.channels, inner.side)


def rounded(channels: float) -> int:
    """Round a number of channels to the nearest multiple of eight, by at most a tenth downwards."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def scaled(
    stages: tuple[tuple[MobileBlock, ...], ...], width: float, depth: float, keep_ends: bool
) -> tuple[tuple[MobileBlock, ...], ...]:
    """Widen and deepen a network (EfficientNet's compound scaling).

    Parameters
    ----------
    stages
        To scale, of one kind of block each.
    width, depth
        Factors of channels and of repeats.
    keep_ends
        Whether the first and the last stage keep their repeats (EfficientNet-Lite).
    """
    result = []
    for number, members in enumerate(stages):
        deepen = 1.0 if keep_ends and number in (0, len(stages) - 1) else depth
        result.append(
            tuple(
                replace(
                    block, channels=rounded(block.channels * width), repeats=math.ceil(block.repeats * deepen)
                )
                for block in members
            )
        )
    return tuple(result)
