"""Contact sheets: every photo in its place, captions that fit, no metadata."""

import numpy as np
from PIL import Image

from fieldguide.images.contact_sheet import GAP, LINE, LINES, TILE, Caption, contact_sheet


def test_photos_lie_in_rows_of_six(tmp_path):
    for number, colour in enumerate(["red", "lime", "blue"] * 3):
        Image.new("RGB", (300, 300), colour).save(tmp_path / f"{number}.png")
    sheet = contact_sheet([Caption(str(tmp_path / f"{n}.png"), (f"{n}.",)) for n in range(8)])
    step = TILE + LINES * LINE + 2 * GAP
    assert sheet.size == (6 * (TILE + GAP) + GAP, 2 * step + GAP)
    middle = GAP + TILE // 2
    assert sheet.getpixel((middle, middle)) == (255, 0, 0)
    assert sheet.getpixel((middle + TILE + GAP, middle + step)) == (0, 255, 0)
    assert sheet.getpixel((middle + 3 * (TILE + GAP), middle + step)) == (255, 255, 255)


def test_hostile_captions_stay_in_their_place_and_broken_photos_leave_a_grey_square(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    text = "\x1b]0;x\x07\u202e" + "Ж" * 400 + "bad\udcff"
    hostile = contact_sheet([Caption(str(tmp_path / "broken.png"), (text, text, text, text))])
    pixels = np.asarray(hostile)
    assert (pixels[GAP : GAP + TILE, GAP : GAP + TILE] == 0xEE).all()
    assert (pixels[:, GAP + TILE + 4 :] == 255).all()
    assert (pixels[GAP + TILE :, GAP : GAP + TILE] < 200).any()


def test_no_metadata_travels_along(tmp_path):
    exif = Image.Exif()
    exif[0x9286] = "secret place"
    Image.new("RGB", (30, 20), "red").save(tmp_path / "a.jpg", exif=exif, comment=b"secret")
    contact_sheet([Caption(str(tmp_path / "a.jpg"), ())]).save(tmp_path / "sheet.png")
    assert b"secret" not in (tmp_path / "sheet.png").read_bytes()
