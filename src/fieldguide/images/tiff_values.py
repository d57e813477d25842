"""TIFFs of values that Pillow does not know, such as 64-bit floats or five channels a pixel, by tifffile.

tifffile reads whatever a directory claims, unfolds without a limit and reports what it finds odd in a log.
So it is given a small file made for it: the picture's strips or tiles, unfolded here to the length that the
header states, and the few tags that say how they are laid out.
"""

import importlib
import importlib.util
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fieldguide.errors import RefusedInput
from fieldguide.images.channels import COLOURS, MOST_CHANNELS, composed
from fieldguide.images.header import damaged, truncated
from fieldguide.images.modes import grey_range
from fieldguide.images.tiff_directory import Directory
from fieldguide.images.tiff_page import (
    BITS,
    COMPRESSION,
    HEIGHT,
    PHOTOMETRIC,
    PLACES,
    PLANAR,
    SAMPLE_FORMAT,
    SAMPLES,
    WIDTH,
    bits_of_page,
    raw_lengths,
)
from fieldguide.installation import command_for

_UNCOMPRESSED, _DEFLATE = 1, (8, 32946)
_HORIZONTAL = 2
_PREDICTOR, _EXTRA_SAMPLES = 317, 338
_OPACITY = (1, 2)
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_VALUES = {_UNSIGNED: (8, 16, 32, 64), _SIGNED: (8, 16, 32, 64), _FLOAT: (16, 32, 64)}
_MISREAD = {(_SIGNED, 8), (_UNSIGNED, 32)}
"""Read by Pillow with the other sign."""
_AS_THEY_ARE = {(_UNSIGNED, 8), (_UNSIGNED, 16)}
"""Need no range of their own."""
_GREY_OR_RGB = (0, 1, 2)
_WHITE_IS_ZERO, _RGB = 0, 2
_KEPT = (256, 257, 258, 262, 266, 277, 278, 284, 317, 322, 323, 338, 339)


def needs_tifffile(payload: bytes, page: Directory) -> bool:
    """Whether Pillow cannot read a picture that is laid out in a way that makes sense.

    Parameters
    ----------
    payload
        A file that holds this picture only.
    page
        Its directory.
    """
    kind = page.number(SAMPLE_FORMAT, _UNSIGNED)
    if not page.number(WIDTH, 0) or not page.number(HEIGHT, 0):
        return False
    if bits_of_page(page) not in _VALUES.get(kind, ()) or page.number(PHOTOMETRIC, 1) not in _GREY_OR_RGB:
        return False
    if len({*page.values(BITS)}) != 1 or len({*page.values(SAMPLE_FORMAT)}) > 1:
        return False
    if (kind, bits_of_page(page)) in _MISREAD or _has_grey_channels(page) or _is_colour_by_planes(page):
        return True
    try:
        Image.open(io.BytesIO(payload), formats=("TIFF",)).close()
    except UnidentifiedImageError:
        return True
    return False


def _has_grey_channels(page: Directory) -> bool:
    """Whether there are several values a pixel that are no colour and no opacity; Pillow takes the first."""
    samples, extra = page.number(SAMPLES, 1), page.values(_EXTRA_SAMPLES)
    if samples == 1 or page.number(PHOTOMETRIC, 1) == _RGB:
        return False
    return not (samples == 2 and extra and extra[0] in _OPACITY)


def _is_colour_by_planes(page: Directory) -> bool:
    """Whether it is colour of 16 bits, plane by plane and uncompressed, of which Pillow makes noise."""
    uncompressed = page.number(COMPRESSION, 1) == _UNCOMPRESSED
    return uncompressed and page.number(PLANAR, 1) == 2 and bits_of_page(page) > 8


def check_values(page: Directory) -> None:
    """Refuse what cannot be given to tifffile, or that tifffile is missing."""
    if importlib.util.find_spec("tifffile") is None:
        raise RefusedInput(
            "plugin_missing",
            "a TIFF with such values (more than 32 bits, or several channels a pixel) needs a package that "
            f"is not installed: {command_for('microscopy')}",
        )
    compression = page.number(COMPRESSION, 1)
    if compression not in (_UNCOMPRESSED, *_DEFLATE):
        raise RefusedInput(
            "unsupported_format",
            f"a TIFF with such values (more than 32 bits, or several channels a pixel) is not read with "
            f"compression {compression}; save it uncompressed or with Deflate (zlib)",
        )
    if compression != _UNCOMPRESSED and page.number(_PREDICTOR, 1) > _HORIZONTAL:
        raise RefusedInput(
            "unsupported_format",
            f"a TIFF with predictor {page.number(_PREDICTOR, 1)} is not read; save it without a predictor",
        )


def values_decoder_bytes(page: Directory) -> float:
    """Bytes a pixel: strips, the file made of them, the array, odd types as floats; channels, their sum."""
    samples, bits = page.number(SAMPLES, 1), bits_of_page(page)
    floats = 0 if (page.number(SAMPLE_FORMAT, _UNSIGNED), bits) in _AS_THEY_ARE else 4
    return samples * (3 * bits / 8 + floats) + 13


def decode_values(page: Directory, white: int, data: bytes) -> Image.Image:
    """A picture as an image that Pillow knows: grey of any depth, or RGB where it has several channels.

    Raises
    ------
    RefusedInput
        ``damaged`` or ``truncated``.
    """
    # No warnings of tifffile's reach anyone: the file is made here, and holds nothing odd but its pixels.
    tifffile: Any = importlib.import_module("tifffile")
    with tifffile.TiffFile(io.BytesIO(_plain_file(data, page))) as file:
        found = file.pages[0]
        array: NDArray[Any] = found.asarray(maxworkers=1)
        axes: str = found.axes
    height, width = page.number(HEIGHT, 0), page.number(WIDTH, 0)
    if axes == "SYX":
        array = np.moveaxis(array, 0, -1)
    elif axes not in ("YX", "YXS"):
        raise damaged("TIFF", "its pixels are laid out in no known way")
    array = array.reshape(height, width, -1)
    if page.number(PHOTOMETRIC, 1) == _WHITE_IS_ZERO:
        array = _inverted(array)
    if array.shape[2] == 1:
        return _as_pillow(array[..., 0])
    colour = page.number(PHOTOMETRIC, 1) == _RGB
    array = array[..., : 3 if colour else MOST_CHANNELS]
    return composed(_grey_planes(array, white, colour=colour), COLOURS[: array.shape[2]])


def _grey_planes(array: NDArray[Any], white: int, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
    """Channels one by one as grey of 8 bits, all by one range; a colour of 16 bits as Pillow has it."""
    low, high = 0.0, float(white) if array.dtype == np.uint16 else 255.0
    if array.dtype not in (np.uint8, np.uint16):
        low, high = grey_range(_as_pillow(array.reshape(array.shape[0], -1)))
    for channel in range(array.shape[2]):
        plane = array[..., channel]
        if colour and array.dtype == np.uint16:
            yield (plane >> 8).astype(np.uint8)
        else:
            yield _grey(plane, low, high)


def _grey(plane: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Values from `low` to `high` as 0 to 255, row by row so that floats take little room."""
    grey = np.empty(plane.shape, np.uint8)
    for row, values in enumerate(plane):
        fractions = (values.astype(np.float64) - low) / max(high - low, 1e-30)
        fractions = np.nan_to_num(fractions, nan=0.0, posinf=1.0, neginf=0.0)
        grey[row] = np.rint(np.clip(fractions, 0.0, 1.0) * 255.0)
    return grey


def _as_pillow(plane: NDArray[Any]) -> Image.Image:
    if plane.dtype == np.uint8:
        return Image.fromarray(np.ascontiguousarray(plane))
    if plane.dtype == np.uint16:
        return Image.fromarray(np.ascontiguousarray(plane, np.dtype("<u2")))
    # What is larger than any float of 32 bits becomes infinite, which is white.
    with np.errstate(over="ignore"):
        return Image.fromarray(plane.astype(np.float32))


def _inverted(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype in (np.uint8, np.uint16):
        return ~array
    return -array.astype(np.float64)


def _plain_file(data: bytes, page: Directory) -> bytes:
    """A TIFF of one picture, its tags all of type LONG, whose strips unfold to what they must."""
    order = "<" if data[:2] == b"II" else ">"
    offsets, counts = next(pair for pair in PLACES if page.values(pair[0]))
    pieces = _pieces(data, page, (offsets, counts))
    folded = page.number(COMPRESSION, 1) != _UNCOMPRESSED and page.number(_PREDICTOR, 1) == _HORIZONTAL
    if folded:
        # tifffile undoes a predictor of compressed files only; level 0 stores them as they are.
        pieces = [zlib.compress(piece, 0) for piece in pieces]
    starts, at = [], 8
    for piece in pieces:
        starts.append(at)
        at += len(piece)
    tags = {number: page.values(number) for number in _KEPT if page.values(number)}
    compression = _DEFLATE[0] if folded else _UNCOMPRESSED
    tags |= {COMPRESSION: (compression,), offsets: tuple(starts), counts: tuple(map(len, pieces))}
    directory, arrays = _directory(tags, order, at)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return b"".join([magic, struct.pack(order + "I", at + len(arrays)), *pieces, arrays, directory])


def _directory(tags: dict[int, tuple[int, ...]], order: str, at: int) -> tuple[bytes, bytes]:
    """A directory, and the lists of numbers that lie before it from byte `at` on."""
    entries, arrays = [], b""
    for number, values in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            place = struct.pack(order + "I", at + len(arrays))
            arrays += packed
            packed = place
        entries.append(struct.pack(order + "HHI", number, 4, len(values)) + packed)
    return struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4), arrays


def _pieces(data: bytes, page: Directory, places: tuple[int, int]) -> list[bytes]:
    """Strips or tiles, unfolded, each as long as the header states."""
    starts, stated = page.values(places[0]), page.values(places[1])
    lengths = raw_lengths(page, len(starts))
    if page.number(COMPRESSION, 1) == _UNCOMPRESSED:
        return [data[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    if len(stated) != len(starts):
        raise damaged("TIFF", f"it lists {len(stated):,} lengths of {len(starts):,} strips or tiles")
    return [
        _unfolded(data[start : start + size], length)
        for start, size, length in zip(starts, stated, lengths, strict=True)
    ]


def _unfolded(packed: bytes, length: int) -> bytes:
    try:
        plain = zlib.decompressobj().decompress(packed, max(1, length))
    except zlib.error as error:
        raise damaged("TIFF", "a strip or tile cannot be unfolded") from error
    if len(plain) < length:
        raise truncated("TIFF")
    return plain
