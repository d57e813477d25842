"""BMP, GIF, WebP and AVIF: size, completeness, and what the decoder is given."""

import struct

import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.containers import read_avif, read_bmp, read_gif, read_webp
from fieldguide.images.decoding import open_image
from images_made import BASES, code, exif, gif, photo, saved


def test_run_length_bmp_is_small_or_refused() -> None:
    def run_length(side: int, code: bytes) -> bytes:
        header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 256, 0)
        colours = bytes(range(256)) * 4
        return b"BM" + struct.pack("<III", 0, 0, 54 + 1024) + header + colours + code + bytes(16)

    assert open_image(run_length(40, b"\x28\x05\0\0" * 40 + b"\0\1")).size == (40, 40)
    assert code(run_length(4000, b"\0\0" * 40)) == "too_many_pixels"
    assert code(run_length(40, b"\0\0" * 1_100_000)) == "bomb"


READERS = {"bmp": read_bmp, "gif": read_gif, "webp": read_webp, "avif": read_avif}


@pytest.mark.parametrize("name", ["bmp", "gif", "gif-animated", "webp", "webp-lossless", "avif"])
def test_the_size_is_that_of_the_picture(name: str) -> None:
    header = READERS[name.partition("-")[0]](BASES[name])
    assert (header.width, header.height, header.orientation) == (61, 47, 1)


def test_sizes_of_more_than_a_byte_and_of_webps_with_metadata() -> None:
    large = photo(300, 260)
    for options in ({}, {"lossless": True}, {"exif": exif(1)}):
        header = read_webp(saved(large, "WEBP", **options))
        assert (header.width, header.height) == (300, 260)


def test_the_rows_of_a_bmp_must_all_be_there() -> None:
    for image in (photo(), photo(33, 5).convert("1"), photo().convert("L")):
        data = saved(image, "BMP")
        assert read_bmp(data).decoder_bytes == (4 if image.mode == "RGB" else 1)
        with pytest.raises(RefusedInput, match="ends too early"):
            read_bmp(data[:-1])


def test_a_bmp_of_no_width_is_left_to_who_counts_pixels() -> None:
    flat = bytearray(BASES["bmp"])
    struct.pack_into("<i", flat, 18, 0)
    assert read_bmp(bytes(flat)).width == 0


def test_a_gif_goes_to_its_decoder_with_its_colours_and_its_control() -> None:
    control, comment = b"!\xf9\x04\x01\0\0\x03\0", b"!\xfe\x06SECRET\0"
    for colours in (16, 200):
        plain = saved(photo().quantize(colours), "GIF")
        picture = 13 + 3 * (2 << (plain[10] & 7))
        assert plain[picture : picture + 1] == b","
        assert bytes(read_gif(plain).payload) == plain
        whole = plain[:picture] + control + plain[picture:]
        told = plain[:picture] + comment + control + comment + plain[picture:]
        assert bytes(read_gif(whole).payload) == bytes(read_gif(told).payload) == whole


def test_a_gif_that_ends_within_a_block_is_truncated() -> None:
    with pytest.raises(RefusedInput, match="ends too early"):
        read_gif(b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b"!\xfe\x0ahelloworld")


def test_a_gif_larger_than_its_screen_counts_with_its_picture() -> None:
    header = read_gif(gif(10, 10, (5, 6, 20, 30)))
    assert (header.width, header.height) == (25, 36)


def test_a_gif_without_a_picture_is_damaged() -> None:
    with pytest.raises(RefusedInput, match=r"damaged \(it holds no picture\)"):
        read_gif(b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b";" + bytes(20))


def test_a_bmp_may_stand_on_its_head_but_have_no_negative_width() -> None:
    flipped = bytearray(BASES["bmp"])
    struct.pack_into("<i", flipped, 22, -47)
    assert read_bmp(bytes(flipped)).height == 47
    struct.pack_into("<i", flipped, 18, -61)
    with pytest.raises(RefusedInput, match="its width is negative"):
        read_bmp(bytes(flipped))


def test_a_webp_that_begins_with_no_picture_is_damaged() -> None:
    with pytest.raises(RefusedInput, match="its first chunk is not a picture"):
        read_webp(BASES["webp"].replace(b"VP8 ", b"ICCP", 1))


def test_what_avif_says_of_orientation_in_exif_is_hidden_from_the_decoder() -> None:
    block = Image.Exif()
    block[0x010F] = "maker"
    marked = saved(photo(), "AVIF", speed=10, exif=block.tobytes())
    payload = read_avif(marked).payload
    assert b"Exif" in marked and len(payload) == len(marked)
    assert marked.count(b"Exif") - payload.count(b"Exif") == 1
