"""The TIFF container: size, orientation, completeness, and the tags that carry pixels.

Layout after TIFF 6.0 and its BigTIFF extension. Only the first directory is read; a new one that holds just
the tags needed for pixels is put at the end of the file, and the file's header points there.
"""

import struct
from dataclasses import dataclass

from fieldguide.errors import RefusedInput
from fieldguide.image_header import (
    MAX_SCANNED_PARTS,
    ORIENTATION_TAG,
    Header,
    bomb,
    damaged,
    truncated,
    xmp_orientation,
)

_WIDTH, _HEIGHT, _BITS, _SAMPLES, _XMP, _DNG_VERSION = 256, 257, 258, 277, 700, 50706
_COMPRESSION, _STRIP_ROWS, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT = 259, 278, 284, 322, 323
# None, fax, LZW, JPEG, Deflate, PackBits, LZMA, Zstandard: what Pillow's wheels unpack without printing.
_COMPRESSIONS = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34925, 50000}
_MAX_SAMPLES = 6
_PLACES = ((273, 279), (324, 325))
# One number each; Pillow warns about more.
_SINGLE = {256, 257, 259, 262, 266, 277, 278, 284, 292, 293, 317, 322, 323, 512, 513, 514, 515, 531}
_KEPT = _SINGLE | {258, 273, 279, 320, 324, 325, 338, 339, 347, 519, 520, 521, 529, 530, 532}
# Bytes of one value; types 14 and 15 do not exist.
_TYPE_BYTES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), start=1)) | {16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class _Layout:
    order: str
    big: bool

    @property
    def entry(self) -> str:
        return self.order + ("HHQ8s" if self.big else "HHI4s")

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def count(self) -> str:
        return self.order + ("Q" if self.big else "H")


@dataclass(frozen=True)
class _Tag:
    kind: int
    count: int
    raw: bytes
    values: tuple[int, ...]


def read_tiff(data: bytes) -> Header:
    """Read the first directory of a TIFF or BigTIFF.

    Raises
    ------
    RefusedInput
        ``truncated``, ``damaged``, ``bomb``, or ``unsupported_format`` for camera raw in DNG.
    """
    if len(data) < 16:
        raise truncated("TIFF")
    layout = _Layout("<" if data[:2] == b"II" else ">", big=43 in data[2:4])
    tags = _tags(data, layout)
    if _DNG_VERSION in tags:
        raise RefusedInput("unsupported_format", "camera raw (DNG) is not read; convert it to JPEG or TIFF")
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise damaged("TIFF", "it names no width and height")
    _check_layout(tags)
    _check_places(data, tags)
    bits = max(tags[_BITS].values, default=1) if _BITS in tags else 1
    return Header(
        _number(tags, _WIDTH, 0),
        _number(tags, _HEIGHT, 0),
        payload=_rewritten(data, layout, tags),
        decoder_bytes=_decoder_bytes(tags, bits),
        orientation=_orientation(data, tags, layout),
        white=4095 if bits == 12 else 65535,
    )


def _tags(data: bytes, layout: _Layout) -> dict[int, _Tag]:
    (start,) = struct.unpack_from(layout.offset, data, 8 if layout.big else 4)
    first = start + struct.calcsize(layout.count)
    if start < 8 or first > len(data):
        raise truncated("TIFF")
    (count,) = struct.unpack_from(layout.count, data, start)
    size = struct.calcsize(layout.entry)
    if count > 4096:
        raise damaged("TIFF", f"its directory claims {count:,} entries")
    end = first + count * size
    if end + struct.calcsize(layout.offset) > len(data):
        raise truncated("TIFF")
    if struct.unpack_from(layout.offset, data, end)[0] >= len(data):
        raise truncated("TIFF")
    tags: dict[int, _Tag] = {}
    for position in range(first, end, size):
        number, kind, length, value = struct.unpack_from(layout.entry, data, position)
        if kind in _TYPE_BYTES and number not in tags:
            tags[number] = _tag(data, layout, number, (kind, length, value))
    return tags


def _tag(data: bytes, layout: _Layout, number: int, entry: tuple[int, int, bytes]) -> _Tag:
    kind, count, value = entry
    size = count * _TYPE_BYTES[kind]
    wanted = number in _KEPT or number in (ORIENTATION_TAG, _XMP)
    if size > len(value):
        (offset,) = struct.unpack(layout.offset, value)
        # Metadata that lies wholly elsewhere is only nonsense; metadata that is cut off shows a cut file.
        if offset + size > len(data) and (wanted or offset < len(data)):
            raise truncated("TIFF")
        value_bytes = data[offset : offset + size] if wanted else b""
    else:
        value_bytes = value[:size]
    if wanted and count > MAX_SCANNED_PARTS and kind in _INTEGERS and kind != 1 and number != 320:
        raise bomb("TIFF", f"{count:,} values in tag {number}")
    if number in _SINGLE and kind in _INTEGERS and count != 1:
        raise damaged("TIFF", f"tag {number} has {count:,} values, not one")
    form = _INTEGERS.get(kind) if wanted and number != _XMP else None
    values = struct.unpack(f"{layout.order}{count}{form}", value_bytes) if form else ()
    return _Tag(kind, count, value, values)


def _check_layout(tags: dict[int, _Tag]) -> None:
    compression = _number(tags, _COMPRESSION, 1)
    if compression not in _COMPRESSIONS:
        raise RefusedInput("unsupported_format", f"TIFF compression {compression} is not read; use LZW")
    if _number(tags, _SAMPLES, 1) > _MAX_SAMPLES:
        raise damaged("TIFF", f"it claims {_number(tags, _SAMPLES, 1):,} values a pixel")


def _check_places(data: bytes, tags: dict[int, _Tag]) -> None:
    """Refuse a file that ends before its last strip or tile does."""
    for offsets, counts in _PLACES:
        starts = tags[offsets].values if offsets in tags else ()
        # Without compression the stated lengths are not needed, and often wrong.
        raw = _number(tags, _COMPRESSION, 1) == 1
        lengths = _raw_lengths(tags, len(starts)) if raw else tags[counts].values if counts in tags else ()
        if any(start + length > len(data) for start, length in zip(starts, lengths, strict=False)):
            raise truncated("TIFF")


def _raw_lengths(tags: dict[int, _Tag], pieces: int) -> list[int]:
    """Bytes of every strip or tile of an uncompressed image."""
    height = _number(tags, _HEIGHT, 0)
    bits = tags[_BITS].values if _BITS in tags and tags[_BITS].values else (1,)
    planar = _number(tags, _PLANAR, 1) == 2
    depth = bits[0] if planar else sum(bits) if len(bits) > 1 else bits[0] * _number(tags, _SAMPLES, 1)
    if _TILE_WIDTH in tags:
        return [(_number(tags, _TILE_WIDTH, 0) * depth + 7) // 8 * _number(tags, _TILE_HEIGHT, 0)] * pieces
    line = (_number(tags, _WIDTH, 0) * depth + 7) // 8
    rows = max(1, min(_number(tags, _STRIP_ROWS, height), height))
    strips = max(1, -(-height // rows))
    return [line * min(rows, height - index % strips * rows) for index in range(pieces)]


def _rewritten(data: bytes, layout: _Layout, tags: dict[int, _Tag]) -> bytes:
    kept = sorted((number, tag) for number, tag in tags.items() if number in _KEPT)
    entries = [struct.pack(layout.entry, number, tag.kind, tag.count, tag.raw) for number, tag in kept]
    padding = bytes(-len(data) % 8)
    head = 8 if layout.big else 4
    start = struct.pack(layout.offset, len(data) + len(padding))
    body = memoryview(data)[head + len(start) :]
    directory = [struct.pack(layout.count, len(kept)), *entries, struct.pack(layout.offset, 0)]
    return b"".join([data[:head], start, body, padding, *directory])


def _decoder_bytes(tags: dict[int, _Tag], bits: int) -> float:
    """Image plus one strip or tile of the size that libtiff reads at once, spread over all pixels."""
    samples = _number(tags, _SAMPLES, 1)
    image = 4 if samples > 1 or bits > 16 else max(1, bits // 8)
    pixels = max(1, _number(tags, _WIDTH, 0) * _number(tags, _HEIGHT, 0))
    rows = min(_number(tags, _STRIP_ROWS, 2**32), _number(tags, _HEIGHT, 0))
    strip = rows * _number(tags, _WIDTH, 0)
    tile = _number(tags, _TILE_WIDTH, 0) * _number(tags, _TILE_HEIGHT, 0)
    return image + (tile or strip) * samples * max(bits, 8) / 8 / pixels


def _orientation(data: bytes, tags: dict[int, _Tag], layout: _Layout) -> int:
    if ORIENTATION_TAG in tags:
        values = tags[ORIENTATION_TAG].values
        return values[0] if values and 1 <= values[0] <= 8 else 1
    packet = tags.get(_XMP)
    if packet is None or packet.count <= len(packet.raw):
        return 1
    (start,) = struct.unpack(layout.offset, packet.raw)
    return xmp_orientation(data[start : start + packet.count]) or 1


def _number(tags: dict[int, _Tag], number: int, default: int) -> int:
    tag = tags.get(number)
    return tag.values[0] if tag and tag.values else default
