"""The containers of BMP, GIF, WebP and AVIF: size, completeness, and the bytes that carry pixels."""

import re
import struct

from fieldguide.images.av1 import coded_sizes
from fieldguide.images.header import MAX_SCANNED_PARTS, Header, bomb, damaged, truncated

MAX_RUN_LENGTH_PIXELS = 4_000_000
"""Run-length BMP is decoded in Python, a pixel at a time."""
MAX_RUN_LENGTH_BYTES = 2_000_000
"""As above: a run of no pixels costs time as well."""
WEBP_DECODER_BYTES = 17
"""Two canvases, the frame as bytes, the image, and the decoder's own planes; measured."""
AVIF_DECODER_BYTES = 14
"""Planes of the decoder, the frame as RGB bytes, the image; measured."""
_DIMENSIONS = re.compile(rb"ispe\0\0\0\0([\s\S]{8})")
_EXIF_ITEM = re.compile(rb"(infe[\x02\x03][\s\S]{3}(?:[\s\S]{4}|[\s\S]{6}))Exif")


def read_bmp(data: bytes) -> Header:
    """Read a Windows bitmap's header; rows that are not compressed must all be there."""
    if len(data) < 30:
        raise truncated("BMP")
    start, size = struct.unpack_from("<II", data, 10)
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    elif len(data) < 34:
        raise truncated("BMP")
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        height = abs(height)
    if width < 0:
        raise damaged("BMP", "its width is negative")
    run_length = compression in (1, 2)
    if run_length and len(data) > MAX_RUN_LENGTH_BYTES:
        raise bomb("BMP", "more run-length code than is read (2 MB)")
    if not run_length and start + (width * bits + 31) // 32 * 4 * height > len(data):
        raise truncated("BMP")
    return Header(
        width,
        height,
        data,
        decoder_bytes=4 if bits > 8 else 1,
        max_pixels=MAX_RUN_LENGTH_PIXELS if run_length else None,
    )


def read_gif(data: bytes) -> Header:
    """Read a GIF up to its first picture; later ones are not counted, but the trailer must be there."""
    if len(data) < 13:
        raise truncated("GIF")
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    colours = data[: 13 + (3 << (flags & 7) + 1 if flags & 128 else 0)]
    control, picture = _first_picture(data, len(colours))
    left, top, across, down = struct.unpack_from("<HHHH", data, picture + 1)
    if not data.rstrip(b"\0\r\n ").endswith(b"\0;"):
        raise truncated("GIF")
    return Header(
        max(width, left + across),
        max(height, top + down),
        payload=b"".join([colours, control, memoryview(data)[picture:]]),
        decoder_bytes=1,
    )


def _first_picture(data: bytes, position: int) -> tuple[bytes, int]:
    """The graphic control block in force, and where the first image descriptor starts."""
    control = b""
    for _ in range(MAX_SCANNED_PARTS):
        if position + 10 > len(data):
            raise truncated("GIF")
        if data[position] == 0x2C:
            return control, position
        if data[position] == 0x3B:
            raise damaged("GIF", "it holds no picture")
        if data[position] != 0x21:
            position += 1
            continue
        end = _blocks_end(data, position + 2)
        control = data[position:end] if data[position + 1] == 0xF9 else control
        position = end
    raise bomb("GIF", "too many blocks before its first picture")


def _blocks_end(data: bytes, position: int) -> int:
    for _ in range(MAX_SCANNED_PARTS):
        if position >= len(data):
            raise truncated("GIF")
        if data[position] == 0:
            return position + 1
        position += 1 + data[position]
    raise bomb("GIF", "too many blocks before its first picture")


def read_webp(data: bytes) -> Header:
    """Read a WebP's first chunk; the file must be as long as its RIFF header says."""
    if len(data) < 30 or int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise truncated("WebP")
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    else:
        raise damaged("WebP", "its first chunk is not a picture")
    return Header(width, height, data, decoder_bytes=WEBP_DECODER_BYTES)


def read_avif(data: bytes) -> Header:
    """Read an AVIF's (or HEIF's) boxes; every box at the top must be complete.

    The size is the larger of what the boxes describe and what the AV1 streams of the pictures say.
    """
    meta = _meta_box(data)
    sizes = [struct.unpack(">II", found) for found in _DIMENSIONS.findall(meta)]
    if not sizes:
        raise damaged("AVIF or HEIC", "it names no width and height")
    described = max(sizes, key=_pixels)
    width, height = (
        max([described, *coded_sizes(data, meta)], key=_pixels) if _pixels(described) else described
    )
    # Hidden from the decoder's front end, which would parse it; turning upright is told by `irot` and `imir`.
    at = data.find(meta)
    payload = b"".join([data[:at], _EXIF_ITEM.sub(rb"\1free", meta), memoryview(data)[at + len(meta) :]])
    return Header(width, height, payload, decoder_bytes=AVIF_DECODER_BYTES)


def _pixels(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _meta_box(data: bytes) -> bytes:
    """The bytes of the box that describes the pictures."""
    position = 0
    meta = b""
    for _ in range(MAX_SCANNED_PARTS):
        if position == len(data):
            break
        header = data[position : position + 16]
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        elif size == 0:
            size = len(data) - position
        if size < 8 or position + size > len(data):
            raise truncated("AVIF or HEIC")
        if header[4:8] == b"meta" and not meta:
            meta = data[position : position + size]
        position += size
    if not meta:
        raise damaged("AVIF or HEIC", "it has no description box")
    return meta
