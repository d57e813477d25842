"""Bytes, a path, a Pillow image or an array become one thing: an upright RGB image, or a refusal with a code.

Training, the command line and the server read through this module, so that all see the same pixels. The
content decides, never the name. What a file claims is checked before anything is decoded, and whatever a
decoder raises on hostile bytes leaves as :class:`~fieldguide.errors.RefusedInput`. See docs/images.md.
"""

import functools
import importlib
import importlib.util
import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, features

from fieldguide.errors import RefusedInput
from fieldguide.images.camera_raw import read_camera_raw
from fieldguide.images.containers import read_avif, read_bmp, read_gif, read_webp
from fieldguide.images.dicom.reader import read_dicom
from fieldguide.images.formats import IMAGE_SUFFIXES, RAW, identify, mismatch
from fieldguide.images.header import Header, exif_orientation, xmp_orientation
from fieldguide.images.jpeg import read_jpeg
from fieldguide.images.modes import SOURCE_BYTES, is_finished, turned_by_file, upright_rgb
from fieldguide.images.png import read_png
from fieldguide.images.tiff import read_tiff
from fieldguide.installation import command_for
from fieldguide.storage.object_store import ObjectUrl, read_object

__all__ = ["CODES", "IMAGE_SUFFIXES", "bits_of", "mismatch", "open_image", "read_bytes"]

CODES: dict[str, str] = {
    "missing": "there is no such file",
    "unreadable": "the file exists but may not or cannot be read",
    "not_a_file": "the path is a folder, a pipe or a device",
    "empty": "the file holds no bytes",
    "too_large": "the file has more bytes than are read",
    "unreachable": "the object store gave no answer, also after retries",
    "not_an_image": "the content is something else: a web page, a document, an archive",
    "unsupported_format": "an image of a format that is not read",
    "plugin_missing": "an image of a format whose package is not installed",
    "truncated": "the end of the file is missing",
    "damaged": "the file contradicts itself or cannot be decoded",
    "no_pixels": "width or height is zero",
    "too_many_pixels": "decoding would take more memory than is allowed",
    "bomb": "the file is built to exhaust memory or time",
    "wrong_type": "neither a path, bytes, a Pillow image nor an array of pixels",
}
"""Code of a refusal to its meaning in one line."""

MAX_FILE_BYTES = 100_000_000
"""A file above this size is refused unread."""
MAX_PIXELS = 64_000_000
"""An image of more pixels is refused before decoding, whatever its kind."""
MAX_SCALED_PIXELS = 256_000_000
"""The same for a file that its decoder can give smaller at once, which then is within all other limits."""
MAX_DECODING_BYTES = 280_000_000
"""Pixels times what their kind costs a pixel, plus the file, may not exceed this."""

_READERS: dict[str, Callable[[bytes], Header]] = {
    "JPEG": read_jpeg,
    "PNG": read_png,
    "GIF": read_gif,
    "BMP": read_bmp,
    "TIFF": read_tiff,
    "WEBP": read_webp,
    "AVIF": read_avif,
    "HEIF": read_avif,
    "DICOM": read_dicom,
    RAW: read_camera_raw,
}
_PLUGINS = {"HEIF": ("pillow_heif", "heic"), "DICOM": ("pydicom", "medical")}
"""Format to the library that decodes it and the extra that brings it."""


ImageSource: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""A path, the bytes of a file, a Pillow image, or an array of RGB pixels."""


@dataclass(frozen=True)
class Opened:
    """An image, and how large it was before its decoder made it smaller."""

    image: Image.Image
    """Mode RGB, fully decoded, turned upright, without metadata."""
    size: tuple[int, int]
    """Width and height of the upright image as its file states them, in pixels."""


def open_image(source: ImageSource) -> Image.Image:
    """Open one image as upright RGB.

    Parameters
    ----------
    source
        A path, the bytes of a file, a Pillow image, or an array of shape (height, width),
        (height, width, 3) or (height, width, 4), uint8.

    Returns
    -------
    Image
        Mode RGB, fully decoded, turned upright, without metadata. Of an animation, the first frame. A JPEG
        above 64 million pixels comes at a half or less of its size.

    Raises
    ------
    RefusedInput
        With one of :data:`CODES`. Nothing else is raised, whatever the bytes are.
    """
    return open_scaled(source, None).image


def open_scaled(source: ImageSource, least: int | None) -> Opened:
    """Open one image as upright RGB, at the smallest scale that its decoder has at once and `least` allows.

    Parameters
    ----------
    source
        As for :func:`open_image`.
    least
        Pixels that both sides keep; None keeps all that fit.

    Raises
    ------
    RefusedInput
        With one of :data:`CODES`. Nothing else is raised, whatever the bytes are.
    """
    try:
        if isinstance(source, Image.Image):
            return _whole(_from_pillow(source))
        if isinstance(source, np.ndarray):
            return _whole(_from_array(source))
        if isinstance(source, (bytes, bytearray, memoryview)):
            return _from_bytes(bytes(source), least)
        if isinstance(source, (str, os.PathLike)):
            return _from_bytes(read_bytes(source), least)
    except RefusedInput:
        raise
    except Exception as error:
        raise _refusal(error) from error
    got = type(source).__name__
    raise RefusedInput("wrong_type", f"an image is a path, bytes, a Pillow image or a uint8 array; got {got}")


def _whole(image: Image.Image) -> Opened:
    return Opened(image, image.size)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read an image file once, whole; an :class:`ObjectUrl`, and no other text, from its object store.

    Raises
    ------
    RefusedInput
        ``missing``, ``unreadable``, ``unreachable``, ``not_a_file``, ``empty`` or ``too_large``.
    """
    data = read_object(path, MAX_FILE_BYTES) if isinstance(path, ObjectUrl) else _read_file(path)
    if not data:
        raise RefusedInput("empty", "the file holds no bytes; copy or download it again")
    return data


def _read_file(path: str | os.PathLike[str]) -> bytes:
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            _check_status(status)
            return file.read(status.st_size)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise RefusedInput("missing", "there is no such file; check the path") from error
    except IsADirectoryError as error:
        raise RefusedInput("not_a_file", "this is a folder, not an image file") from error
    except OSError as error:
        raise RefusedInput("unreadable", f"the file cannot be read ({error.strerror})") from error


def bits_of(data: bytes) -> int:
    """Bits of a channel that an image file states, 8 where its format has no more.

    Raises
    ------
    RefusedInput
        With one of :data:`CODES`, if it is no image file whose header can be read.
    """
    return _READERS[identify(data)](data).bits


def _check_status(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise RefusedInput("not_a_file", "this is a folder, a pipe or a device, not an image file")
    _check_file_size(status.st_size)


def _check_file_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise RefusedInput(
            "too_large",
            f"the file has {size / 1e6:,.0f} MB; at most {MAX_FILE_BYTES / 1e6:,.0f} MB are read; shrink it",
        )


def _from_bytes(data: bytes, least: int | None) -> Opened:
    if not data:
        raise RefusedInput("empty", "the file holds no bytes; copy or download it again")
    _check_file_size(len(data))
    kind = identify(data)
    _check_plugin(kind)
    header = _READERS[kind](data)
    # From here on the decoder's share is enough; the whole file would count against the memory limit.
    del data
    scale = _scale(header, least)
    held = len(header.payload) * (2 if kind in ("WEBP", "AVIF", "HEIF") else 1)
    held += int(header.width * header.height * header.unscaled_bytes)
    _check_header(header, scale, held)
    # The container reader has seen to it that Pillow finds nothing to warn about: filters of Python
    # warnings belong to the whole process, so changing them here would race with every other thread.
    image = _opened(kind, header)
    size = image.size
    if scale > 1:
        image.draft(None, (image.width // scale, image.height // scale))
    upright, turned = _decoded(kind, header, image, held)
    return Opened(upright, size[::-1] if turned else size)


def _decoded(kind: str, header: Header, image: Image.Image, held: int) -> tuple[Image.Image, bool]:
    """The upright image, and whether its sides changed places."""
    both = SOURCE_BYTES.get(image.mode, 4) + 4
    by_file = is_finished(image, 1) and both * image.width * image.height > MAX_DECODING_BYTES - held
    alone = is_finished(image, header.orientation) or by_file
    _check_pixels(*image.size, 4 if alone else both, held, header.max_pixels)
    image.load()
    # WebP and AVIF hand their metadata over only with the image.
    orientation = _stated_orientation(image) if kind in ("WEBP", "AVIF") else header.orientation
    if is_finished(image, orientation):
        image.info.clear()
        return image, False
    turned = orientation >= 5
    if by_file:
        return _turned(image, orientation), turned
    return upright_rgb(image, orientation, header.white), turned


def _scale(header: Header, least: int | None) -> int:
    """The divisor to decode at: as small an image as `least` allows, else the largest that is read at all."""
    shorter, pixels = min(header.width, header.height), header.width * header.height
    if least is not None:
        return max(scale for scale in header.scales if scale == 1 or shorter // scale >= least)
    fitting = (scale for scale in header.scales if pixels // scale**2 <= MAX_PIXELS)
    return next(fitting, header.scales[-1])


def _check_header(header: Header, scale: int, held: int) -> None:
    if scale > 1 and header.width * header.height > MAX_SCALED_PIXELS:
        raise _too_many_pixels(header.width, header.height, MAX_SCALED_PIXELS)
    width, height = -(-header.width // scale), -(-header.height // scale)
    _check_pixels(width, height, header.decoder_bytes, held, header.max_pixels)


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    megabytes = image.width * image.height * 3 // 1_000_000
    try:
        return turned_by_file(image, orientation)
    except OSError as error:
        raise RefusedInput(
            "too_many_pixels",
            f"turning so large an image upright takes a temporary file of {megabytes} MB, which cannot be "
            f"written ({error.strerror}); make room or shrink the image",
        ) from error


def _opened(kind: str, header: Header) -> Image.Image:
    if header.decode is not None:
        return header.decode(header.payload)
    if kind == "HEIF":
        image: Image.Image = importlib.import_module("pillow_heif").open_heif(header.payload).to_pillow()
        return image
    if kind == "JPEG":  # Image.open would count the pixels of the whole, of which few are decoded
        return JpegImagePlugin.JpegImageFile(io.BytesIO(header.payload))
    return Image.open(io.BytesIO(header.payload), formats=(kind,))


@functools.cache
def _has_plugin(kind: str) -> bool:
    if kind in _PLUGINS:
        return importlib.util.find_spec(_PLUGINS[kind][0]) is not None
    return kind not in ("AVIF", "WEBP") or features.check(kind.lower()) is True


def _check_plugin(kind: str) -> None:
    if not _has_plugin(kind):
        remedy = command_for(_PLUGINS[kind][1]) if kind in _PLUGINS else f"install a Pillow built with {kind}"
        raise RefusedInput("plugin_missing", f"{kind} images need a package that is not installed: {remedy}")


def _check_pixels(width: int, height: int, pixel_bytes: float, held: int, cap: int | None = None) -> None:
    """Refuse an image by its claimed size; any ratio of sides is allowed as long as neither is zero."""
    if width <= 0 or height <= 0:
        raise RefusedInput("no_pixels", f"the image is {width} x {height} pixels; save it again")
    affordable = max(0, int((MAX_DECODING_BYTES - held) / pixel_bytes))
    limit = min(MAX_PIXELS, affordable, cap or MAX_PIXELS)
    if width * height > limit:
        raise _too_many_pixels(width, height, limit)


def _too_many_pixels(width: int, height: int, limit: int) -> RefusedInput:
    return RefusedInput(
        "too_many_pixels",
        f"the image has {width:,} x {height:,} pixels; at most {limit:,} of its kind are read; shrink it",
    )


def _from_pillow(image: Image.Image) -> Image.Image:
    finished = is_finished(image, 1)
    _check_pixels(*image.size, SOURCE_BYTES.get(image.mode, 4) + (0 if finished else 4), 0)
    image.load()
    return upright_rgb(image, _stated_orientation(image))


def _stated_orientation(image: Image.Image) -> int:
    """The orientation in the metadata that Pillow kept beside the pixels."""
    exif = image.info.get("exif")
    found = exif_orientation(exif) if isinstance(exif, bytes) else None
    if found is None:
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
        found = xmp_orientation(packet.encode() if isinstance(packet, str) else packet)
    return found or 1


def _from_array(pixels: NDArray[np.generic]) -> Image.Image:
    shape = pixels.shape
    if pixels.dtype != np.uint8 or len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (3, 4)):
        raise RefusedInput(
            "wrong_type",
            "an array of pixels is uint8 of shape (height, width), (height, width, 3) or (height, width, 4); "
            f"got {pixels.dtype} of shape {shape}",
        )
    _check_pixels(shape[1], shape[0], 8, 0)
    return upright_rgb(Image.fromarray(np.ascontiguousarray(pixels)))


def _refusal(error: Exception) -> RefusedInput:
    """Whatever a decoder raised, as a refusal; its own words are meant for programmers and stay out."""
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return RefusedInput(
            "too_many_pixels", f"the image has more than {MAX_PIXELS:,} pixels; make it smaller"
        )
    if "truncated" in str(error).lower():
        return RefusedInput("truncated", "the file ends too early; copy or download it again")
    return RefusedInput("damaged", "the file cannot be decoded; copy it or save it again")
