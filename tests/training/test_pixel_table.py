"""The images of a data set as one array of pixels."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from fieldguide.images.decoding import open_image
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.training import pixel_table
from fieldguide.training.pixel_table import decode

SHRUNK = Preprocessing(16)


@pytest.fixture
def paths(paint_classes, tmp_path):
    folder = paint_classes(tmp_path / "photos", {"red": 3, "blue": 2})
    (folder / "red" / "000.png").write_bytes(b"<html>")
    return [str(path) for path in sorted(folder.rglob("*.png"))]


def test_rows_are_those_that_can_be_read(paths):
    table = decode(paths, SHRUNK)
    assert table.rows.tolist() == [0, 1, 3, 4]
    assert [(refusal.path, refusal.code) for refusal in table.refused] == [(paths[2], "not_an_image")]
    for row, path in enumerate(np.array(paths)[table.rows].tolist()):
        assert (table.images[row] == SHRUNK.resize(open_image(path))).all()
        assert table.digests[row] == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert len(table.signatures) == 4


def test_many_pixels_lie_in_a_file_and_are_the_same(paths, tmp_path, monkeypatch):
    plain = decode(paths, SHRUNK)
    monkeypatch.setattr(pixel_table, "IN_MEMORY_BYTES", 100)
    table = decode(paths, SHRUNK, folder=tmp_path)
    assert isinstance(table.images, np.memmap)
    assert (table.images == plain.images).all()


def test_no_images_are_an_empty_table_and_progress_ends_at_the_total(paths):
    assert decode([], SHRUNK).images.shape == (0, 16, 16, 3)
    told = []
    decode(paths, SHRUNK, progress=lambda *now: told.append(now))
    assert told[-1] == ("images", 5, 5)
