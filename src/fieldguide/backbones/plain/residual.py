"""ResNets: K. He et al., "Deep Residual Learning for Image Recognition", https://arxiv.org/abs/1512.03385.

ResNeXt (https://arxiv.org/abs/1611.05431) and wide ResNets (https://arxiv.org/abs/1605.07146) are the same
with other widths.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fieldguide.backbones.plain.graph import GraphBuilder, Map
from fieldguide.backbones.plain.layers import Layers, Shape
from fieldguide.backbones.plain.tapped import Passage, Tapped

_STEM = 64
_WIDTHS = (64, 128, 256, 512)


@dataclass(frozen=True)
class ResidualNetwork:
    """A network: a convolution, max pooling, four stages of blocks, mean pooling, a linear classifier."""

    blocks: tuple[int, int, int, int]
    """Of each stage."""
    bottleneck: bool = True
    """Whether a block is 1 × 1, 3 × 3, 1 × 1, or twice 3 × 3."""
    groups: int = 1
    """Of the bottleneck's 3 × 3 convolution."""
    group_width: int = 64
    """Channels of a group in the first stage."""
    epsilon: float = 1e-5
    """Of the batch norms."""
    stride_first: bool = False
    """Whether a bottleneck's stride is in its first convolution, as in the paper, instead of the second."""
    bias: bool = False
    """Whether convolutions have a bias."""

    def places(self) -> Iterator[tuple[str, bool]]:
        """The place of each block, and whether its shortcut has a convolution."""
        for stage, count in enumerate(self.blocks, 1):
            for number in range(count):
                yield f"layer{stage}.{number}", number == 0 and (self.bottleneck or stage > 1)

    def run(self, graph: GraphBuilder, layers: Layers, image: Map) -> Passage:
        """Write the network behind an image."""
        kernel = layers.kernel("stem", (_STEM, image.channels, 7, 7), self.epsilon, self.bias)
        stem = graph.activation(graph.convolution(image, "stem", kernel, 2), "relu")
        current, tapped = graph.max_pool(stem, size=3, stride=2, padding=1), [Tapped("act1", stem, 0.0)]
        levels = 1 + len(self.blocks)
        shortcuts = dict(self.places())
        for stage, (count, width) in enumerate(zip(self.blocks, _WIDTHS, strict=True), 1):
            for number in range(count):
                place, stride = f"layer{stage}.{number}", 2 if number == 0 and stage > 1 else 1
                block = _ResidualBlock(self, graph, layers, place, stride)
                current = block.run(current, width, shortcuts[place])
            tapped.append(Tapped(f"layer{stage}", current, stage / levels))
        return Passage(tuple(tapped), current)


@dataclass(frozen=True)
class _ResidualBlock:
    network: ResidualNetwork
    graph: GraphBuilder
    layers: Layers
    place: str
    stride: int

    def run(self, given: Map, width: int, shortcut: bool) -> Map:
        inner, result = given, width * 4 if self.network.bottleneck else width
        shapes, strides = self._shapes(given.channels, width, result), self._strides()
        for number, (shape, stride) in enumerate(zip(shapes, strides, strict=True), 1):
            if number > 1:
                inner = self.graph.activation(inner, "relu")
            inner = self._layer(inner, f"conv{number}", shape, stride)
        if shortcut:
            given = self._layer(given, "shortcut", (result, given.channels, 1, 1), self.stride)
        return self.graph.activation(self.graph.add(inner, given, self.place), "relu")

    def _shapes(self, given: int, width: int, result: int) -> tuple[Shape, ...]:
        if not self.network.bottleneck:
            return (width, given, 3, 3), (width, width, 3, 3)
        groups = self.network.groups
        inner = width * self.network.group_width // 64 * groups
        return (inner, given, 1, 1), (inner, inner // groups, 3, 3), (result, inner, 1, 1)

    def _strides(self) -> tuple[int, ...]:
        if not self.network.bottleneck:
            return self.stride, 1
        return (self.stride, 1, 1) if self.network.stride_first else (1, self.stride, 1)

    def _layer(self, given: Map, part: str, shape: Shape, stride: int) -> Map:
        place = f"{self.place}.{part}"
        kernel = self.layers.kernel(place, shape, self.network.epsilon, self.network.bias)
        return self.graph.convolution(given, place, kernel, stride)
