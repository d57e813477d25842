"""Directories of TIFF and BigTIFF: which tags there are, and where the next directory lies.

Layout after TIFF 6.0 and its BigTIFF extension. Only tags that are asked for get values; what a tag claims is
checked against the file before it is read.
"""

import struct
from collections.abc import Set
from dataclasses import dataclass

from fieldguide.images.header import MAX_SCANNED_PARTS, bomb, damaged, truncated

MAX_TEXT_BYTES = 4_000_000
"""So much of a text is looked at: descriptions of microscopes hold what matters at their beginning."""
_COLOUR_MAP = 320
# Bytes of one value; types 14 and 15 do not exist.
_TYPE_BYTES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), start=1)) | {16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class TiffLayout:
    """How numbers are written in a file."""

    order: str
    """``<`` or ``>``, as :mod:`struct` says it."""
    big: bool
    """Whether it is BigTIFF, with offsets of 8 bytes."""

    @property
    def entry(self) -> str:
        """One entry of a directory: tag, type, count, value."""
        return self.order + ("HHQ8s" if self.big else "HHI4s")

    @property
    def offset(self) -> str:
        """An offset into the file."""
        return self.order + ("Q" if self.big else "I")

    @property
    def count(self) -> str:
        """The number of entries of a directory."""
        return self.order + ("Q" if self.big else "H")


@dataclass(frozen=True)
class Tag:
    """One entry of a directory."""

    kind: int
    """Type of its values, as TIFF numbers them."""
    count: int
    """How many values there are."""
    raw: bytes
    """The value, or where it lies."""
    values: tuple[int, ...]
    """Whole numbers, of a tag that was asked for."""


@dataclass(frozen=True)
class Directory:
    """One directory: what the file says of one picture."""

    tags: dict[int, Tag]
    """Tag to entry, of all known types."""
    following: int
    """Where the next directory lies; 0 for none."""

    def number(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return next(iter(self.values(tag)), default)

    def values(self, tag: int) -> tuple[int, ...]:
        """All whole numbers of a tag; none where it is missing."""
        return self.tags[tag].values if tag in self.tags else ()

    def __contains__(self, tag: int) -> bool:
        return tag in self.tags


@dataclass(frozen=True)
class WantedTags:
    """Which tags get values."""

    numbers: Set[int]
    """Tags whose values are read; they must lie within the file."""
    single: Set[int] = frozenset()
    """Those of them that may have one value only."""
    texts: Set[int] = frozenset()
    """Tags that must lie within the file too, but get no values; see :func:`text_of`."""


def layout_of(data: bytes) -> TiffLayout:
    """How a file that begins like a TIFF writes its numbers."""
    return TiffLayout("<" if data[:2] == b"II" else ">", big=43 in data[2:4])


def first_offset(data: bytes, layout: TiffLayout) -> int:
    """Where the first directory lies."""
    return int(struct.unpack_from(layout.offset, data, 8 if layout.big else 4)[0])


def read_directory(data: bytes, layout: TiffLayout, start: int, wanted: WantedTags) -> Directory:
    """Read one directory.

    Raises
    ------
    RefusedInput
        ``truncated``, ``damaged`` or ``bomb``.
    """
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
    (following,) = struct.unpack_from(layout.offset, data, end)
    if following >= len(data):
        raise truncated("TIFF")
    tags: dict[int, Tag] = {}
    for position in range(first, end, size):
        number, kind, length, value = struct.unpack_from(layout.entry, data, position)
        if kind in _TYPE_BYTES and number not in tags:
            tags[number] = _tag(data, layout, number, (kind, length, value), wanted)
    return Directory(tags, following)


def text_of(data: bytes, layout: TiffLayout, tag: Tag | None) -> bytes:
    """The bytes of a tag of text, :data:`MAX_TEXT_BYTES` at most; none where it is missing."""
    if tag is None or tag.kind not in (1, 2, 7):
        return b""
    if tag.count <= len(tag.raw):
        return tag.raw[: tag.count]
    (start,) = struct.unpack(layout.offset, tag.raw)
    return data[start : start + min(tag.count, MAX_TEXT_BYTES)]


def _tag(
    data: bytes, layout: TiffLayout, number: int, entry: tuple[int, int, bytes], wanted: WantedTags
) -> Tag:
    kind, count, value = entry
    size = count * _TYPE_BYTES[kind]
    asked = number in wanted.numbers or number in wanted.texts
    if size > len(value):
        (offset,) = struct.unpack(layout.offset, value)
        # Metadata that lies wholly elsewhere is only nonsense; metadata that is cut off shows a cut file.
        if offset + size > len(data) and (asked or offset < len(data)):
            raise truncated("TIFF")
        value_bytes = data[offset : offset + size] if asked else b""
    else:
        value_bytes = value[:size]
    if asked and count > MAX_SCANNED_PARTS and kind in _INTEGERS and kind != 1 and number != _COLOUR_MAP:
        raise bomb("TIFF", f"{count:,} values in tag {number}")
    if number in wanted.single and kind in _INTEGERS and count != 1:
        raise damaged("TIFF", f"tag {number} has {count:,} values, not one")
    form = _INTEGERS.get(kind) if number in wanted.numbers else None
    values = struct.unpack(f"{layout.order}{count}{form}", value_bytes) if form else ()
    return Tag(kind, count, value, values)
