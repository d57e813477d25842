"""Orientation from EXIF and XMP, however broken."""

import struct
import warnings

import pytest

from fieldguide.images.decoding import open_image
from fieldguide.images.header import bomb, damaged, exif_orientation, truncated, xmp_orientation
from images_made import BASES, chunk, exif, photo, saved


def test_an_exif_directory_that_points_at_itself_ends() -> None:
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 2)
    block += (
        struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    )
    assert open_image(saved(photo(), "JPEG", exif=b"Exif\0\0" + block)).size == (47, 61)


@pytest.mark.parametrize(
    "block", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0nonsense"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_broken_exif_is_neither_fatal_nor_a_warning(block: bytes, kind: str) -> None:
    marked = saved(photo(), kind, exif=exif(6))
    assert open_image(marked).size == (47, 61)
    data = marked.replace(exif(6).removeprefix(b"Exif\0\0"), block.ljust(len(exif(6)) - 6, b"\xff"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if data.startswith(b"\x89PNG"):
            data = png_with(b"eXIf", block)
        assert sorted(open_image(data).size) == [47, 61]


def png_with(name: bytes, body: bytes) -> bytes:
    return BASES["png"][:33] + chunk(name, body) + BASES["png"][33:]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "value", "expected"), [("H", 6, 6), ("I", 8, 8), ("H", 9, 1), ("H", 0, 1)])
def test_orientation_is_read_in_both_byte_orders(order: str, kind: str, value: int, expected: int) -> None:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    entry = struct.pack(order + "HHI" + kind, 0x0112, {"H": 3, "I": 4}[kind], 1, value).ljust(12, b"\0")
    assert exif_orientation(head + entry) == expected
    assert exif_orientation(b"Exif\0\0" + head + entry) == expected


@pytest.mark.parametrize("block", [b"", b"II*\0", b"XX*\0" + bytes(20), b"II*\0\xff\0\0\0" + bytes(4)])
def test_where_no_directory_is_there_is_no_orientation(block: bytes) -> None:
    assert exif_orientation(block) is None


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b'<x tiff:Orientation="3"/>', 3),
        (b"<tiff:Orientation>8</tiff:Orientation>", 8),
        (b'tiff:Orientation="9"', None),
        (b"", None),
    ],
)
def test_orientation_in_xmp(packet: bytes, expected: int | None) -> None:
    assert xmp_orientation(packet) == expected


def test_refusals_name_the_format_and_what_to_do() -> None:
    assert (truncated("PNG").code, damaged("GIF", "why").code, bomb("TIFF", "what").code) == (
        "truncated",
        "damaged",
        "bomb",
    )
    assert damaged("GIF", "why").message == "the GIF file is damaged (why); copy it or save it again"


def exif_block(*entries, count=None, order="<", start=8):
    """A directory of these (tag, type, value), as many of them stated as `count` says."""
    body = b"".join(
        struct.pack(order + "HHI", tag, kind, 1) + struct.pack(order + form, value).ljust(4, b"\0")
        for tag, kind, form, value in entries
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    return head + struct.pack(order + "H", len(entries) if count is None else count) + body


OTHER, UPRIGHT = (0x010F, 3, "H", 7), (0x0112, 3, "H", 6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("entries", "count", "value"),
    [
        ([UPRIGHT], None, 6),
        ([OTHER, UPRIGHT], None, 6),
        ([OTHER, OTHER, OTHER, UPRIGHT], None, 6),
        ([OTHER, UPRIGHT], 1, None),
        ([OTHER] * 3 + [UPRIGHT], 3, None),
        ([OTHER] * 30 + [UPRIGHT], None, 6),
        ([UPRIGHT], 500, 6),
        ([(0x0112, 1, "B", 6)], None, 6),
        ([(0x0112, 4, "I", 6)], None, 6),
        ([(0x0112, 2, "B", 6)], None, 1),
        ([(0x0112, 3, "H", 8)], None, 8),
        ([(0x0112, 3, "H", 9)], None, 1),
        ([(0x0112, 3, "H", 0)], None, 1),
        ([], None, None),
    ],
)
def test_the_orientation_of_an_exif_block(order, entries, count, value):
    block = exif_block(*entries, count=count, order=order)
    assert exif_orientation(block) == exif_orientation(b"Exif\0\0" + block) == value


def test_an_exif_block_that_is_cut_off_says_nothing():
    block = exif_block(UPRIGHT)
    assert exif_orientation(block[:-1]) is None
    assert exif_orientation(block[:9]) is None
    for start in (len(block) - 1, len(block), 2**32 - 1):
        assert exif_orientation(exif_block(UPRIGHT, start=start)) is None
