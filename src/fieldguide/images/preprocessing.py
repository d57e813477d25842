"""From an upright RGB image to the square that a network sees; the one place where resizing is defined.

The same definition stands in every model file as ONNX operators (`modelfile/preprocessing_graph.py`), so
that a host may resize by itself, with this module or with Pillow alone, and get the same answer.

Resizing a large photo with a filter costs more than the network. So it is shrunk first, by the mean of blocks
whose sides are powers of two, to between two and four times the network's size along each side; Pillow's
documentation of ``reducing_gap`` gives two as enough to be hard to tell from filtering alone. Powers of two,
since then the means are exact everywhere, and since JPEG decoders can do the same while they decode.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
SHRINKS = ("halving", "none")


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a network's input."""

    size: int
    """Side of the network's square input, in pixels."""
    mode: Literal["squash", "crop"] = "squash"
    """`squash` resizes the whole image to the square; `crop` takes the centre square first."""
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    """Pillow's antialiased filter of that name."""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Subtracted from red, green and blue on the scale 0 to 1."""
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Divides red, green and blue after the mean is subtracted."""
    shrink: Literal["halving", "none"] = "halving"
    """What comes before the filter: means of blocks with sides of 1, 2, 4 … pixels, or nothing, as in model
    files of version 1."""
    scaled_decoding: bool = True
    """Whether a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size where both sides stay at least
    :attr:`decoded_side`."""

    def resize(self, image: Image.Image) -> NDArray[np.uint8]:
        """Resize an RGB image to the network's square.

        Returns
        -------
        ndarray of shape (size, size, 3), uint8
            An image that already has this size comes back unchanged.

        Examples
        --------
        >>> photo = Image.new("RGB", (640, 480), "white")
        >>> pixels = Preprocessing(size=224).resize(photo)
        >>> pixels.shape, int(pixels.min())
        ((224, 224, 3), 255)
        """
        box = self.area(*image.size)
        factors = self._factors(*image.size)
        area = image.crop(box) if factors == (1, 1) else image.reduce(factors, box)
        width, height = area.size
        columns_first = self.shrink == "none" and vertical_first(width, height, self.size)
        first = (width, self.size) if columns_first else (self.size, height)
        filter_ = FILTERS[self.interpolation]
        resized = area.resize(first, filter_).resize((self.size, self.size), filter_)
        return np.asarray(resized, dtype=np.uint8)

    def area(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The part of an image of this size that the network sees: left, top, right, bottom, in pixels.

        Blocks of several pixels are whole ones; what is left over at the margins, less than one part in
        twice the network's size, is not seen.

        Examples
        --------
        >>> Preprocessing(size=224, mode="crop").area(width=640, height=480)
        (80, 0, 560, 480)
        >>> Preprocessing(size=224, mode="squash").area(width=640, height=480)
        (0, 0, 640, 480)
        >>> Preprocessing(size=224, mode="squash").area(width=4003, height=3001)
        (1, 0, 4001, 3000)
        """
        across, down = self._factors(width, height)
        seen_width, seen_height = self._seen(width, height)
        covered_width, covered_height = seen_width // across * across, seen_height // down * down
        left, top = (width - covered_width) // 2, (height - covered_height) // 2
        return left, top, left + covered_width, top + covered_height

    @property
    def decoded_side(self) -> int:
        """Pixels that either side of a decoded image should have: twice the network's."""
        return 2 * self.size

    def _factors(self, width: int, height: int) -> tuple[int, int]:
        if self.shrink == "none":
            return 1, 1
        seen_width, seen_height = self._seen(width, height)
        return shrink_factor(seen_width, self.size), shrink_factor(seen_height, self.size)

    def _seen(self, width: int, height: int) -> tuple[int, int]:
        side = min(width, height)
        return (side, side) if self.mode == "crop" else (width, height)

    def resize_as(self) -> tuple[int, str, str, str, bool]:
        """Whatever decides the pixels that a network is given, its mean and standard deviation apart."""
        return self.size, self.mode, self.interpolation, self.shrink, self.scaled_decoding

    def as_dict(self) -> dict[str, Any]:
        """The fields as the model file's metadata holds them."""
        return {
            "size": self.size,
            "mode": self.mode,
            "interpolation": self.interpolation,
            "mean": list(self.mean),
            "std": list(self.std),
            "shrink": self.shrink,
            "scaled_decoding": self.scaled_decoding,
        }


def vertical_first(width: int, height: int, size: int) -> bool:
    """Whether an image is resized along its columns before its rows.

    The order decides a grey level on every fourth pixel, since each pass rounds to 8 bits. This is the rule
    of Pillow 13 (pull request 9549) for model files of version 1; since then it is always rows first.

    Examples
    --------
    >>> vertical_first(width=640, height=480, size=224), vertical_first(width=480, height=1280, size=224)
    (False, True)
    """
    return height - size > 2 * max(width - size, 0)


def shrink_factor(length: int, size: int) -> int:
    """The side of the blocks whose mean is taken: the largest power of two that leaves twice `size`, else 1.

    Examples
    --------
    >>> [shrink_factor(length, 224) for length in (100, 895, 896, 4000)]
    [1, 1, 2, 8]
    """
    return 1 << max(0, (length // (2 * size)).bit_length() - 1)
