"""What an image file says before anything is decoded, and what of the file its decoder is given.

Every format has a reader that walks the container, never the pixels. It answers three questions: how many
pixels will there be (so that a bomb is refused for free), is the file complete (so that half a photo is not
taken for a whole one), and which bytes does the decoder need. Metadata stays out of those bytes: Pillow
turns odd metadata into Python warnings, which nobody can silence in one thread alone, and metadata is where
compressed bombs hide. The one tag that changes pixels, the orientation, is read here.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from fieldguide.errors import RefusedInput

MAX_SCANNED_PARTS = 100_000
"""Segments, chunks, blocks or tiles walked in one file; real photos have at most a few thousand."""
ORIENTATION_TAG = 0x0112
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


@dataclass(frozen=True)
class Header:
    """One image file, as its container describes it."""

    width: int
    """Pixels across, before the image is turned upright."""
    height: int
    """Pixels down, before the image is turned upright."""
    payload: bytes
    """The file without metadata and later frames: what the decoder is given."""
    decoder_bytes: float
    """Bytes a pixel that the decoder holds at its peak, its result included."""
    orientation: int = 1
    """EXIF orientation, 1 to 8; 1 is upright."""
    white: int = 65535
    """The value of white where grey has more than 8 bits."""
    bits: int = 8
    """Bits of a channel, as far as the format has more than 8."""
    max_pixels: int | None = None
    """A cap below the general one, where this kind of file decodes slowly."""
    scales: tuple[int, ...] = (1,)
    """Divisors at which the decoder can give a smaller image at once, in ascending order."""
    unscaled_bytes: float = 0
    """Bytes a pixel that the decoder holds besides, at every scale."""
    decode: Callable[[bytes], Image.Image] | None = None
    """From `payload` to an image, where Pillow does not know the format by itself."""


def truncated(kind: str) -> RefusedInput:
    """The refusal of a file whose end is missing."""
    return RefusedInput("truncated", f"the {kind} file ends too early; copy or download it again")


def damaged(kind: str, what: str) -> RefusedInput:
    """The refusal of a file whose container contradicts itself."""
    return RefusedInput("damaged", f"the {kind} file is damaged ({what}); copy it or save it again")


def bomb(kind: str, what: str) -> RefusedInput:
    """The refusal of a file built to exhaust memory or time."""
    return RefusedInput("bomb", f"the {kind} file has {what}; save it again without its metadata")


def exif_orientation(block: bytes) -> int | None:
    """Read the orientation from an EXIF block; None where it holds none.

    Only the first directory is read, in one pass, so a directory that points at itself costs nothing.
    """
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return None
    (start,) = struct.unpack_from(order + "I", block, 4)
    if start + 2 > len(block):
        return None
    (count,) = struct.unpack_from(order + "H", block, start)
    for position in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, _ = struct.unpack_from(order + "HHI", block, position)
        if tag == ORIENTATION_TAG:
            form = {1: "B", 3: "H", 4: "I"}.get(kind)
            value = struct.unpack_from(order + form, block, position + 8)[0] if form else 1
            return int(value) if 1 <= value <= 8 else 1
    return None


def xmp_orientation(packet: bytes) -> int | None:
    """Read the orientation from an XMP packet; None where it holds none."""
    found = _XMP_ORIENTATION.search(packet)
    return int(found[1]) if found else None
