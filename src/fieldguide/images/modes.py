"""Every Pillow mode as upright RGB, by rules that lose no more than 8 bits must lose.

- Transparency is composited on white.
- Grey of more than 8 bits is scaled, not clipped: 16 bits by their full range; integers and floats of
  unknown range by :func:`grey_range`.
- CMYK is taken as Pillow decodes it; colour profiles are not applied.

The work goes band by band, so that beside source and result only a sliver is held; of a large photo that
only needs turning, one of the two at a time.
"""

import tempfile
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAND_PIXELS = 1 << 18
"""About this many pixels are converted at a time."""
SOURCE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
"""Bytes a pixel that Pillow holds; four in every other mode."""
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}


def is_finished(image: Image.Image, orientation: int) -> bool:
    """Whether `image` is already upright RGB without transparency."""
    return image.mode == "RGB" and orientation == 1 and "transparency" not in image.info


def upright_rgb(image: Image.Image, orientation: int = 1, white: int = 65535) -> Image.Image:
    """Convert any image to upright RGB.

    Parameters
    ----------
    image
        A decoded image of any mode.
    orientation
        EXIF orientation, 1 to 8.
    white
        The value of white in 16-bit modes.

    Returns
    -------
    Image
        A new RGB image without metadata; width and height are exchanged for orientations 5 to 8.

    Examples
    --------
    >>> transparent = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    >>> upright = upright_rgb(transparent, orientation=6)
    >>> upright.size, upright.getpixel((0, 0))
    ((2, 4), (255, 255, 255))
    """
    scale = grey_range(image, white) if _is_deep_grey(image.mode) else (0.0, 1.0)
    width, height = image.size
    whole = height <= _band_rows(width)
    bands = (
        _rgb(image if whole else image.crop((0, top, width, bottom)), scale)
        for top, bottom in _bands(image.size)
    )
    return _joined(bands, image.size, orientation)


def turned_by_file(image: Image.Image, orientation: int) -> Image.Image:
    """Turn a large RGB image upright by way of a temporary file, so that never two of its size are held.

    Parameters
    ----------
    image
        Of mode RGB; it is closed.
    orientation
        EXIF orientation, 2 to 8.

    Raises
    ------
    OSError
        If there is no room for 3 bytes a pixel where the system keeps temporary files.
    """
    size = width, _ = image.size
    with tempfile.TemporaryFile() as file:
        for top, bottom in _bands(size):
            file.write(image.crop((0, top, width, bottom)).tobytes())
        image.close()
        file.seek(0)
        bands = (
            Image.frombytes("RGB", (width, bottom - top), file.read(3 * width * (bottom - top)))
            for top, bottom in _bands(size)
        )
        return _joined(bands, size, orientation)


def grey_range(image: Image.Image, white: int = 65535) -> tuple[float, float]:
    """The values that become black and white in a grey image of more than 8 bits.

    16-bit modes span 0 to `white`. Integers (``I``) and floats (``F``) take the first of 0 to 1 (floats
    only), 0 to 255 and 0 to 65535 that holds all their finite values, else their own minimum to maximum.

    Examples
    --------
    >>> grey_range(Image.new("F", (2, 2), 0.7)), grey_range(Image.new("I", (2, 2), 300))
    ((0.0, 1.0), (0.0, 65535.0))
    """
    if image.mode.startswith("I;16"):
        return 0.0, float(white)
    low, high = _finite_extremes(image)
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    if low < 0:
        return low, high
    return next(((0.0, limit) for limit in usual if high <= limit), (low, high))


def _finite_extremes(image: Image.Image) -> tuple[float, float]:
    low, high = float("inf"), float("-inf")
    for top, bottom in _bands(image.size):
        values = np.asarray(image.crop((0, top, image.width, bottom)))
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 1.0)


def _is_deep_grey(mode: str) -> bool:
    return mode in ("I", "F") or mode.startswith("I;16")


def _band_rows(width: int) -> int:
    return max(1, BAND_PIXELS // width)


def _bands(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """First row and end of each band."""
    width, height = size
    rows = _band_rows(width)
    return ((top, min(top + rows, height)) for top in range(0, height, rows))


def _joined(bands: Iterable[Image.Image], size: tuple[int, int], orientation: int) -> Image.Image:
    """Bands of an RGB image of this size, from the top, as one upright image."""
    width, height = size
    result = Image.new("RGB", (height, width) if orientation >= 5 else size)
    for (top, bottom), band in zip(_bands(size), bands, strict=True):
        upright = band if orientation == 1 else band.transpose(_TRANSPOSES[orientation])
        result.paste(upright, _corner(orientation, top, bottom, height))
    return result


def _corner(orientation: int, top: int, bottom: int, height: int) -> tuple[int, int]:
    """Where the band of source rows `top` to `bottom` lands in the upright image."""
    along = height - bottom if orientation in (3, 4, 6, 7) else top
    return (along, 0) if orientation >= 5 else (0, along)


def _rgb(band: Image.Image, scale: tuple[float, float]) -> Image.Image:
    if _is_deep_grey(band.mode):
        return _scaled_grey(band, scale)
    if band.mode in _PREMULTIPLIED:
        band = band.convert(_PREMULTIPLIED[band.mode])
    if band.mode in ("RGBA", "LA", "PA") or "transparency" in band.info:
        band = band.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", band.size, "white"), band).convert("RGB")
    return band.convert("RGB")


def _scaled_grey(band: Image.Image, scale: tuple[float, float]) -> Image.Image:
    values: NDArray[np.generic] = np.asarray(band)
    low, high = scale
    span = max(high - low, 1e-30)
    fractions = np.nan_to_num((values.astype(np.float64) - low) / span, nan=0.0, posinf=1.0, neginf=0.0)
    grey = np.rint(np.clip(fractions, 0.0, 1.0) * 255.0).astype(np.uint8)
    key = band.info.get("transparency")
    if isinstance(key, int):
        grey[values == key] = 255
    return Image.fromarray(grey).convert("RGB")
