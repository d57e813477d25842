"""Images as processes get them that train a network together: pixels, numbers, which to learn from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.networks.images import Images
from fieldguide.training.pixel_table import PixelTable


def arrays_of(images: Images) -> dict[str, NDArray[Any]]:
    """What :func:`images_of` needs, besides the number of classes."""
    return {"pixels": images.table.images, "numbers": images.numbers, "learn": images.learn}


def images_of(arrays: Mapping[str, NDArray[Any]], classes: int) -> Images:
    """Make images to learn from; who validates has others, so none of them are held out."""
    pixels, numbers, learn = arrays["pixels"], arrays["numbers"], arrays["learn"]
    count = len(pixels)
    rows, none = np.arange(count), np.empty(0, np.int64)
    table = PixelTable(pixels, np.empty((0, 0), np.uint8), (), rows, ())
    names = tuple(str(number) for number in range(classes))
    return Images(table, names, numbers, learn, none, "", (), count)


def preprocessing_of(facts: Mapping[str, Any]) -> Preprocessing:
    """Read what was JSON."""
    return Preprocessing(**{**facts, "mean": tuple(facts["mean"]), "std": tuple(facts["std"])})
