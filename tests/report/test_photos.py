"""The photos of a report: read again, without metadata, an empty frame where one went."""

import io
from pathlib import Path

from PIL import Image

from fieldguide.report.assembly import page_of, write_report
from fieldguide.report.page import render
from hostile_names import gps_photo
from report_made import blocks, material, sections


def test_a_photo_that_went_since_is_an_empty_frame(tmp_path):
    made = material(tmp_path / "photos", each=4)
    for path in made.images.paths:
        Path(path).unlink()
    shots = blocks(sections(made)["examples"], "gallery")[0].shots
    assert shots and not any(shot.image for shot in shots)
    assert b"can no longer be read" in render(page_of(made))


def test_nothing_of_a_photo_but_its_pixels_is_in_the_page(tmp_path):
    made = material(tmp_path / "photos", each=2)
    for path in made.images.paths:
        Path(path).write_bytes(gps_photo())
    out = tmp_path / "report.html"
    write_report(made, out)
    shot = blocks(sections(made)["examples"], "gallery")[0].shots[0]
    with Image.open(io.BytesIO(shot.image)) as opened:
        assert opened.width < opened.height  # lying in the file, upright by its orientation
        assert not opened.getexif() and "exif" not in opened.info
    assert b"SECRET" not in out.read_bytes() and b"SECRET" not in shot.image
