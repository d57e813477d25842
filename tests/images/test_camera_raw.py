"""Camera raw is read through its preview, whichever way a maker hid it; small writers made the files."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import raw_made
from fieldguide.errors import RefusedInput
from fieldguide.images.camera_raw import MIN_SIDE
from fieldguide.images.decoding import CODES, IMAGE_SUFFIXES, mismatch, open_image
from images_made import BASES, exif, photo, refusal, saved

MADE = {
    "dng": raw_made.dng,
    "dng-big-endian": lambda orientation=1: raw_made.dng(orientation, ">"),
    "nef": raw_made.nef,
    "cr2": raw_made.cr2,
    "rw2": raw_made.rw2,
    "orf": raw_made.orf,
    "cr3": raw_made.cr3,
}
SHOWN = np.asarray(open_image(raw_made.PREVIEW))


@pytest.mark.parametrize("name", [*MADE, "raf"])
def test_the_preview_is_what_is_read(name: str, tmp_path: Path) -> None:
    data = raw_made.raf() if name == "raf" else MADE[name]()
    path = tmp_path / f"photo.{name[:3]}"
    path.write_bytes(data)
    assert np.array_equal(np.asarray(open_image(path)), SHOWN)
    assert path.suffix in IMAGE_SUFFIXES
    assert mismatch(str(path), data) is None


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("orientation", [3, 6])
def test_the_raw_files_orientation_turns_it(name: str, orientation: int) -> None:
    turned = np.rot90(SHOWN, 2 if orientation == 3 else -1)
    assert np.array_equal(np.asarray(open_image(MADE[name](orientation))), turned)


def test_fujifilms_orientation_is_the_previews_own() -> None:
    preview = saved(photo(320, 240), "JPEG", exif=exif(6))
    assert open_image(raw_made.raf(preview)).size == (240, 320)


def test_raw_under_the_name_of_a_tiff_is_still_raw() -> None:
    assert np.array_equal(np.asarray(open_image(raw_made.nef())), SHOWN)
    assert "camera raw" in str(mismatch("a.tif", raw_made.raf()))


def test_an_ordinary_tiff_with_a_preview_below_is_read_as_itself() -> None:
    assert open_image(BASES["tiff"]).size == (61, 47)


@pytest.mark.parametrize(
    "data",
    [
        raw_made.dng(preview=raw_made.ICON),
        raw_made.raf(raw_made.ICON),
        raw_made.dng(preview=b"no JPEG at all"),
        b"II*\0\x10\0\0\0CR\x02\0" + bytes(60),
        raw_made.nef().replace(struct.pack("<HHII", 513, 4, 1, 0)[:4], b"\x99\x99\x04\0"),
    ],
    ids=["dng", "raf", "not a JPEG", "empty CR2", "no tag"],
)
def test_without_a_large_preview_it_is_refused_and_says_what_to_do(data: bytes) -> None:
    error = refusal(data)
    assert error.code == "unsupported_format"
    assert "camera raw" in error.message
    assert f"no JPEG preview of {MIN_SIDE} pixels" in error.message
    assert "develop it to JPEG" in error.message


def test_lossless_jpeg_of_the_sensor_is_no_preview() -> None:
    lossless = raw_made.PREVIEW.replace(b"\xff\xc0", b"\xff\xc3", 1)
    assert refusal(raw_made.dng(preview=lossless)).code == "unsupported_format"


@pytest.mark.parametrize("data", [raw_made.dng(), raw_made.nef(), raw_made.cr2(), raw_made.raf()])
def test_a_preview_that_is_cut_off_is_refused(data: bytes) -> None:
    cut = data[: data.index(raw_made.PREVIEW) + len(raw_made.PREVIEW) // 2]
    assert refusal(cut).code == "truncated"


def test_a_huge_preview_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", None)
    at = raw_made.PREVIEW.index(b"\xff\xc0")
    huge = raw_made.PREVIEW[: at + 5] + struct.pack(">HH", 65000, 65000) + raw_made.PREVIEW[at + 9 :]
    assert refusal(raw_made.dng(preview=huge)).code == "too_many_pixels"


def test_directories_that_go_in_a_circle_end() -> None:
    data = raw_made.nef()
    first = struct.unpack_from("<I", data, 4)[0]
    below = data.index(struct.pack("<HH", 513, 4))
    end = below + 24
    looped = data[:end] + struct.pack("<I", first) + data[end + 4 :]
    assert np.array_equal(np.asarray(open_image(looped)), SHOWN)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(sorted(MADE)), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=6)
)
def test_spoilt_headers_are_read_or_refused(name: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(MADE[name]())
    for at, value in changes:
        data[at] = value
    try:
        image = open_image(bytes(data))
    except RefusedInput as error:
        assert error.code in CODES
    else:
        assert image.mode == "RGB"


def test_an_orientation_of_eight_is_the_last_and_what_is_none_leaves_the_previews_own():
    assert np.array_equal(np.asarray(open_image(raw_made.dng(8))), np.rot90(SHOWN, 1))
    preview = saved(photo(320, 240), "JPEG", exif=exif(3))
    assert np.array_equal(
        np.asarray(open_image(raw_made.dng(9, preview=preview))),
        np.rot90(np.asarray(open_image(saved(photo(320, 240), "JPEG"))), 2),
    )


def test_of_several_previews_the_one_with_most_pixels_is_read():
    tall, wide = (saved(photo(*size), "JPEG") for size in ((220, 400), (500, 210)))
    shown = [{254: 1, 259: 6, 513: -number, 514: len(data)} for number, data in ((4, tall), (5, wide))]
    for order in (shown, shown[::-1]):
        data = raw_made.tiff_of([{50706: 1}, *order], {-4: tall, -5: wide})
        assert open_image(data).size == (500, 210)


def test_a_damaged_directory_is_passed_over_and_those_that_follow_are_read():
    icon = {254: 1, 259: 1, 262: 32803}
    shown = {259: 6, 513: raw_made.JPEG_AT, 514: len(raw_made.PREVIEW)}
    made = raw_made.tiff_of([icon, {254: 1}, shown], {raw_made.JPEG_AT: raw_made.PREVIEW})
    below = made.index(struct.pack("<HHI", 330, 4, 2))
    first = struct.unpack_from("<I", made, below + 8)[0]
    place = struct.unpack_from("<I", made, first)[0]  # of the first of the two below
    damaged = made[:place] + struct.pack("<H", 60_000) + made[place + 2 :]
    assert np.array_equal(np.asarray(open_image(damaged)), SHOWN)
    circle = made[:first] + made[4:8] + made[first + 4 :]
    assert np.array_equal(np.asarray(open_image(circle)), SHOWN)
    # One after another instead of below the first, as Pentax and Canon have them.
    chained = bytearray(raw_made.tiff_of([icon], {}) + raw_made.PREVIEW)
    at, start = len(chained), struct.unpack_from("<I", chained, 4)[0]
    struct.pack_into("<I", chained, start + 2 + 12 * len(icon), at)
    for number, (tag, value) in enumerate(
        {259: 6, 513: at - len(raw_made.PREVIEW), 514: len(raw_made.PREVIEW)}.items()
    ):
        if number == 0:
            chained += struct.pack("<H", 3)
        chained += struct.pack("<HHII", tag, 4, 1, value)
    chained += bytes(4)
    assert np.array_equal(np.asarray(open_image(bytes(chained))), SHOWN)


def test_a_file_cut_off_at_the_beginning_of_its_preview_is_truncated():
    data = raw_made.nef()
    at = data.index(raw_made.PREVIEW)
    assert refusal(data[: at + 10]).code == "truncated"
    # What lies wholly elsewhere is only nonsense.
    astray = data[: at + 4000].replace(
        struct.pack("<HHII", 513, 4, 1, at), struct.pack("<HHII", 513, 4, 1, 2**31)
    )
    assert refusal(astray).code == "unsupported_format"
