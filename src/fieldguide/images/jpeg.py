"""The JPEG container: size, orientation, completeness, and the segments that carry pixels.

Layout after ITU-T T.81 annex B. A JPEG is complete when an end-of-image marker follows its first scan;
whatever comes after that marker (a motion clip, a second picture, padding) is not looked at.
"""

import struct

from fieldguide.images.header import (
    MAX_SCANNED_PARTS,
    Header,
    bomb,
    damaged,
    exif_orientation,
    truncated,
    xmp_orientation,
)

MAX_SCANNED_PIXELS = 400_000_000
"""Scans times pixels: a progressive file of a few KB can order thousands of passes over a huge image."""
SCALES = (1, 2, 4, 8)
"""Divisors that libjpeg can decode at: it leaves out the higher frequencies of each block of 8 x 8 pixels."""
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_NO_LENGTH = {0x00, 0x01, *range(0xD0, 0xD9)}
# JFIF (APP0) and Adobe (APP14) name the colour space; all other application segments are metadata.
_DROPPED = {0xFE, *range(0xE1, 0xEE), 0xEF}
_XMP = b"http://ns.adobe.com/xap/1.0/\0"


def read_jpeg(data: bytes) -> Header:
    """Read a JPEG's segments up to its first scan.

    Raises
    ------
    RefusedInput
        ``truncated``, ``damaged`` or ``bomb``.
    """
    segments, scan_start = _segments(data)
    if data.rfind(b"\xff\xd9", scan_start) < 0:
        raise truncated("JPEG")
    frame = next((item for item in reversed(segments) if item[0] in _FRAMES), None)
    if frame is None or len(frame[1]) < 10 + 3 * frame[1][9]:
        raise damaged("JPEG", "it has no frame header")
    height, width = struct.unpack_from(">HH", frame[1], 5)
    several = frame[0] in _PROGRESSIVE or data[scan_start + 4] < frame[1][9]
    if several:
        _check_scans(data, scan_start, width * height)
    kept = [body for marker, body in segments if marker not in _DROPPED]
    return Header(
        width,
        height,
        payload=b"".join([b"\xff\xd8", *kept, memoryview(data)[scan_start:]]),
        decoder_bytes=1 if frame[1][9] == 1 else 4,
        scales=SCALES,
        unscaled_bytes=_coefficient_bytes(frame[1]) if several else 0,
        orientation=_orientation(segments),
    )


def _segments(data: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """The segments before the first scan, as (marker, bytes with marker), and where that scan starts."""
    segments: list[tuple[int, bytes]] = []
    position = 2
    for _ in range(MAX_SCANNED_PARTS):
        position = data.find(b"\xff", position)
        if position < 0 or position + 4 > len(data):
            raise truncated("JPEG")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _NO_LENGTH:
            position += 2
        elif marker == 0xD9:
            raise damaged("JPEG", "it ends before its first scan")
        else:
            end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
            if end > len(data) or end < position + 4:
                raise truncated("JPEG")
            if marker == 0xDA:
                return segments, position
            segments.append((marker, data[position:end]))
            position = end
    raise bomb("JPEG", "too many segments")


def _check_scans(data: bytes, start: int, pixels: int) -> None:
    scans = data.count(b"\xff\xda", start)
    if scans > 1 and pixels * scans > MAX_SCANNED_PIXELS:
        raise bomb("JPEG", f"{scans} scans over {pixels:,} pixels")


def _coefficient_bytes(body: bytes) -> float:
    """Of libjpeg's 16-bit coefficients, all of which it holds where the image comes in several scans."""
    components = body[9]
    factors = [(body[at] >> 4, body[at] & 15) for at in range(11, 11 + 3 * components, 3)]
    widest, tallest = (max([1, *column]) for column in zip(*factors, strict=True)) if factors else (1, 1)
    return 2 * sum(across * down for across, down in factors) / (widest * tallest)


def _orientation(segments: list[tuple[int, bytes]]) -> int:
    metadata = [body[4:] for marker, body in segments if marker == 0xE1]
    for body in metadata:
        if body.startswith(b"Exif\0\0") and (found := exif_orientation(body)) is not None:
            return found
    packets = (xmp_orientation(body) for body in metadata if body.startswith(_XMP))
    return next((found for found in packets if found is not None), 1)
