"""The TIFF container: byte orders and depths."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.tiff import read_tiff
from images_made import BASES, exif, levels, photo, saved


def grey_tiff(order: str, bits: int, pixels: bytes) -> bytes:
    """An uncompressed grey TIFF of 256 x 256 pixels."""
    tags = {256: 256, 257: 256, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: 256, 279: len(pixels)}
    # Of type LONG throughout, which readers allow.
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags.items())
    start = b"II*\0" if order == "<" else b"MM\0*"
    directory = struct.pack(order + "H", len(tags)) + entries + bytes(4)
    return start + struct.pack(order + "I", 8 + len(pixels)) + pixels + directory


def test_big_endian_and_twelve_bit_tiff() -> None:
    assert levels(grey_tiff(">", 16, np.arange(65536, dtype=">u2").tobytes())) == 256
    twelve = np.arange(65536) // 16
    pairs = twelve[::2] << 12 | twelve[1::2]
    packed = np.stack([pairs >> 16, pairs >> 8 & 255, pairs & 255], axis=-1).astype(np.uint8)
    assert levels(grey_tiff("<", 12, packed.tobytes())) == 256


def changed(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian file with another number in one tag of type LONG."""
    at = data.index(struct.pack("<HHI", tag, 4, 1), len(data) - 200)
    return data[: at + 8] + struct.pack("<I", value) + data[at + 12 :]


PLAIN = grey_tiff("<", 8, bytes(65536))


@pytest.mark.parametrize("name", ["tiff", "tiff-lzw", "tiff-jpeg", "tiff-big"])
def test_the_size_is_that_of_the_picture(name: str) -> None:
    header = read_tiff(BASES[name])
    assert (header.width, header.height, header.orientation, header.white) == (61, 47, 1, 65535)


def test_white_of_twelve_bits_is_4095() -> None:
    assert read_tiff(grey_tiff("<", 12, bytes(256 * 384))).white == 4095


def test_the_decoder_is_given_a_directory_without_metadata() -> None:
    data = saved(photo(), "TIFF", exif=exif(6), description="SECRET")
    header = read_tiff(data)
    assert header.orientation == 6
    with Image.open(io.BytesIO(header.payload)) as opened:
        assert opened.size == (61, 47)
        assert not {270, 274} & set(opened.tag_v2)


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (changed(PLAIN, 259, 9999), "unsupported_format", "TIFF compression 9999 is not read"),
        (changed(PLAIN, 277, 900), "damaged", "it claims 900 values a pixel"),
        (PLAIN[:9], "truncated", "ends too early"),
        (changed(PLAIN, 257, 300), "damaged", "it lists 1 of 2 strips or tiles"),
        (changed(changed(PLAIN, 257, 300), 278, 300), "truncated", "ends too early"),
        (b"II*\0" + struct.pack("<IH", 8, 5000) + bytes(99), "damaged", "claims 5,000 entries"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, code: str, told: str) -> None:
    with pytest.raises(RefusedInput, match=told) as caught:
        read_tiff(data)
    assert caught.value.code == code
