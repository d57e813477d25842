"""The PNG container: size, orientation, completeness, and the chunks that carry pixels.

Layout after the W3C recommendation (third edition). A PNG is complete when its IEND chunk is; the checksum
of every chunk that carries pixels is verified, so a flipped bit in one is always found.
"""

import contextlib
import struct
import zlib

from fieldguide.images.header import (
    MAX_SCANNED_PARTS,
    Header,
    bomb,
    damaged,
    exif_orientation,
    truncated,
    xmp_orientation,
)

MAX_TEXT_BYTES = 1 << 20
"""What one compressed text chunk may unfold to; Pillow's own limit."""
MAX_PROFILE_BYTES = 16 << 20
"""What a compressed colour profile may unfold to; real ones stay below 5 MB."""
MAX_METADATA_BYTES = 32 << 20
"""What all compressed metadata may unfold to together."""
_PIXEL_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_COMPRESSED = {b"zTXt": MAX_TEXT_BYTES, b"iTXt": MAX_TEXT_BYTES, b"iCCP": MAX_PROFILE_BYTES}
_XMP = b"XML:com.adobe.xmp\0"
_RAW_EXIF = b"Raw profile type exif\0"


def read_png(data: bytes) -> Header:
    """Walk a PNG's chunks.

    An animation's later frames are dropped; what stays is the picture that a viewer without animation shows.

    Raises
    ------
    RefusedInput
        ``truncated``, ``damaged`` or ``bomb``.
    """
    view = memoryview(data)
    kept: list[bytes | memoryview] = [view[:8]]
    orientations: dict[bytes, int] = {}
    unfolded = 0
    header = b""
    for name, start, end in _chunks(data):
        if name in _PIXEL_CHUNKS:
            if zlib.crc32(view[start - 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
                raise damaged("PNG", f"the checksum of its {name.decode()} chunk is wrong")
            kept.append(view[start - 8 : end + 4])
            header = header or data[start:end]
        elif name in _COMPRESSED or name in (b"eXIf", b"tEXt"):
            body = _unfold(name, data[start:end])
            unfolded += len(body)
            if unfolded > MAX_METADATA_BYTES + len(data):
                raise bomb("PNG", "metadata that unfolds to more than 32 MiB")
            orientations |= _orientation(name, body)
    return _header(header, b"".join(kept), orientations)


def _header(header: bytes, payload: bytes, orientations: dict[bytes, int]) -> Header:
    if len(header) != 13:
        raise damaged("PNG", "it has no header chunk")
    width, height, depth, colour = struct.unpack_from(">IIBB", header)
    grey = colour in (0, 3)
    summary = (orientations[kind] for kind in (b"eXIf", b"raw", b"xmp") if kind in orientations)
    return Header(
        width,
        height,
        payload,
        decoder_bytes=(2 if depth == 16 else 1) if grey else 4,
        orientation=next(summary, 1),
        bits=depth,
    )


def _chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    """Name, start and end of every chunk's body, up to IEND."""
    chunks: list[tuple[bytes, int, int]] = []
    position = 8
    while not chunks or chunks[-1][0] != b"IEND":
        if position + 12 > len(data):
            raise truncated("PNG")
        length, name = struct.unpack_from(">I4s", data, position)
        if not name.isalpha():
            raise damaged("PNG", "a chunk has no name")
        end = position + 8 + length
        if end + 4 > len(data):
            raise truncated("PNG")
        chunks.append((name, position + 8, end))
        if len(chunks) > MAX_SCANNED_PARTS:
            raise bomb("PNG", "too many chunks")
        position = end + 4
    return chunks


def _unfold(name: bytes, body: bytes) -> bytes:
    """A metadata chunk with its compressed part unfolded, at most to the limit of its kind."""
    key, _, rest = body.partition(b"\0")
    if name in (b"zTXt", b"iCCP"):
        return key + b"\0" + _inflate(rest[1:], _COMPRESSED[name])
    if name == b"iTXt" and rest[:1] == b"\1":
        text = rest[2:].split(b"\0", 2)[-1]
        return key + b"\0" + _inflate(text, _COMPRESSED[name])
    return body


def _inflate(packed: bytes, limit: int) -> bytes:
    plain = b""
    # Broken metadata says nothing about the pixels, so it is not a reason to refuse.
    with contextlib.suppress(zlib.error):
        plain = zlib.decompressobj().decompress(packed, limit + 1)
    if len(plain) > limit:
        raise bomb("PNG", f"metadata that unfolds to more than {limit >> 20} MiB")
    return plain


def _orientation(name: bytes, body: bytes) -> dict[bytes, int]:
    found: int | None = None
    kind = name
    if name == b"eXIf":
        found = exif_orientation(body)
    elif body.startswith(_XMP):
        kind, found = b"xmp", xmp_orientation(body)
    elif body.startswith(_RAW_EXIF):
        # ImageMagick's form: a blank line, "exif", the length, then hexadecimal digits.
        with contextlib.suppress(ValueError):
            digits = b"".join(body.split(b"\n")[3:]).decode("ascii", "replace")
            kind, found = b"raw", exif_orientation(bytes.fromhex(digits))
    return {} if found is None else {kind: found}
