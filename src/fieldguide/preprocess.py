"""From an upright RGB image to the square that a network sees; the one place where resizing is defined.

The same definition stands in every model file as ONNX operators (`preprocess_graph.py`), so that a host may
resize by itself, with this module or with Pillow alone, and get the same answer.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


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

    def resize(self, image: Image.Image) -> NDArray[np.uint8]:
        """Resize an RGB image to the network's square.

        Returns
        -------
        ndarray of shape (size, size, 3), uint8
            An image that already has this size comes back unchanged.
        """
        square = image.crop(_centre_square(*image.size)) if self.mode == "crop" else image
        width, height = square.size
        first = (width, self.size) if vertical_first(width, height, self.size) else (self.size, height)
        filter_ = FILTERS[self.interpolation]
        resized = square.resize(first, filter_).resize((self.size, self.size), filter_)
        return np.asarray(resized, dtype=np.uint8)

    def area(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The part of an image of this size that the network sees: left, top, right, bottom, in pixels."""
        return _centre_square(width, height) if self.mode == "crop" else (0, 0, width, height)

    def resize_as(self) -> tuple[int, str, str]:
        """Whatever decides the pixels that a network is given: size, mode and filter."""
        return self.size, self.mode, self.interpolation

    def as_dict(self) -> dict[str, Any]:
        """The fields as the model file's metadata holds them."""
        return {
            "size": self.size,
            "mode": self.mode,
            "interpolation": self.interpolation,
            "mean": list(self.mean),
            "std": list(self.std),
        }


def vertical_first(width: int, height: int, size: int) -> bool:
    """Whether an image is resized along its columns before its rows.

    The order decides a grey level on every fourth pixel, since each pass rounds to 8 bits. This is the rule
    of Pillow 13 (pull request 9549), fixed here so that no other Pillow changes a model's answers.
    """
    return height - size > 2 * max(width - size, 0)


def _centre_square(width: int, height: int) -> tuple[int, int, int, int]:
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side
