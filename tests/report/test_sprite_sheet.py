"""Squares of photos side by side in one picture."""

import io

import numpy as np
from PIL import Image

from fieldguide.report.sprite_sheet import GROUND, sheet, tile


def test_a_tile_has_the_proportions_of_its_photo():
    square = tile(np.zeros((32, 32, 3), dtype=np.uint8), 16, (400, 200))
    assert square.shape == (16, 16, 3)
    assert (square[:4] == GROUND).all() and (square[4:12] == 0).all() and (square[12:] == GROUND).all()


def test_a_sheet_holds_its_tiles_row_by_row():
    tiles = [np.full((8, 8, 3), 50 * number, dtype=np.uint8) for number in range(5)]
    made = sheet(tiles)
    assert (made.columns, made.side) == (3, 8)
    with Image.open(io.BytesIO(made.image)) as opened:
        assert opened.size == (24, 16)
        assert abs(int(np.asarray(opened.convert("L"))[12, 12]) - 200) < 12
