"""The size that an AVIF's pictures really have, which its description need not tell.

The description (`ispe`) is what readers report, the AV1 sequence header is what the decoder allocates. Layout
after ISO/IEC 14496-12 (`iloc`) and the AV1 Bitstream & Decoding Process Specification, sections 5.3 and 5.5.
"""

import itertools
from collections.abc import Iterator

from fieldguide.images.header import MAX_SCANNED_PARTS, bomb

_SEQUENCE_HEADER = 1
_LONGEST_HEADER = 512


class _Bits:
    """Big-endian numbers of any width, one after another; behind the end there are zeros."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data, self.position = data, 8 * position

    def take(self, count: int) -> int:
        """The next `count` bits."""
        first, end = self.position // 8, (self.position + count + 7) // 8
        value = int.from_bytes(self.data[first:end].ljust(end - first, b"\0"), "big")
        self.position += count
        return value >> (8 * end - self.position) & (1 << count) - 1

    def skip_variable(self) -> None:
        """A number of unary length (uvlc)."""
        zeros = 0
        while zeros < 32 and not self.take(1):
            zeros += 1
        self.take(zeros)


def coded_sizes(data: bytes, meta: bytes) -> list[tuple[int, int]]:
    """Width and height in every AV1 sequence header of the items that a file's description locates.

    Parameters
    ----------
    data
        The whole file.
    meta
        Its `meta` box.

    Returns
    -------
    list
        Empty where the items are not AV1, as in HEIC.

    Raises
    ------
    RefusedInput
        ``bomb`` for a description that would take long to follow.
    """
    boxes = dict(_boxes(meta))
    sources = {0: memoryview(data), 1: memoryview(boxes.get(b"idat", b""))}
    steps = itertools.count()
    found = []
    for method, extents in _items(boxes.get(b"iloc", b""), steps):
        source = sources.get(method, memoryview(b""))
        parts = [source[start : start + length if length else None] for start, length in extents]
        if sum(map(len, parts)) > len(data):
            raise bomb("AVIF", "pictures that overlap")
        item = parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
        found += [_frame_size(header) for header in _sequence_headers(item, steps)]
    return found


def _boxes(meta: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes in a description, by kind."""
    position = 20 if meta[:4] == b"\0\0\0\1" else 12
    for _ in range(MAX_SCANNED_PARTS):
        size = int.from_bytes(meta[position : position + 4], "big")
        if size < 8:
            return
        yield meta[position + 4 : position + 8], meta[position + 8 : position + size]
        position += size


def _items(locations: bytes, steps: Iterator[int]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """How each item is stored (0: in the file, 1: in the description) and its pieces as (start, length)."""
    bits = _Bits(locations)
    version = bits.take(32) >> 24
    offset_bits, length_bits, base_bits, index_bits = (8 * bits.take(4) for _ in range(4))
    wide = 32 if version == 2 else 16
    for _ in range(bits.take(wide)):
        _count(steps)
        bits.take(wide)
        method = bits.take(16) & 15 if version else 0
        bits.take(16)
        base = bits.take(base_bits)
        extents = []
        for _ in range(bits.take(16)):
            _count(steps)
            bits.take(index_bits if version else 0)
            extents.append((base + bits.take(offset_bits), bits.take(length_bits)))
        yield method, extents


def _sequence_headers(item: memoryview, steps: Iterator[int]) -> Iterator[bytes]:
    """Walk the units (OBU) of an item."""
    position = 0
    while position < len(item) and not item[position] & 0x81:  # else it is not AV1
        _count(steps)
        kind, extended, sized = item[position] >> 3 & 15, item[position] & 4, item[position] & 2
        position += 2 if extended else 1
        size, position = _length(item, position) if sized else (len(item) - position, position)
        if kind == _SEQUENCE_HEADER:
            yield bytes(item[position : position + min(size, _LONGEST_HEADER)])
        position += size


def _count(steps: Iterator[int]) -> None:
    if next(steps) > MAX_SCANNED_PARTS:
        raise bomb("AVIF", "too many parts")


def _length(item: memoryview, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first (leb128), and where it ends."""
    value = 0
    for shift, byte in enumerate(item[position : position + 8]):
        value |= (byte & 127) << 7 * shift
        position += 1
        if byte < 128:
            break
    return value, position


def _frame_size(header: bytes) -> tuple[int, int]:
    bits = _Bits(header)
    bits.take(4)  # profile, still picture
    if bits.take(1):  # reduced, for still pictures
        bits.take(5)
    else:
        _skip_timing_and_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(across) + 1, bits.take(down) + 1


def _skip_timing_and_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):  # equal pictures
            bits.skip_variable()
        if bits.take(1):  # decoder model
            delay_bits = bits.take(5) + 1
            bits.take(42)
    display = bits.take(1)
    for _ in range(bits.take(5) + 1):  # operating points
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if display and bits.take(1):
            bits.take(4)
