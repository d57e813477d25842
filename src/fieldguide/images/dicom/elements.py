"""The data elements of a DICOM file: found by walking, and none is interpreted but those asked for.

Layout after DICOM PS3.5, section 7 and annex A, and PS3.10, section 7. pydicom would read it too, but makes
an object of every item of every sequence, so that a file of 100 MB of empty items takes gigabytes, unfolds
deflated files without a limit, and quotes what it finds odd in Python warnings: perhaps a patient's name.
"""

import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from fieldguide.images.header import bomb, damaged, truncated

MAX_ELEMENTS = 1_000_000
"""Data elements and items walked in one file; those inside sequences of stated length are passed over."""
MAX_INFLATED_BYTES = 100_000_000
"""A deflated file (PS3.5, A.5) may unfold to this many bytes."""
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
_MAGIC_AT, _META_AT = 128, 132
_TRANSFER_SYNTAX = 0x0002_0010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFE_E000, 0xFFFE_E00D, 0xFFFE_E0DD
_UNDEFINED = 0xFFFF_FFFF
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})


class Coding(NamedTuple):
    """How numbers and headers of elements are written."""

    order: str
    """``<`` or ``>``, as :mod:`struct` says it."""
    implicit: bool
    """Whether elements do without their value representation."""


class Element(NamedTuple):
    """Where the value of an element lies."""

    representation: bytes
    """Value representation, such as ``US``; empty where it is implicit."""
    start: int
    """First byte of the value."""
    end: int
    """Behind its last byte; of an undefined length, behind the delimiter."""
    undefined: bool
    """Whether the length was not stated: a sequence, or compressed pixels."""


@dataclass(frozen=True)
class Elements:
    """Some elements of a data set or of an item."""

    data: bytes
    """What the elements were read from."""
    coding: Coding
    found: dict[int, Element]
    """Tag to element; tags are numbers such as 0x0028_0010."""

    def __contains__(self, tag: int) -> bool:
        return tag in self.found and self.found[tag].end > self.found[tag].start

    def raw(self, tag: int) -> bytes:
        """The bytes of a value; none where there is no such element."""
        element = self.found.get(tag)
        return self.data[element.start : element.end] if element else b""

    def text(self, tag: int) -> str:
        """A value as text without padding, each byte a character; good for codes, not for names."""
        return self.raw(tag).decode("latin-1").strip("\0 ")

    def integer(self, tag: int, default: int) -> int:
        """The first of the whole numbers of an element (US, SS, UL, SL, IS)."""
        return next(iter(self.integers(tag)), default)

    def integers(self, tag: int) -> tuple[int, ...]:
        """Whole numbers; those of an implicit representation are taken as unsigned and of 16 bits."""
        if tag not in self:
            return ()
        representation, raw = self.found[tag].representation, self.raw(tag)
        if representation == b"IS":
            return tuple(int(number) for number in self.text(tag).split("\\"))
        form = {b"SS": "h", b"UL": "I", b"SL": "i"}.get(representation, "H")
        count = len(raw) // struct.calcsize(form)
        return struct.unpack_from(f"{self.coding.order}{count}{form}", raw)

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Decimal numbers, written as text (DS, IS)."""
        return tuple(float(number) for number in self.text(tag).split("\\")) if tag in self else ()

    def item(self, tag: int, wanted: Collection[int]) -> "Elements | None":
        """Elements of the first item of a sequence."""
        if tag not in self:
            return None
        element = self.found[tag]
        coding = self.coding
        if element.representation == b"UN" and element.undefined:
            coding = Coding("<", implicit=True)
        walk = _Walk(self.data)
        head = walk.header(element.start, coding)
        if head.tag != _ITEM:
            return None
        end = element.end if head.length == _UNDEFINED else min(head.start + head.length, element.end)
        return Elements(self.data, coding, walk.elements(head.start, end, coding, wanted))


def read_elements(data: bytes, wanted: Collection[int]) -> tuple[str, Elements]:
    """Find elements of a DICOM file.

    Parameters
    ----------
    data : bytes
        The file; its beginning will do where all that is `wanted` lies there.
    wanted : collection of int
        Tags at the top level; nothing is read beyond the highest.

    Returns
    -------
    transfer_syntax : str
        UID of how the rest is written; empty where the file does not say.
    elements : Elements
        Those of `wanted` that there are.

    Raises
    ------
    RefusedInput
        ``damaged``, ``truncated`` or ``bomb``.
    """
    if data[_MAGIC_AT:_META_AT] != b"DICM":
        raise damaged("DICOM", "it lacks its mark")
    walk, at, syntax = _Walk(data), _META_AT, ""
    while data[at : at + 2] == b"\2\0":
        head = walk.header(at, Coding("<", implicit=False))
        at = head.start + head.length
        if head.tag == _TRANSFER_SYNTAX:
            syntax = data[head.start : at].decode("latin-1").strip("\0 ")
    if syntax == DEFLATED:
        data, at = _inflated(data[at:]), 0
        walk = _Walk(data)
    # As pydicom does: files whose header says otherwise than it is are common.
    implicit = not (data[at + 4 : at + 6].isalpha() and data[at + 4 : at + 6].isupper())
    coding = Coding(">" if syntax == BIG_ENDIAN else "<", implicit)
    return syntax, Elements(data, coding, walk.elements(at, len(data), coding, wanted))


def _inflated(packed: bytes) -> bytes:
    unfolding = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unfolding.decompress(packed, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise damaged("DICOM", "its deflated part cannot be unfolded") from error
    if unfolding.eof:
        return data
    if len(data) >= MAX_INFLATED_BYTES:
        raise bomb("DICOM", f"more than {MAX_INFLATED_BYTES / 1e6:,.0f} MB folded into it")
    raise truncated("DICOM")


class _Head(NamedTuple):
    tag: int
    representation: bytes
    length: int
    start: int


class _Walk:
    """One pass over a file, with a limit on its steps."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.steps = 0

    def header(self, at: int, coding: Coding) -> _Head:
        self.steps += 1
        if self.steps > MAX_ELEMENTS:
            raise bomb("DICOM", f"more than {MAX_ELEMENTS:,} data elements")
        if at + 8 > len(self.data):
            raise truncated("DICOM")
        group, number = struct.unpack_from(coding.order + "HH", self.data, at)
        representation = self.data[at + 4 : at + 6]
        # Delimiters and items never have a representation; and some writers change to implicit on the way.
        if coding.implicit or group == 0xFFFE or not b"AA" <= representation <= b"ZZ":
            (length,) = struct.unpack_from(coding.order + "I", self.data, at + 4)
            return _Head(group << 16 | number, b"", length, at + 8)
        if representation not in _LONG:
            (length,) = struct.unpack_from(coding.order + "H", self.data, at + 6)
            return _Head(group << 16 | number, representation, length, at + 8)
        if at + 12 > len(self.data):
            raise truncated("DICOM")
        (length,) = struct.unpack_from(coding.order + "I", self.data, at + 8)
        return _Head(group << 16 | number, representation, length, at + 12)

    def elements(self, at: int, end: int, coding: Coding, wanted: Collection[int]) -> dict[int, Element]:
        found: dict[int, Element] = {}
        last = max(wanted)
        while at + 8 <= end:
            tag, representation, length, start = self.header(at, coding)
            if tag > last:
                break
            undefined = length == _UNDEFINED
            at = self._delimited(start, coding, representation) if undefined else start + length
            if at > end:
                raise truncated("DICOM")
            if tag in wanted:
                found.setdefault(tag, Element(representation, start, at, undefined))
        return found

    def _delimited(self, at: int, coding: Coding, representation: bytes) -> int:
        """Behind the end of a sequence of undefined length, whatever is nested in it; without recursion."""
        # PS3.5, 6.2.2: what is unknown and of undefined length is written implicitly.
        unknown = Coding("<", implicit=True)
        nested = [unknown if representation == b"UN" else coding]
        while nested:
            head = self.header(at, nested[-1])
            at = head.start
            if head.tag in (_ITEM_END, _SEQUENCE_END):
                nested.pop()
            elif head.length == _UNDEFINED:
                nested.append(unknown if head.representation == b"UN" else nested[-1])
            else:
                at += head.length
        return at
