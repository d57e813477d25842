"""classical/cells.py: numbers among the operands, the grid of cells, grey levels as Pillow's."""

import numpy as np

from classical_reference import grey, noise
from fieldguide.backbones.classical.cells import Piece, grey_levels, in_cells, joined, with_numbers
from onnx_piece import planes, run


def test_numbers_among_the_operands_become_constants():
    piece = with_numbers(
        """
    cut = Slice (x, [0, 1], [-2, 7], [2, 3])
    half = Mul <some: ints = [1, 2], other: float = 0.5> (cut, 0.5)
    small = Add (half, -1.0e-10)
    again = Add (
        small, 0.5)"""
    )
    assert {name: value.tolist() for name, value in piece.constants.items()} == {
        "number__0_1_": [0, 1],
        "number__minus_2_7_": [-2, 7],
        "number__2_3_": [2, 3],
        "number_0_5": 0.5,
        "number_minus_1_0eminus_10": float(np.float32(-1e-10)),
    }
    assert "<some: ints = [1, 2], other: float = 0.5> (cut, number_0_5)" in piece.nodes
    kinds = {value.dtype for value in piece.constants.values()}
    assert kinds == {np.dtype(np.int64), np.dtype(np.float32)}


def test_pieces_follow_each_other():
    both = joined(Piece("a", {"x": np.ones(1)}), Piece("b", {"y": np.zeros(1)}), Piece("c"))
    assert both.nodes == "abc"
    assert set(both.constants) == {"x", "y"}


def test_a_cell_holds_its_pixels():
    values = np.arange(2 * 3 * 6 * 6, dtype=np.float32).reshape(2, 3, 6, 6)
    found = run([Piece(in_cells("x", "cells", 3, 6, 2))], "float[a, b, c, d] cells", x=values)
    assert found.shape == (2, 3, 4, 9)
    for image in range(2):
        for number, (row, column) in enumerate(np.ndindex(2, 2)):
            square = values[image, 1, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
            assert found[image, 1, number].tolist() == square.ravel().tolist()


def test_grey_levels_are_pillows():
    image = noise(96)
    found = run([grey_levels()], "float[a, b, c, d] grey", planes=planes(image))
    assert (found[0, 0] == grey(image)).all()


def test_grey_levels_of_every_red_and_blue():
    levels = np.arange(256, dtype=np.uint8)
    image = np.stack(np.meshgrid(levels, levels[::-1]), axis=-1)
    image = np.concatenate([image, (image[..., :1] ^ image[..., 1:])], axis=-1)
    found = run([grey_levels()], "float[a, b, c, d] grey", planes=planes(image))
    assert (found[0, 0] == grey(image)).all()
