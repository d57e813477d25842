"""What edges, texture and colour share: a piece of the graph, a grid of square cells, grey levels.

Nodes are written in ONNX's own text form, in which numbers may stand among the operands here: lists of whole
numbers and, with a decimal point, single ones, as in ``Reshape (x, [0, -1])`` and ``Mul (x, 0.5)``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Constants = Mapping[str, NDArray[Any]]

GREY = (19595, 38470, 7471)
"""Weights of red, green and blue, in 65536ths: those of Pillow's ``convert("L")``."""

# Attributes stand before the operands and may hold lists, too, but no parentheses.
_OPERANDS = re.compile(r"\([^()]*\)$", re.MULTILINE)
_NUMBERS = re.compile(r"\[(?P<list>[^\]]*)\]|(?<=[( ])(?P<single>-?\d+\.\d*(?:e-?\d+)?)(?=[,)])")


@dataclass(frozen=True)
class Piece:
    """Nodes of the graph and the constants that they take."""

    nodes: str
    """In ONNX's text form, with numbers among the operands."""
    constants: Constants = field(default_factory=dict)
    """By name: everything that is more than a number or a list of whole numbers."""


@dataclass(frozen=True)
class FeaturePart(Piece):
    """A piece of the graph that gives some of the features."""

    features: str = ""
    """Name of the value that holds them, float32 of shape (batch, width)."""
    depth: tuple[str, int] = ("", 0)
    """Name and width of the part."""


def joined(*pieces: Piece) -> Piece:
    """One piece after the other."""
    constants: dict[str, NDArray[Any]] = {}
    for piece in pieces:
        constants |= piece.constants
    return Piece("".join(piece.nodes for piece in pieces), constants)


def with_numbers(text: str) -> Piece:
    """Turn the numbers among the operands into constants: lists into int64, single ones into float32."""
    constants: dict[str, NDArray[Any]] = {}

    def named(found: re.Match[str]) -> str:
        name = "number_" + re.sub(r"\W+", "_", found[0].replace("-", "minus_"))
        if found["single"]:
            constants[name] = np.array(float(found["single"]), dtype=np.float32)
        else:
            constants[name] = np.array(found["list"].split(","), dtype=np.int64)
        return name

    nodes = _OPERANDS.sub(lambda operands: _NUMBERS.sub(named, operands[0]), text)
    return Piece(nodes, constants)


def in_cells(source: str, cells: str, planes: int, size: int, count: int) -> str:
    """Nodes that gather the pixels of each cell.

    Parameters
    ----------
    source
        Name of a value of shape (batch, planes, size, size).
    cells
        Name of the result, of shape (batch, planes, count², pixels of a cell).
    planes, size
        Of the source.
    count
        Cells along the side of the grid, a divisor of `size`.
    """
    inside = size // count
    return f"""
    {cells}_apart = Reshape ({source}, [0, {planes}, {count}, {inside}, {count}, {inside}])
    {cells}_in_order = Transpose <perm: ints = [0, 1, 2, 4, 3, 5]> ({cells}_apart)
    {cells} = Reshape ({cells}_in_order, [0, {planes}, {count**2}, {inside**2}])"""


def grey_levels() -> Piece:
    """Nodes from `planes` to `grey`: whole levels 0 to 255, exactly those of ``Image.convert("L")``.

    `planes` are whole levels of red, green and blue as float32, of shape (batch, 3, size, size); so is
    `grey`, of shape (batch, 1, size, size). Weighted sums stay below 2**24: float32 holds them exactly.
    """
    nodes = """
    grey_parts = Mul (planes, grey_weights)
    grey_sum = ReduceSum <keepdims: int = 1> (grey_parts, [1])
    grey_sum_and_half = Add (grey_sum, 32768.0)
    grey_exact = Div (grey_sum_and_half, 65536.0)
    grey = Floor (grey_exact)"""
    return Piece(nodes, {"grey_weights": np.array(GREY, dtype=np.float32).reshape(3, 1, 1)})
