"""The TIFF container: size, orientation, completeness, and the tags that carry pixels.

Only the first picture is read, or where a microscope wrote its channels as pages, that of each channel at the
first depth and time. A new directory that holds just the tags needed for pixels is put at the end of the
file, and the file's header points there. Camera raw in this container goes to
:mod:`fieldguide.images.camera_raw`, values that Pillow does not know to :mod:`fieldguide.images.tiff_values`.
"""

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.camera_raw import is_camera_raw, read_tiff_preview
from fieldguide.images.channels import Channels, composed, stated_channels
from fieldguide.images.header import ORIENTATION_TAG, Header, truncated, xmp_orientation
from fieldguide.images.modes import upright_rgb
from fieldguide.images.tiff_directory import (
    Directory,
    TiffLayout,
    first_offset,
    layout_of,
    read_directory,
    text_of,
)
from fieldguide.images.tiff_page import (
    DESCRIPTION,
    HEIGHT,
    SAMPLES,
    WANTED,
    WIDTH,
    XMP,
    bits_of_page,
    check_page,
    only_page,
    page_decoder_bytes,
)
from fieldguide.images.tiff_values import check_values, decode_values, needs_tifffile, values_decoder_bytes

_MOST_PAGES = 10_000
"""So far a channel's page is looked for."""
_COMPOSING_BYTES = 16
"""Bytes a pixel for putting channels together: one, as RGB and as grey; their sum, the result."""


@dataclass(frozen=True)
class _Picture:
    """One picture and how it becomes an image."""

    page: Directory
    payload: bytes
    """What its decoder is given."""
    decoder_bytes: float
    decode: Callable[[bytes], Image.Image] | None
    """None where Pillow does it."""


def read_tiff(data: bytes) -> Header:
    """Read the first picture of a TIFF or BigTIFF.

    Raises
    ------
    RefusedInput
        ``truncated``, ``damaged``, ``bomb``, ``unsupported_format``, or ``plugin_missing`` for values that
        need tifffile.
    """
    if len(data) < 16:
        raise truncated("TIFF")
    layout = layout_of(data)
    page = read_directory(data, layout, first_offset(data, layout), WANTED)
    if is_camera_raw(data, layout, page):
        return read_tiff_preview(data)
    channels = stated_channels(text_of(data, layout, page.tags.get(DESCRIPTION)))
    bits = channels.bits if channels and channels.bits and bits_of_page(page) == 16 else bits_of_page(page)
    white = 2**bits - 1 if 8 < bits < 16 else 65535
    picture = _picture(data, layout, page, white)
    header = Header(
        page.number(WIDTH, 0),
        page.number(HEIGHT, 0),
        payload=picture.payload,
        decoder_bytes=picture.decoder_bytes,
        orientation=_orientation(data, page, layout),
        white=white,
        bits=bits,
        decode=picture.decode,
    )
    pages = _channel_pages(data, layout, page, channels) if channels else []
    return _put_together(data, layout, header, pages, channels) if channels and len(pages) > 1 else header


def _picture(data: bytes, layout: TiffLayout, page: Directory, white: int) -> _Picture:
    check_page(data, page)
    payload = only_page(data, layout, page)
    if not needs_tifffile(payload, page):
        return _Picture(page, payload, page_decoder_bytes(page), None)
    check_values(page)
    decode = functools.partial(decode_values, page, white)
    return _Picture(page, data, values_decoder_bytes(page), decode)


def _channel_pages(data: bytes, layout: TiffLayout, first: Directory, channels: Channels) -> list[Directory]:
    """The directories of all channels; none where the file holds fewer pages than its description names."""
    wanted = channels.pages
    if first.number(SAMPLES, 1) != 1 or len(wanted) < 2 or max(wanted) >= _MOST_PAGES:
        return []
    found, page, seen = {0: first}, first, 0
    while seen < max(wanted) and page.following:
        seen += 1
        page = read_directory(data, layout, page.following, WANTED)
        found[seen] = page
    pages = [found[number] for number in wanted if number in found]
    return pages if len(pages) == len(wanted) and len({_shape(one) for one in pages}) == 1 else []


def _shape(page: Directory) -> tuple[int, int, int]:
    return page.number(WIDTH, 0), page.number(HEIGHT, 0), page.number(SAMPLES, 1)


def _put_together(
    data: bytes, layout: TiffLayout, header: Header, pages: list[Directory], channels: Channels
) -> Header:
    pictures = [_picture(data, layout, page, header.white) for page in pages]
    pixels = max(1, header.width * header.height)
    costs = max(picture.decoder_bytes for picture in pictures) + _COMPOSING_BYTES
    return replace(
        header,
        payload=data,
        # Each picture is decoded from a copy of the file with a directory of its own.
        decoder_bytes=costs + len(data) / pixels,
        decode=functools.partial(_decoded_channels, layout, pages, channels, header.white),
    )


def _decoded_channels(
    layout: TiffLayout, pages: list[Directory], channels: Channels, white: int, data: bytes
) -> Image.Image:
    planes = (_grey(_picture(data, layout, page, white), white) for page in pages)
    return composed(planes, channels.colours)


def _grey(picture: _Picture, white: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    if picture.decode is not None:
        image = picture.decode(picture.payload)
    else:
        image = Image.open(io.BytesIO(picture.payload), formats=("TIFF",))
    try:
        image.load()
    except OSError as error:
        raise RefusedInput("damaged", "a channel of the TIFF cannot be decoded; save it again") from error
    return np.asarray(upright_rgb(image, 1, white).getchannel(0))


def _orientation(data: bytes, page: Directory, layout: TiffLayout) -> int:
    if ORIENTATION_TAG in page:
        value = page.number(ORIENTATION_TAG, 1)
        return value if 1 <= value <= 8 else 1
    return xmp_orientation(text_of(data, layout, page.tags.get(XMP))) or 1
