"""Where a model looks, found by covering: for models whose scores cannot be taken apart exactly.

A window is moved over the image, what is below it is blurred beyond recognition, and the score is computed
again (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014). What a place is
worth is the mean of what the score lost while the place was covered. That is an approximation: what two
places say together, or what another says as well, is not seen.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fieldguide.explanation.upsampling import spread

FloatArray = NDArray[np.float64]

WINDOW = 6
"""The window's side is this part of the image's."""
STEPS = 11
"""Places of the window along each axis; it overlaps itself by half."""
BLUR = 10
"""The blur's radius is this part of the image's side: colour and brightness stay, shapes do not."""
BATCH = 8


def occlude(
    scores: Callable[[NDArray[np.uint8]], FloatArray], image: NDArray[np.uint8], column: int, side: int
) -> FloatArray:
    """Measure what a class's score loses while a place is covered.

    Parameters
    ----------
    scores
        From images (n, size, size, 3) to scores (n, n_classes).
    image
        Of shape (size, size, 3).
    column
        The class.
    side
        Of the map, in pixels.

    Returns
    -------
    ndarray of shape (side, side)
        Mean loss of the score; negative where the class gains by covering.
    """
    size = len(image)
    window = max(1, round(size / WINDOW))
    starts = np.unique(np.linspace(0, size - window, STEPS).round().astype(np.int64)).tolist()
    places = [(top, left) for top in starts for left in starts]
    blurred = np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(size / BLUR)))
    lost, covered = np.zeros((size, size)), np.zeros((size, size))
    whole = scores(image[None])[0, column]
    for start in range(0, len(places), BATCH):
        some = places[start : start + BATCH]
        changed = np.stack([_covered(image, blurred, place, window) for place in some])
        for (top, left), score in zip(some, scores(changed)[:, column], strict=True):
            here = (slice(top, top + window), slice(left, left + window))
            lost[here] += whole - score
            covered[here] += 1
    mean = lost / np.maximum(covered, 1)
    shrink = spread(side, size) * side / size
    return np.asarray(shrink @ mean @ shrink.T)


def _covered(
    image: NDArray[np.uint8], blurred: NDArray[np.uint8], place: tuple[int, int], window: int
) -> NDArray[np.uint8]:
    top, left = place
    changed = image.copy()
    here = (slice(top, top + window), slice(left, left + window))
    changed[here] = blurred[here]
    return changed
