"""Inception V3: blocks of branches side by side, each a chain of convolutions with batch norm.

C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision",
https://arxiv.org/abs/1512.00567. Names are those that torchvision and timm share.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fieldguide.backbones.plain.graph import GraphBuilder, Map
from fieldguide.backbones.plain.layers import Layers
from fieldguide.backbones.plain.tapped import Passage, Tapped

UNUSED = ("AuxLogits.",)
"""Beginning of the names of a second classifier that helps training alone."""


@dataclass(frozen=True)
class Unit:
    """A convolution with batch norm and ReLU."""

    name: str
    """In its block, or in the network."""
    channels: int
    """It gives."""
    rows: int = 1
    """Of the kernel; with `columns` its size."""
    columns: int = 1
    stride: int = 1
    padded: bool = True
    """Whether a map keeps its size; else its margins are lost."""


@dataclass(frozen=True)
class Branch:
    """A chain of convolutions; its last ones see the same map, and their results stand one after another."""

    chain: tuple[Unit, ...] = ()
    ends: tuple[Unit, ...] = ()
    pooled: Literal["mean", "max"] | None = None
    """What comes before the chain: means of 3 × 3 at each place, or maxima at every other."""

    @property
    def units(self) -> tuple[Unit, ...]:
        """All convolutions, in order."""
        return self.chain + self.ends


@dataclass(frozen=True)
class InceptionBlock:
    """Branches side by side."""

    name: str
    branches: tuple[Branch, ...]
    listed: tuple[int, ...]
    """The order of its convolutions in Keras's list of layers, which goes by distance from the image."""

    @property
    def units(self) -> tuple[Unit, ...]:
        """All convolutions, in order."""
        return tuple(unit for branch in self.branches for unit in branch.units)


def _block_a(name: str, pooled: int) -> InceptionBlock:
    return InceptionBlock(
        name,
        (
            Branch((Unit("branch1x1", 64),)),
            Branch((Unit("branch5x5_1", 48), Unit("branch5x5_2", 64, 5, 5))),
            Branch(_double(64, 96)),
            Branch((Unit("branch_pool", pooled),), pooled="mean"),
        ),
        (3, 1, 4, 0, 2, 5, 6),
    )


def _block_b(name: str) -> InceptionBlock:
    return InceptionBlock(
        name,
        (
            Branch((_halving("branch3x3", 384),)),
            Branch((*_double(64, 96)[:2], _halving("branch3x3dbl_3", 96))),
            Branch(pooled="max"),
        ),
        (1, 2, 0, 3),
    )


def _block_c(name: str, inner: int) -> InceptionBlock:
    widths = (inner, inner, inner, inner, 192)
    sides = ((1, 1), (7, 1), (1, 7), (7, 1), (1, 7))
    double = (
        Unit(f"branch7x7dbl_{number}", width, *side)
        for number, (width, side) in enumerate(zip(widths, sides, strict=True), 1)
    )
    single = (
        Unit("branch7x7_1", inner),
        Unit("branch7x7_2", inner, 1, 7),
        Unit("branch7x7_3", 192, 7, 1),
    )
    return InceptionBlock(
        name,
        (
            Branch((Unit("branch1x1", 192),)),
            Branch(single),
            Branch(tuple(double)),
            Branch((Unit("branch_pool", 192),), pooled="mean"),
        ),
        (4, 5, 1, 6, 2, 7, 0, 3, 8, 9),
    )


def _block_d(name: str) -> InceptionBlock:
    first = (
        Unit("branch7x7x3_1", 192),
        Unit("branch7x7x3_2", 192, 1, 7),
        Unit("branch7x7x3_3", 192, 7, 1),
        _halving("branch7x7x3_4", 192),
    )
    return InceptionBlock(
        name,
        (
            Branch((Unit("branch3x3_1", 192), _halving("branch3x3_2", 320))),
            Branch(first),
            Branch(pooled="max"),
        ),
        (2, 3, 0, 4, 1, 5),
    )


def _block_e(name: str) -> InceptionBlock:
    return InceptionBlock(
        name,
        (
            Branch((Unit("branch1x1", 320),)),
            Branch((Unit("branch3x3_1", 384),), _split("branch3x3_2")),
            Branch(
                (Unit("branch3x3dbl_1", 448), Unit("branch3x3dbl_2", 384, 3, 3)), _split("branch3x3dbl_3")
            ),
            Branch((Unit("branch_pool", 192),), pooled="mean"),
        ),
        (4, 1, 5, 2, 3, 6, 7, 0, 8),
    )


def _halving(name: str, channels: int) -> Unit:
    return Unit(name, channels, 3, 3, stride=2, padded=False)


def _double(first: int, channels: int) -> tuple[Unit, ...]:
    name = "branch3x3dbl"
    return (
        Unit(f"{name}_1", first),
        Unit(f"{name}_2", channels, 3, 3),
        Unit(f"{name}_3", channels, 3, 3),
    )


def _split(name: str) -> tuple[Unit, Unit]:
    return Unit(f"{name}a", 384, 1, 3), Unit(f"{name}b", 384, 3, 1)


_FIRST = (
    Unit("Conv2d_1a_3x3", 32, 3, 3, stride=2, padded=False),
    Unit("Conv2d_2a_3x3", 32, 3, 3, padded=False),
    Unit("Conv2d_2b_3x3", 64, 3, 3),
)
_SECOND = (Unit("Conv2d_3b_1x1", 80), Unit("Conv2d_4a_3x3", 192, 3, 3, padded=False))
BLOCKS = (
    _block_a("Mixed_5b", 32),
    _block_a("Mixed_5c", 64),
    _block_a("Mixed_5d", 64),
    _block_b("Mixed_6a"),
    _block_c("Mixed_6b", 128),
    _block_c("Mixed_6c", 160),
    _block_c("Mixed_6d", 160),
    _block_c("Mixed_6e", 192),
    _block_d("Mixed_7a"),
    _block_e("Mixed_7b"),
    _block_e("Mixed_7c"),
)
_TAPPED = ("Conv2d_2b_3x3", "Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c")
SMALLEST = 75
"""Side in pixels of the smallest image of which anything is left at the end."""


@dataclass(frozen=True)
class InceptionV3:
    """The network: five convolutions, eleven blocks, mean pooling, a linear classifier."""

    margin_counts: bool = True
    """Whether the zeros around a map count in means over 3 × 3 places, as in torch; not so in TensorFlow."""
    epsilon: float = 1e-3
    """Of the batch norms."""

    def places(self) -> Iterator[str]:
        """The place of each convolution, in order."""
        yield from (unit.name for unit in _FIRST + _SECOND)
        yield from (f"{block.name}.{unit.name}" for block in BLOCKS for unit in block.units)

    def listed(self) -> Iterator[str]:
        """The same in the order of Keras's list of layers."""
        yield from (unit.name for unit in _FIRST + _SECOND)
        yield from (f"{block.name}.{block.units[at].name}" for block in BLOCKS for at in block.listed)

    def run(self, graph: GraphBuilder, layers: Layers, image: Map) -> Passage:
        """Write the network behind an image."""
        graph.needs(SMALLEST, "Inception V3")
        writing = _Writing(self, graph, layers)
        maps: dict[str, Map] = {}
        maps[_FIRST[-1].name] = writing.chain(image, _FIRST)
        pooled = graph.max_pool(maps[_FIRST[-1].name], size=3, stride=2, padding=0)
        maps[_SECOND[-1].name] = writing.chain(pooled, _SECOND)
        current = graph.max_pool(maps[_SECOND[-1].name], size=3, stride=2, padding=0)
        for block in BLOCKS:
            current = maps[block.name] = writing.block(current, block)
        tapped = (Tapped(name, maps[name], at / len(_TAPPED)) for at, name in enumerate(_TAPPED))
        return Passage(tuple(tapped), current)


@dataclass(frozen=True)
class _Writing:
    network: InceptionV3
    graph: GraphBuilder
    layers: Layers

    def block(self, given: Map, block: InceptionBlock) -> Map:
        parts = [part for branch in block.branches for part in self._branch(given, branch, block.name)]
        return self.graph.side_by_side(parts, block.name)

    def chain(self, given: Map, units: Sequence[Unit], prefix: str = "") -> Map:
        for unit in units:
            given = self._unit(given, unit, prefix)
        return given

    def _branch(self, given: Map, branch: Branch, name: str) -> list[Map]:
        if branch.pooled == "max":
            given = self.graph.max_pool(given, size=3, stride=2, padding=0)
        elif branch.pooled == "mean":
            given = self.graph.mean_around(given, self.network.margin_counts)
        current = self.chain(given, branch.chain, f"{name}.")
        return [self._unit(current, unit, f"{name}.") for unit in branch.ends] or [current]

    def _unit(self, given: Map, unit: Unit, prefix: str) -> Map:
        place = prefix + unit.name
        shape = (unit.channels, given.channels, unit.rows, unit.columns)
        kernel = self.layers.kernel(place, shape, self.network.epsilon)
        padding: Literal["symmetric", "none"] = "symmetric" if unit.padded else "none"
        return self.graph.activation(
            self.graph.convolution(given, place, kernel, unit.stride, padding), "relu"
        )
