"""The PNG container: checksums, and metadata that unfolds."""

import zlib

import pytest

from fieldguide.errors import RefusedInput
from fieldguide.images import png as png_module
from fieldguide.images.decoding import open_image
from fieldguide.images.png import read_png
from images_made import BASES, chunk, code, exif, png


def test_a_flipped_bit_in_a_png_is_always_found() -> None:
    data = BASES["png"]
    start = data.index(b"IDAT") + 4
    for position in range(start, len(data) - 16, max(1, len(data) // 60)):
        changed = bytearray(data)
        changed[position] ^= 16
        assert code(bytes(changed)) in ("damaged", "truncated")


def packed_text(name: bytes, size: int) -> bytes:
    body = zlib.compress(bytes(size), 9)
    if name == b"iTXt":
        return chunk(name, b"Comment\0\1\0en\0\0" + body)
    return chunk(name, b"Comment\0\0" + body)


ROWS = bytes(1 + 3 * 4) * 4


@pytest.mark.parametrize(("name", "size"), [(b"zTXt", 2 << 20), (b"iTXt", 90 << 20), (b"iCCP", 90 << 20)])
def test_compressed_metadata_that_unfolds_is_refused(name: bytes, size: int) -> None:
    assert code(png(4, 4, packed_text(name, size), rows=ROWS)) == "bomb"
    assert open_image(png(4, 4, packed_text(name, 1000), rows=ROWS)).size == (4, 4)


def test_many_small_bombs_and_many_small_chunks_are_refused() -> None:
    assert code(png(4, 4, *[packed_text(b"zTXt", 1 << 20)] * 40, rows=ROWS)) == "bomb"
    assert code(png(4, 4, chunk(b"abCd", b"") * 110_000, rows=ROWS)) == "bomb"


def test_metadata_may_unfold_to_the_limit_and_to_no_byte_more(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png(4, 4, packed_text(b"zTXt", 5000), packed_text(b"zTXt", 3000), rows=ROWS)
    unfolded = 2 * len(b"Comment\0") + 8000
    monkeypatch.setattr(png_module, "MAX_METADATA_BYTES", unfolded - len(data))
    assert read_png(data).width == 4
    monkeypatch.setattr(png_module, "MAX_METADATA_BYTES", unfolded - len(data) - 1)
    with pytest.raises(RefusedInput, match="unfolds to more than"):
        read_png(data)


def test_the_decoder_is_given_pixels_alone() -> None:
    text = chunk(b"tEXt", b"Comment\0SECRET")
    header = read_png(png(4, 4, text, chunk(b"eXIf", exif(8).removeprefix(b"Exif\0\0")), rows=ROWS))
    assert (header.width, header.height, header.orientation) == (4, 4, 8)
    assert b"SECRET" not in header.payload and b"eXIf" not in header.payload


@pytest.mark.parametrize(
    ("depth", "colour", "held"), [(8, 2, 4), (8, 0, 1), (16, 0, 2), (8, 3, 1), (8, 6, 4)]
)
def test_what_the_decoder_holds_follows_depth_and_colour(depth: int, colour: int, held: int) -> None:
    assert read_png(png(4, 4, depth=depth, colour=colour)).decoder_bytes == held


def test_what_is_no_chunk_is_damaged() -> None:
    with pytest.raises(RefusedInput, match="a chunk has no name"):
        read_png(png(4, 4, chunk(b"a\0b1", b""), rows=ROWS))
    with pytest.raises(RefusedInput, match="it has no header chunk"):
        read_png(b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""))
