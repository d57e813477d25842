"""Pictures of several channels, as microscopes write them: which page holds which channel, and one RGB image.

OME-TIFF says it in XML (https://docs.openmicroscopy.org/ome-model/), ImageJ in lines of text. Both are
searched by patterns: an XML parser is a large thing to hand foreign files to, and a dozen attributes is all
that is needed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST_CHANNELS = 7
"""Channels that are put together; more cannot be told apart in three colours."""
COLOURS = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 255),
    (0, 255, 255),
    (255, 0, 255),
    (255, 255, 0),
)
"""Colours of channels for which the file states none, in ImageJ's order."""
_PIXELS = re.compile(rb"<(?:\w+:)?Pixels\b([^>]*)>([\s\S]*?)(?:</(?:\w+:)?Pixels>|\Z)")
_CHANNEL = re.compile(rb"<(?:\w+:)?Channel\b([^>]*)>")
_TIFF_DATA = re.compile(rb"<(?:\w+:)?TiffData\b([^>]*)>")
_ATTRIBUTE = re.compile(rb"\b(\w+)\s*=\s*[\"']([^\"'<]{0,100})[\"']")
_IMAGEJ_LINE = re.compile(rb"^(\w+)=(\d{1,9})\s*$", re.M)
_MOST_PLACES = 100_000


@dataclass(frozen=True)
class Channels:
    """What a microscope's description says of the first picture in a file."""

    pages: tuple[int, ...]
    """Page of each channel, :data:`MOST_CHANNELS` at most, at the first depth and time."""
    colours: tuple[tuple[int, int, int], ...]
    """Colour of each."""
    bits: int | None = None
    """How many bits of a value count, where that is stated."""


def stated_channels(description: bytes) -> Channels | None:
    r"""Read a TIFF's description; None where it is no microscope's.

    Examples
    --------
    >>> stated_channels(b"ImageJ=1.54f\nimages=6\nchannels=2\nslices=3\n").pages
    (0, 1)
    >>> stated_channels(b"a holiday") is None
    True
    """
    if description.startswith(b"ImageJ="):
        stated = {key: int(value) for key, value in _IMAGEJ_LINE.findall(description)}
        count = min(max(stated.get(b"channels", 1), 1), MOST_CHANNELS)
        return Channels(tuple(range(count)), COLOURS[:count])
    pixels = _PIXELS.search(description) if b"OME" in description[:10_000] else None
    return _ome_channels(pixels[1], pixels[2]) if pixels else None


def composed(planes: Iterable[NDArray[np.uint8]], colours: Iterable[tuple[int, int, int]]) -> Image.Image:
    """Add channels up, each in its colour; what is brighter than white is white.

    Parameters
    ----------
    planes
        Grey images of shape (height, width), all the same.
    colours
        Red, green and blue of each, 0 to 255.

    Examples
    --------
    >>> half = np.full((1, 1), 128, np.uint8)
    >>> composed([half, half], [(255, 0, 0), (255, 255, 255)]).getpixel((0, 0))
    (255, 128, 128)
    """
    total: NDArray[np.uint16] | None = None
    for plane, colour in zip(planes, colours, strict=True):
        if total is None:
            total = np.zeros((*plane.shape, 3), np.uint16)
        for band, strength in enumerate(colour):
            if strength:
                part = plane if strength == 255 else (plane * (strength / 255)).astype(np.uint8)
                np.add(total[..., band], part, out=total[..., band])
    if total is None:
        raise ValueError("at least one channel is needed")
    return Image.fromarray(np.minimum(total, 255, out=total).astype(np.uint8))


def _ome_channels(head: bytes, inside: bytes) -> Channels:
    stated = _attributes(head)
    sizes = {axis: max(1, _whole(stated, b"Size" + axis.encode(), 1)) for axis in "CZT"}
    each = [_attributes(found) for found in _CHANNEL.findall(inside)]
    # A channel of several samples is a colour picture: it takes one page, however many SizeC counts.
    samples = max(1, _whole(each[0], b"SamplesPerPixel", 1)) if each else 1
    count = min(-(-sizes["C"] // samples), MOST_CHANNELS)
    colours = [_colour(channel) for channel in each[:count]]
    chosen = [colour for colour in colours if colour is not None]
    return Channels(
        _ome_pages(inside, sizes, stated.get(b"DimensionOrder", b"XYZCT").decode("latin-1"), count),
        tuple(chosen) if len(chosen) == count else COLOURS[:count],
        _bits(stated),
    )


def _ome_pages(inside: bytes, sizes: dict[str, int], order: str, count: int) -> tuple[int, ...]:
    places = [_attributes(found) for found in _TIFF_DATA.findall(inside)[:_MOST_PLACES]]
    listed = {
        _whole(place, b"FirstC", 0): _whole(place, b"IFD", 0)
        for place in reversed(places)
        if _whole(place, b"FirstZ", 0) == 0 and _whole(place, b"FirstT", 0) == 0
    }
    if all(channel in listed for channel in range(count)):
        return tuple(listed[channel] for channel in range(count))
    step = 1
    for axis in order[2:]:
        if axis == "C":
            break
        step *= sizes.get(axis, 1)
    return tuple(channel * step for channel in range(count))


def _bits(stated: dict[bytes, bytes]) -> int | None:
    bits = _whole(stated, b"SignificantBits", 0)
    return bits if 1 <= bits <= 16 else None


def _attributes(text: bytes) -> dict[bytes, bytes]:
    return dict(_ATTRIBUTE.findall(text))


def _whole(attributes: dict[bytes, bytes], name: bytes, default: int) -> int:
    value = attributes.get(name, b"")
    return int(value) if re.fullmatch(rb"\d{1,9}", value) else default


def _colour(channel: dict[bytes, bytes]) -> tuple[int, int, int] | None:
    """Red, green and blue of a channel; OME has them and opacity in one signed 32-bit number."""
    value = channel.get(b"Color", b"")
    if not re.fullmatch(rb"-?\d{1,10}", value):
        return None
    number = int(value) % (1 << 32)
    return (number >> 24, number >> 16 & 255, number >> 8 & 255)
