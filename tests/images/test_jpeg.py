"""The JPEG container: what is kept, and scans without end."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import open_image
from fieldguide.images.jpeg import _coefficient_bytes, read_jpeg
from images_made import BASES, code, exif, photo, saved


def test_a_progressive_jpeg_of_endless_scans_is_refused() -> None:
    data = bytearray(BASES["jpeg-progressive"])
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 4000, 4000)
    last = data.rindex(b"\xff\xda")
    scans = bytes(data[last:-2]) * 100
    assert code(bytes(data[:last]) + scans + b"\xff\xd9") == "bomb"


def test_multi_picture_jpeg_opens_as_its_first_picture() -> None:
    data = saved(photo(), "MPO", save_all=True, append_images=[photo().rotate(90)])
    assert np.array_equal(
        np.asarray(open_image(data)), np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    )


def test_the_decoder_is_given_no_metadata() -> None:
    data = saved(photo(), "JPEG", exif=exif(6), comment=b"SECRET", icc_profile=b"profile " * 9)
    header = read_jpeg(data)
    assert (header.width, header.height, header.orientation) == (61, 47, 6)
    assert not any(word in header.payload for word in (b"Exif", b"SECRET", b"profile"))
    assert header.payload[:2] == b"\xff\xd8" and b"JFIF" in header.payload


def test_a_second_picture_behind_the_first_does_not_change_its_size() -> None:
    header = read_jpeg(BASES["jpeg"] + saved(photo(10, 12), "JPEG"))
    assert (header.width, header.height) == (61, 47)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xff\xd8\xff\xd9" + bytes(9), "it ends before its first scan"),
        (BASES["jpeg"][:30], "ends too early"),
        (BASES["jpeg"][:-2], "ends too early"),
        (BASES["jpeg"].replace(b"\xff\xe0\0\x10", b"\xff\xe0\0\0", 1), "ends too early"),
    ],
)
def test_what_is_missing_is_named(data: bytes, told: str) -> None:
    with pytest.raises(RefusedInput, match=told):
        read_jpeg(data)


def test_a_jpeg_without_a_frame_is_damaged() -> None:
    with pytest.raises(RefusedInput, match="it has no frame header"):
        read_jpeg(BASES["jpeg"].replace(b"\xff\xc0", b"\xff\xfe", 1))


def test_progressive_scans_cost_memory_for_their_coefficients() -> None:
    assert read_jpeg(BASES["jpeg"]).decoder_bytes == 4
    assert read_jpeg(BASES["jpeg-grey"]).decoder_bytes == 1
    assert read_jpeg(BASES["jpeg-progressive"]).decoder_bytes == 4
    assert read_jpeg(BASES["jpeg"]).unscaled_bytes == 0
    assert read_jpeg(BASES["jpeg-progressive"]).unscaled_bytes == 2 * 1.5


def with_frame(change: Callable[[bytes], bytes]) -> bytes:
    """The JPEG with another body of its frame, of which the length is stated anew."""
    data = BASES["jpeg"]
    start = data.index(b"\xff\xc0")
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    body = change(data[start + 4 : end])
    return data[: start + 2] + struct.pack(">H", len(body) + 2) + body + data[end:]


def test_a_frame_must_hold_the_components_that_it_counts() -> None:
    assert read_jpeg(with_frame(lambda body: body)).width == 61
    for change in (lambda body: body[:-1], lambda body: body[:5] + b"\4" + body[6:]):
        with pytest.raises(RefusedInput, match="it has no frame header"):
            read_jpeg(with_frame(change))


def test_a_frame_of_no_components_is_no_division_by_zero() -> None:
    assert _coefficient_bytes(b"\xff\xc2\0\x08\x08\0\1\0\1\0") == 0


def test_the_orientation_may_be_told_in_xmp() -> None:
    packet = b"http://ns.adobe.com/xap/1.0/\0<rdf:Description %s/>"
    first, second = (packet % more for more in (b"", b'tiff:Orientation="8"'))
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in (first, second))
    data = b"\xff\xd8" + segments + BASES["jpeg"][2:]
    assert read_jpeg(data).orientation == 8
    assert read_jpeg(b"\xff\xd8" + segments[: len(first) + 4] + BASES["jpeg"][2:]).orientation == 1
