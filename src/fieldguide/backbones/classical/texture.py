"""Texture: histograms of uniform local binary patterns, as scikit-image computes them.

Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and rotation invariant texture classification with
local binary patterns" (IEEE PAMI 2002).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.classical.cells import FeaturePart, Piece, in_cells, joined

_GREY = """
    {name}_grey = Cast <to: int = 11> (grey)
    {name}_padded = Pad ({name}_grey, [0, 0, {radius}, {radius}, 0, 0, {radius}, {radius}])"""

_MOVED = """
    {target} = Slice ({source}, [{start}], [{end}], [{axis}])"""

_INTERPOLATED = """
    {target}_one = Slice ({source}, [{start}], [{end}], [{axis}])
    {target}_next = Slice ({source}, [{next_start}], [{next_end}], [{axis}])
    {target}_one_part = Mul ({target}_one, {target}_one_share)
    {target}_next_part = Mul ({target}_next, {target}_next_share)
    {target} = Add ({target}_one_part, {target}_next_part)"""

_COMPARED = """
    {name}_brighter_{point} = GreaterOrEqual ({name}_neighbour_{point}, {name}_grey)"""

# Neighbours that follow each other are compared, but not the last with the first: scikit-image's definition.
_PATTERNS = """
    {name}_is_brighter = Concat <axis: int = 1> ({all_brighter})
    {name}_former = Slice ({name}_is_brighter, [0], [{last}], [1])
    {name}_latter = Slice ({name}_is_brighter, [1], [{points}], [1])
    {name}_differ = Xor ({name}_former, {name}_latter)
    {name}_differences = Cast <to: int = 1> ({name}_differ)
    {name}_changes = ReduceSum <keepdims: int = 1> ({name}_differences, [1])
    {name}_is_uniform = LessOrEqual ({name}_changes, 2.0)
    {name}_brighter = Cast <to: int = 1> ({name}_is_brighter)
    {name}_count = ReduceSum <keepdims: int = 1> ({name}_brighter, [1])
    {name}_patterns = Where ({name}_is_uniform, {name}_count, {not_uniform}.0)"""

_COUNTED = """
    {name}_alone = Reshape ({name}_cells, [0, {cells}, 1, {pixels}])
    {name}_is_kind = Equal ({name}_alone, {name}_kinds)
    {name}_kind = Cast <to: int = 1> ({name}_is_kind)
    {name}_shares = ReduceMean <keepdims: int = 0> ({name}_kind, [3])
    {name}_features = Reshape ({name}_shares, [0, {width}])"""


def binary_patterns(size: int, points: int, radius: int, cells: int) -> FeaturePart:
    """``skimage.feature.local_binary_pattern(grey, points, radius, "uniform")``, counted in a grid of cells.

    A pixel is compared with `points` neighbours on a circle, interpolated between pixels. On even surfaces
    the last bit of that interpolation decides, so it is done in double precision and in the same order as in
    scikit-image; only so are the patterns the same on every image.

    Parameters
    ----------
    size
        Side of the images in pixels, a multiple of `cells`.
    points, radius
        Of the circle; radius in pixels.
    cells
        Cells along the side of the grid.

    Returns
    -------
    FeaturePart
        From `grey` to shares of the patterns 0 to points + 1, cell by cell.
    """
    name, kinds, width = f"texture_{points}_{radius}", points + 2, (points + 2) * cells**2
    patterns = _PATTERNS.format(
        name=name,
        all_brighter=", ".join(f"{name}_brighter_{point}" for point in range(points)),
        last=points - 1,
        points=points,
        not_uniform=points + 1,
    )
    counted = _COUNTED.format(name=name, cells=cells**2, pixels=(size // cells) ** 2, width=width)
    piece = joined(
        _circle(name, size, points, radius),
        Piece(patterns + in_cells(f"{name}_patterns", f"{name}_cells", 1, size, cells) + counted),
        Piece("", {f"{name}_kinds": np.arange(kinds, dtype=np.float32).reshape(-1, 1)}),
    )
    return FeaturePart(
        piece.nodes, piece.constants, f"{name}_features", (f"texture:{points}@{radius}", width)
    )


def _circle(name: str, size: int, points: int, radius: int) -> Piece:
    """Nodes from `grey` to whether each neighbour is at least as bright, one value a point."""
    angles = 2 * np.pi * np.arange(points) / points
    downs = np.round(-radius * np.sin(angles), 5).tolist()
    acrosses = np.round(radius * np.cos(angles), 5).tolist()
    padded, pieces = _Axis(size, radius), [Piece(_GREY.format(name=name, radius=radius))]
    # Neighbours that lie as far across share what is interpolated along the rows.
    columns = {across: f"{name}_column_{number}" for number, across in enumerate(sorted(set(acrosses)))}
    for across, column in columns.items():
        pieces.append(_moved(f"{name}_padded", column, padded, 3, across))
    for point, (down, across) in enumerate(zip(downs, acrosses, strict=True)):
        pieces.append(_moved(columns[across], f"{name}_neighbour_{point}", padded, 2, down))
        pieces.append(Piece(_COMPARED.format(name=name, point=point)))
    return joined(*pieces)


class _Axis(NamedTuple):
    """Rows or columns of a padded image."""

    size: int
    """Pixels of the image itself."""
    before: int
    """Pixels added before and after it."""


def _moved(source: str, target: str, along: _Axis, axis: int, offset: float) -> Piece:
    """Nodes that interpolate along one axis, at an offset from every pixel."""
    start = along.before + math.floor(offset)
    end = start + along.size
    places = {"source": source, "target": target, "axis": axis, "start": start, "end": end}
    shares = _shares(along.size, offset)
    if not shares.any():
        return Piece(_MOVED.format(**places))
    nodes = _INTERPOLATED.format(**places, next_start=start + 1, next_end=end + 1)
    shape = (1, -1) if axis == 3 else (-1, 1)
    return Piece(
        nodes,
        {f"{target}_one_share": (1 - shares).reshape(shape), f"{target}_next_share": shares.reshape(shape)},
    )


def _shares(size: int, offset: float) -> NDArray[np.float64]:
    """What each pixel takes of the second of two neighbours, rounded as the sum with its place is."""
    places = np.arange(size) + offset
    return np.asarray(places - (np.arange(size) + math.floor(offset)), dtype=np.float64)
