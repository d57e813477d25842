"""A second look at near-duplicates: whether two photos that look alike also agree in detail.

Different garments laid out alike on one ground agree in all that a signature holds; folds, prints and threads
tell them apart. So the photos of a doubtful pair are opened, laid over each other as their signatures say,
once more as those of the common part say, and compared by the correlation of what is finer than a
twelfth of the picture. Where the line stands and why: docs/data.md.
"""

import contextlib
import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fieldguide.data.duplicates import Floats, SimilarPairs, shifts, signature
from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import open_image
from fieldguide.threads import in_order, usable_cores

SURE = 0.998
"""Likeness from which on a pair needs no second look."""
MOST = 500
"""Pairs looked at, the least alike first; others stay: a film must not be opened photo by photo."""
AGREE = 0.8
"""Least correlation of details of a pair that stays."""
DULLER = 1.8
"""A photo with so many times less detail than the other, a thumbnail or a blurred copy, cannot be refuted."""
SIDE = 64
"""Side of the square on which details are compared, in pixels."""

_REACH = 2  # a detail is what differs from the mean of 5 x 5 pixels around
_FAINT = 0.5  # grey levels of detail that say nothing, as in JPEG noise: a flat image cannot be refuted
_LOOKED_AT = 128  # side of the squares whose signatures align the photos
_AHEAD = 8

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of a photo's width and height."""


def confirmed(paths: Sequence[str], signatures: NDArray[np.uint8], found: SimilarPairs) -> SimilarPairs:
    """Keep the pairs that agree in detail.

    Parameters
    ----------
    paths
        The image files.
    signatures : ndarray of shape (n_images, SIGNATURE_BYTES), uint8
        Of the same images.
    found
        From :func:`fieldguide.data.duplicates.similar_pairs`. A pair stays, too, where a photo cannot be
        read any more.
    """
    doubtful = np.flatnonzero(found.scores < SURE)[-MOST:]
    if not len(doubtful):
        return found
    pairs = found.pairs[doubtful]
    jobs = zip(pairs.tolist(), shifts(signatures, pairs), strict=True)
    # closing: an interrupt must stop the threads now, not when the generator is collected.
    with contextlib.closing(in_order(partial(_agreeing, paths), jobs, usable_cores(), _AHEAD)) as stream:
        agreeing = np.array(list(stream))
    kept = np.ones(len(found.pairs), dtype=np.bool_)
    kept[doubtful[agreeing < AGREE]] = False
    return SimilarPairs(found.pairs[kept], found.scores[kept])


def agreement(one: Image.Image, other: Image.Image, shift: Floats) -> float:
    """Correlation of the details of two photos, from -1 to 1; 1 where one of them lacks details.

    Parameters
    ----------
    one, other
        Upright RGB.
    shift
        How the second lies in the first, of shape (4,), as :func:`fieldguide.data.duplicates.shifts` says.
    """
    boxes = _common(((0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)), shift)
    looks = [_cut(image, box, _LOOKED_AT) for image, box in zip((one, other), boxes, strict=True)]
    both = np.stack([signature(np.asarray(look)) for look in looks])
    boxes = _common(boxes, shifts(both, np.array([[0, 1]]))[0])
    first, second = (_detail(_cut(image, box, SIDE)) for image, box in zip((one, other), boxes, strict=True))
    faint = SIDE**2 * _FAINT**2
    strengths = [float((detail**2).sum()) + faint for detail in (first, second)]
    if max(strengths) > DULLER**2 * min(strengths):
        return 1.0
    return (float((first * second).sum()) + faint) / math.sqrt(strengths[0] * strengths[1])


def _agreeing(paths: Sequence[str], job: tuple[list[int], Floats]) -> float:
    (one, other), shift = job
    try:
        return agreement(open_image(paths[one]), open_image(paths[other]), shift)
    except RefusedInput:
        return 1.0


def _common(boxes: tuple[Box, Box], shift: Floats) -> tuple[Box, Box]:
    """The part that both boxes show, as a box in each."""
    (left, top, right, bottom), (other_left, other_top, other_right, other_bottom) = boxes
    down, down_stretch, across, across_stretch = map(float, shift)
    (x, x_end), (other_x, other_x_end) = _overlap(across, across_stretch)
    (y, y_end), (other_y, other_y_end) = _overlap(down, down_stretch)
    wide, high = right - left, bottom - top
    other_wide, other_high = other_right - other_left, other_bottom - other_top
    return (
        (left + x * wide, top + y * high, left + x_end * wide, top + y_end * high),
        (
            other_left + other_x * other_wide,
            other_top + other_y * other_high,
            other_left + other_x_end * other_wide,
            other_top + other_y_end * other_high,
        ),
    )


def _overlap(shift: float, stretch: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Begin and end along one axis, of 0 to 1, of what both show: in the first and in the second."""
    ends = [(place - shift + stretch / 2) / (1 + stretch) for place in (0.0, 1.0)]
    second = (max(0.0, ends[0]), min(1.0, ends[1]))
    begin, end = (min(1.0, max(0.0, place + shift + stretch * (place - 0.5))) for place in second)
    return (begin, end), second


def _cut(image: Image.Image, box: Box, side: int) -> Image.Image:
    """A part of an image, squashed to a square."""
    width, height = image.size
    edges = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    return image.resize((side, side), Image.Resampling.BILINEAR, box=edges)


def _detail(image: Image.Image) -> Floats:
    """Brightness less its mean around each pixel, of shape (height, width)."""
    grey = np.asarray(image.convert("L"), dtype=np.float32)
    width = 2 * _REACH + 1
    around = np.lib.stride_tricks.sliding_window_view(np.pad(grey, _REACH, mode="edge"), (width, width))
    return np.asarray(grey - around.mean(axis=(2, 3)), dtype=np.float32)
