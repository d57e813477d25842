"""VGG, networks of small convolutions one after another.

K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
https://arxiv.org/abs/1409.1556.

The linear layers of the paper are convolutions here, as in timm, so that images may be of any size: where the
last map is larger than their 7 × 7, their results are averaged; where it is smaller, it is enlarged first.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fieldguide.backbones.plain.graph import FloatArray, GraphBuilder, Map
from fieldguide.backbones.plain.layers import CLASSIFIER, Layers
from fieldguide.backbones.plain.tapped import Passage, Tapped

HIDDEN = ("hidden1", "hidden2")
_SIDE = 7


@dataclass(frozen=True)
class Vgg:
    """A network: stages of 3 × 3 convolutions, each followed by max pooling; three linear layers."""

    stages: tuple[tuple[int, ...], ...]
    """Channels of each convolution of each stage."""
    batch_norm: bool = False
    epsilon: float = 1e-5
    """Of the batch norms."""

    def places(self) -> Iterator[tuple[str, int]]:
        """The place of each convolution, with its number in torchvision's list of modules."""
        number = 0
        for stage, widths in enumerate(self.stages, 1):
            for index, _ in enumerate(widths, 1):
                yield f"stage{stage}.{index}", number
                number += 3 if self.batch_norm else 2
            number += 1

    def run(self, graph: GraphBuilder, layers: Layers, image: Map) -> Passage:
        """Write the network behind an image."""
        current, tapped, numbers = image, [], dict(self.places())
        levels = len(self.stages) + 1
        for stage, widths in enumerate(self.stages, 1):
            for index, width in enumerate(widths, 1):
                place = f"stage{stage}.{index}"
                kernel = layers.kernel(place, (width, current.channels, 3, 3), self.epsilon, bias=True)
                current = graph.activation(graph.convolution(current, place, kernel), "relu")
            module = numbers[place] + (2 if self.batch_norm else 1)
            tapped.append(Tapped(f"features.{module}", current, (stage - 1) / levels))
            current = graph.max_pool(current, size=2, stride=2, padding=0)
        tapped.append(Tapped(f"features.{module + 1}", current, (levels - 1) / levels))
        if not any(layers.has(place) for place in (*HIDDEN, CLASSIFIER)):  # published without its top
            return Passage(tuple(tapped), current)
        hidden = self._hidden(graph, layers, current)
        return Passage(tuple(tapped), current, graph.pooled(hidden, "mean"), hidden.channels)

    def _hidden(self, graph: GraphBuilder, layers: Layers, given: Map) -> Map:
        current = _enlarged(graph, given) if given.side < _SIDE else given
        for place, side in zip(HIDDEN, (_SIDE, 1), strict=True):
            shape = (layers.width(place), current.channels, side, side)
            kernel = layers.kernel(place, shape, self.epsilon, bias=True)
            made = graph.convolution(current, place, kernel, padding="none")
            current = graph.activation(made, "relu")
        return current


def _enlarged(graph: GraphBuilder, given: Map) -> Map:
    """Average a map of fewer places into 7 × 7 (torch's adaptive average pooling)."""
    rows = graph.constant("enlarge.rows", shares(given.side, _SIDE))
    columns = graph.constant("enlarge.columns", shares(given.side, _SIDE).T)
    tall = graph.node("MatMul", [rows, given.name], f"{given.name}.tall")
    return Map(graph.node("MatMul", [tall, columns], f"{given.name}.large"), given.channels, _SIDE)


def shares(given: int, wanted: int) -> FloatArray:
    """The share of each of `given` places in each of `wanted` averages, of shape (wanted, given).

    Average i is taken over the places from floor(i · given / wanted) to ceil((i + 1) · given / wanted).
    """
    result = np.zeros((wanted, given), dtype=np.float32)
    for number in range(wanted):
        start, end = number * given // wanted, math.ceil((number + 1) * given / wanted)
        result[number, start:end] = 1 / (end - start)
    return result
