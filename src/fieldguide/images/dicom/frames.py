"""The first frame of DICOM pixel data, and what its code says of its size before a decoder sees it.

A header may say 64 x 64 pixels while the JPEG beneath it unfolds to a hundred million: both must agree.
Pixel data in fragments after DICOM PS3.5, annex A.4; run lengths after annex G.
"""

import struct

from fieldguide.errors import RefusedInput
from fieldguide.images.dicom.elements import Elements
from fieldguide.images.header import MAX_SCANNED_PARTS, bomb, damaged, truncated
from fieldguide.images.jpeg import read_jpeg

PIXEL_DATA = 0x7FE0_0010
RUN_LENGTHS = "1.2.840.10008.1.2.5"
JPEG_BASELINE, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
MAX_RUN_LENGTH_PIXELS = 16_000_000
"""Run lengths are decoded in Python."""
_SOI, _JPEG_2000, _BOXES = b"\xff\xd8", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  "
_ITEM = 0xFFFE_E000
_ITEM_BYTES = 8


def first_frame(elements: Elements, frames: int, frame_bytes: int) -> bytes:
    """The bytes of the first picture.

    Parameters
    ----------
    elements : Elements
        Of the file, with :data:`PIXEL_DATA`.
    frames : int
        How many pictures the header counts.
    frame_bytes : int
        Bytes of one picture that is not compressed.

    Raises
    ------
    RefusedInput
        ``truncated``, ``damaged`` or ``bomb``.
    """
    element = elements.found[PIXEL_DATA]
    if not element.undefined:
        if element.end - element.start < frame_bytes:
            raise truncated("DICOM")
        # A byte more where the number is odd: in pairs of bytes, the last one lies behind its neighbour.
        return elements.data[element.start : element.start + frame_bytes + frame_bytes % 2]
    table, *fragments = _fragments(elements.data, element.start, element.end)
    if not fragments:
        raise damaged("DICOM", "it holds no picture")
    count = len(fragments) if frames == 1 else _fragments_of_first(elements.data, table, fragments, frames)
    return b"".join(elements.data[start:end] for start, end in fragments[:count])


def _fragments(data: bytes, at: int, end: int) -> list[tuple[int, int]]:
    """Start and end of the offset table and of each fragment; the walk has found them complete."""
    places: list[tuple[int, int]] = []
    while at + _ITEM_BYTES < end and len(places) <= MAX_SCANNED_PARTS:
        group, number, length = struct.unpack_from("<HHI", data, at)
        if group << 16 | number != _ITEM:
            raise damaged("DICOM", "its pixel data holds something else than fragments")
        at += _ITEM_BYTES
        if at + length > end:
            raise damaged("DICOM", "a fragment of its pixel data is too long")
        places.append((at, at + length))
        at += length
    if len(places) > MAX_SCANNED_PARTS:
        raise bomb("DICOM", f"more than {MAX_SCANNED_PARTS:,} fragments")
    return places or [(at, at)]


def _fragments_of_first(
    data: bytes, table: tuple[int, int], fragments: list[tuple[int, int]], frames: int
) -> int:
    """How many fragments the first of several pictures has: by the offset table, else by ends of JPEGs."""
    start, end = table
    if end - start >= 8:
        reach: int = end + struct.unpack_from("<I", data, start + 4)[0]
        return max(1, sum(begin - _ITEM_BYTES < reach for begin, _ in fragments))
    if len(fragments) == frames:
        return 1
    ends = (place for place, (_, stop) in enumerate(fragments, 1) if b"\xff\xd9" in data[stop - 10 : stop])
    found = next(ends, None)
    if found is None:
        raise damaged("DICOM", "it does not say where its first picture ends")
    return found


def check_code(frame: bytes, syntax: str, size: tuple[int, int], frame_bytes: int) -> None:
    """Refuse compressed pixels that unfold to another size than the header says.

    Parameters
    ----------
    frame : bytes
        One compressed picture.
    syntax : str
        Transfer syntax UID.
    size : tuple of int
        Width and height after the header.
    frame_bytes : int
        Bytes of the picture that the header describes.

    Raises
    ------
    RefusedInput
        ``damaged``, ``truncated``, ``bomb``, or ``unsupported_format`` for a code whose size is not known.
    """
    if syntax == RUN_LENGTHS:
        _check_run_lengths(frame, frame_bytes)
    elif _coded_size(frame) != size:
        raise damaged("DICOM", "its compressed picture is of another size than its header says")


def _coded_size(frame: bytes) -> tuple[int, int]:
    """Width and height that a JPEG of any kind states."""
    if frame.startswith(_BOXES):
        frame = frame[max(0, frame.find(_JPEG_2000)) :]
    if frame.startswith(_JPEG_2000):
        if len(frame) < 24:
            raise truncated("DICOM")
        right, bottom, left, top = struct.unpack_from(">IIII", frame, 8)
        return right - left, bottom - top
    if frame.startswith(_SOI):
        return _size_of_lossless(frame) or (lambda header: (header.width, header.height))(read_jpeg(frame))
    raise RefusedInput(
        "unsupported_format", "DICOM pixels in this compression are not read; export the image as PNG"
    )


def _size_of_lossless(frame: bytes) -> tuple[int, int] | None:
    """Of a JPEG-LS, whose marker of a frame only it has."""
    at = frame.find(b"\xff\xf7")
    if not 0 < at < 4096 or at + 9 > len(frame):
        return None
    height, width = struct.unpack_from(">HH", frame, at + 5)
    return width, height


def _check_run_lengths(frame: bytes, frame_bytes: int) -> None:
    """Refuse run lengths of more than the picture; a segment's padding is allowed."""
    if len(frame) < 64:
        raise truncated("DICOM")
    count, *offsets = struct.unpack_from("<16I", frame)
    if not 1 <= count <= 15 or any(not 64 <= start <= len(frame) for start in offsets[:count]):
        raise damaged("DICOM", "its run lengths begin outside of the file")
    ends = [*offsets[1:count], len(frame)]
    longest = max(_unpacked(frame, start, end) for start, end in zip(offsets[:count], ends, strict=True))
    if longest * count > 2 * frame_bytes + 4096:
        raise bomb("DICOM", "run lengths that unfold to more than its picture")


def _unpacked(frame: bytes, at: int, end: int) -> int:
    """How many bytes a segment of run lengths unfolds to."""
    total = 0
    while at < end:
        code = frame[at]
        if code < 128:
            total += code + 1
            at += code + 2
        elif code > 128:
            total += 257 - code
            at += 2
        else:
            at += 1
    return total
