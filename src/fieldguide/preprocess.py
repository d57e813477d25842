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
        box = _centre_square(*image.size) if self.mode == "crop" else None
        resized = image.resize((self.size, self.size), FILTERS[self.interpolation], box=box)
        return np.asarray(resized, dtype=np.uint8)

    def as_dict(self) -> dict[str, Any]:
        """The fields as the model file's metadata holds them."""
        return {
            "size": self.size,
            "mode": self.mode,
            "interpolation": self.interpolation,
            "mean": list(self.mean),
            "std": list(self.std),
        }


def _centre_square(width: int, height: int) -> tuple[int, int, int, int]:
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side
