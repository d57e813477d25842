"""Camera raw through the JPEG that the camera put beside its sensor's values.

That preview is what the camera shows on its screen, so it is nearer to the photos that people learn from than
anything developed here, and it is read by the same careful reader as any JPEG. LibRaw (by rawpy) was left
out: hundreds of megabytes of memory and seconds a photo, in a decoder of foreign files with a history of
holes. Most cameras' files are TIFFs (DNG, CR2, NEF, ARW, PEF, SRW, RW2); Fujifilm's names the place in its
header; of ORF and CR3 the marks of JPEG are looked for.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import replace

from PIL import Image, JpegImagePlugin

from fieldguide.errors import RefusedInput
from fieldguide.images.header import ORIENTATION_TAG, Header, exif_orientation, truncated
from fieldguide.images.jpeg import read_jpeg
from fieldguide.images.tiff_directory import (
    Directory,
    TiffLayout,
    WantedTags,
    first_offset,
    layout_of,
    read_directory,
)

MIN_SIDE = 200
"""Pixels of the shorter side: anything smaller is an icon for lists of files."""
_COMPRESSION, _PHOTOMETRIC, _STRIPS, _STRIP_BYTES, _SUB_DIRECTORIES = 259, 262, 273, 279, 330
_JPEG_START, _JPEG_BYTES, _PANASONIC_JPEG, _DNG_VERSION = 513, 514, 46, 50706
_WANTED = WantedTags(
    frozenset(
        {_COMPRESSION, _PHOTOMETRIC, _STRIPS, _STRIP_BYTES, _SUB_DIRECTORIES, ORIENTATION_TAG}
        | {_JPEG_START, _JPEG_BYTES}
    )
)
_SENSOR = {32803, 34892}
"""Photometric interpretations of a sensor's values: a mosaic of colours, linear raw."""
_SENSOR_COMPRESSIONS = {32767, 32769, 32770, 34713, 34892, 65000, 65535}
"""Those of Sony, Epson and others, Samsung, Nikon, lossy DNG, Kodak, Pentax."""
_JPEG_COMPRESSIONS = {6, 7}
_MOST_DIRECTORIES = 32
_MOST_MARKS = 10_000
_FRAMES = {0xC0, 0xC1, 0xC2}
"""Baseline, extended and progressive JPEG; lossless JPEG (C3) is how sensors' values are stored."""


def is_camera_raw(data: bytes, layout: TiffLayout, first: Directory) -> bool:
    """Whether a TIFF holds a sensor's values: it says so, in a directory of its own or one below it."""
    if _DNG_VERSION in first:
        return True
    return any(
        found.number(_PHOTOMETRIC, 1) in _SENSOR or found.number(_COMPRESSION, 1) in _SENSOR_COMPRESSIONS
        for found in _directories(data, layout, follow=False)
    )


def read_camera_raw(data: bytes) -> Header:
    """Read the preview of a camera raw file, known as such by its first bytes.

    Raises
    ------
    RefusedInput
        ``unsupported_format`` where it holds no preview that is large enough, and as a JPEG is refused.
    """
    if data.startswith(b"FUJIFILMCCD-RAW"):
        return _fujifilm(data)
    if data[4:8] == b"ftyp":
        mark = data.find(b"CMT1")
        stated = exif_orientation(data[mark + 4 : mark + 4096]) if mark >= 0 else None
        return _header(data, _marked(data), stated)
    if data[:3] in (b"IIR", b"MMO"):
        return _header(data, _marked(data), exif_orientation(data))
    return read_tiff_preview(data)


def read_tiff_preview(data: bytes) -> Header:
    """The same for a raw file in a TIFF's container."""
    if len(data) < 16:
        raise truncated("camera raw")
    layout = layout_of(data)
    directories = list(_directories(data, layout, follow=True))
    orientation = directories[0].number(ORIENTATION_TAG, 1) if directories else 1
    places = [place for found in directories for place in _places(data, layout, found)]
    return _header(data, places, orientation)


def _fujifilm(data: bytes) -> Header:
    if len(data) < 92:
        raise truncated("camera raw")
    start, size = struct.unpack_from(">II", data, 84)
    return _header(data, [(start, size)], None)


def _header(data: bytes, places: list[tuple[int, int]], orientation: int | None) -> Header:
    """The largest of the JPEGs that lie at these places, upright as the raw file says, else as it says."""
    sizes = {place: found for place in places if (found := _jpeg_size(data, place[0])) is not None}
    best = max(sizes, key=lambda place: sizes[place][0] * sizes[place][1], default=None)
    if best is None or min(sizes[best]) < MIN_SIDE:
        if any(start < len(data) < start + size for start, size in places):
            raise truncated("camera raw")
        raise RefusedInput(
            "unsupported_format",
            f"this camera raw file holds no JPEG preview of {MIN_SIDE} pixels or more; develop it to JPEG or "
            "TIFF (Lightroom, darktable, RawTherapee), or have the camera save JPEG as well",
        )
    start, size = best
    if start + size > len(data):
        raise truncated("camera raw")
    preview = read_jpeg(data[start : start + size])
    upright = orientation if orientation is not None and 1 <= orientation <= 8 else preview.orientation
    return replace(preview, orientation=upright, decode=_opened)


def _opened(payload: bytes) -> Image.Image:
    return JpegImagePlugin.JpegImageFile(io.BytesIO(payload))


def _directories(data: bytes, layout: TiffLayout, *, follow: bool) -> Iterator[Directory]:
    """The first directory, those below it, and with `follow` those after it; damaged ones are passed over."""
    waiting, seen = [first_offset(data, layout)], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        start = waiting.pop(0)
        if start in seen:
            continue
        seen.add(start)
        try:
            found = read_directory(data, layout, start, _WANTED)
        except RefusedInput:
            continue
        yield found
        waiting += found.values(_SUB_DIRECTORIES)[:_MOST_DIRECTORIES]
        if follow and found.following:
            waiting.append(found.following)


def _places(data: bytes, layout: TiffLayout, found: Directory) -> Iterator[tuple[int, int]]:
    """Where a directory says that a JPEG lies, and how long it is."""
    if found.number(_PHOTOMETRIC, 6) in _SENSOR:
        return
    if _JPEG_START in found and _JPEG_BYTES in found:
        yield found.number(_JPEG_START, 0), found.number(_JPEG_BYTES, 0)
    starts, sizes = found.values(_STRIPS), found.values(_STRIP_BYTES)
    if found.number(_COMPRESSION, 1) in _JPEG_COMPRESSIONS and len(starts) == len(sizes) == 1:
        yield starts[0], sizes[0]
    panasonic = found.tags.get(_PANASONIC_JPEG)
    if panasonic is not None and panasonic.count > len(panasonic.raw):
        yield struct.unpack(layout.offset, panasonic.raw)[0], panasonic.count


def _marked(data: bytes) -> list[tuple[int, int]]:
    """Where JPEGs may begin; how long they are is not known."""
    places, at = [], -1
    for _ in range(_MOST_MARKS):
        at = data.find(b"\xff\xd8\xff", at + 1)
        if at < 0:
            break
        places.append((at, len(data) - at))
    return places


def _jpeg_size(data: bytes, at: int) -> tuple[int, int] | None:
    """Width and height of a JPEG that Pillow can read and that begins here; None where there is none."""
    if data[at : at + 2] != b"\xff\xd8":
        return None
    at += 2
    for _ in range(200):
        if at + 9 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            # Sensors' values are sometimes stored as JPEG of 12 bits or of 2 or 4 channels.
            return (width, height) if data[at + 4] == 8 and data[at + 9 : at + 10] in (b"\1", b"\3") else None
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
