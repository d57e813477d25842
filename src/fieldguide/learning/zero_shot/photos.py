"""What photos say of a model that was made of class names: how far to trust it, and what is unlike them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps
from scipy.optimize import brentq

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import Features
from fieldguide.backbones.runner import best_runner
from fieldguide.data.folds import deal
from fieldguide.data.splits import duplicate_groups
from fieldguide.errors import DataError
from fieldguide.heads import calibration
from fieldguide.heads.linear_head import fit_distance, held_out_sample
from fieldguide.heads.out_of_distribution import MahalanobisDistance
from fieldguide.heads.training_table import TrainingTable
from fieldguide.images.network_input import network_pixels, open_for
from fieldguide.modelfile.graph import Distance
from fieldguide.progress import Progress, silent

MOST_VIEWS = 200
"""Photos that are looked at a second time."""
SHOWN = 0.8
"""Share of the side that the second view shows, mirrored."""
STAGE = "second views"
HIGHEST = 50.0
"""Of the temperature."""


@dataclass(frozen=True)
class Reference:
    """Photos that typicality is measured against."""

    distance: Distance
    distances: NDArray[np.float64]
    """Of the photos, each by what did not know it, of shape (n_images,)."""
    folds: NDArray[np.int64]
    """Of shape (n_images,)."""

    def typicality(self, vectors: NDArray[np.float32] | NDArray[np.float16]) -> NDArray[np.float64]:
        """Of other photos, from their features of shape (n_others, n_features)."""
        own = self.distance
        measure = MahalanobisDistance(own.columns, own.directions, own.evenness, own.centres, own.scale)
        deep = np.asarray(vectors[:, own.columns], dtype=np.float32) - own.mean
        distances = measure.distances_of(deep).astype(np.float64)
        return calibration.typicality(own.reference.astype(np.float64), distances)


def fit_reference(
    features: Features,
    numbers: NDArray[np.int64],
    backbone: ExportedBackbone,
    seed: int,
    groups: Sequence[str] | None = None,
) -> Reference:
    """Measure how far photos lie from each other, look-alikes kept apart.

    Parameters
    ----------
    features
        Of the photos.
    numbers
        The class of each, true or believed, of shape (n_images,).
    backbone
        Whose features they are.
    seed
        Deals the folds.
    groups
        Photos that belong together, by name.

    Raises
    ------
    DataError
        If there are not two separate photos.
    """
    together = duplicate_groups(len(numbers), features.digests, features.signatures, groups)
    if len(numbers) < 2 or together.max() < 1:
        raise DataError(
            f"photos: need two separate ones at least, got {len(numbers)} that are all alike; give more"
        )
    present, own = np.unique(numbers, return_inverse=True)
    folds = deal([str(number) for number in own], together, seed)
    table = TrainingTable.of(features.vectors, own.astype(np.int64), folds)
    held = held_out_sample(len(numbers), len(present), seed)
    distance, distances = fit_distance(table, backbone.depths, held, seed)
    return Reference(distance, distances, folds)


def second_views(
    paths: Sequence[str], backbone: ExportedBackbone, progress: Progress = silent
) -> NDArray[np.float32]:
    """The features of the middle of each photo, mirrored: another view of the same thing.

    Parameters
    ----------
    paths
        Photos that can be read.
    backbone
        Whose features are wanted.
    progress
        Callback for progress: the stage :data:`STAGE`.

    Returns
    -------
    ndarray of shape (n_paths, n_features)
    """
    runner = best_runner(backbone)
    vectors = []
    for start in range(0, len(paths), runner.batch):
        progress(STAGE, start, len(paths))
        pixels = [_second_view(path, backbone) for path in paths[start : start + runner.batch]]
        vectors.append(runner(np.stack(pixels)))
    progress(STAGE, len(paths), len(paths))
    return np.concatenate(vectors)


def _second_view(path: str, backbone: ExportedBackbone) -> NDArray[np.uint8]:
    image = open_for(path, backbone.preprocessing).image
    width, height = image.size
    left, top = (round(side * (1 - SHOWN) / 2) for side in (width, height))
    box = (left, top, max(width - left, left + 1), max(height - top, top + 1))
    return network_pixels(ImageOps.mirror(image.crop(box)), backbone.preprocessing)


def temperature_by_agreement(scores: NDArray[np.float64], again: NDArray[np.float64]) -> tuple[float, float]:
    """Find the temperature at which answers are as sure as they are stable.

    Nobody has said what the photos show. What can be seen is how often a photo and another view of it get the
    same answer; a model is hardly right more often than that, so that its mean confidence is lowered to this
    share, and never raised.

    Parameters
    ----------
    scores, again
        Of the photos and of their second views, of shape (n_images, n_classes).

    Returns
    -------
    float, float
        The temperature, 1 or more, and the share of photos whose answer stayed.

    Examples
    --------
    >>> scores = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> again = np.array([[0.0, 4.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> temperature, share = temperature_by_agreement(scores, again)
    >>> round(temperature, 2), share
    (3.64, 0.75)
    """
    share = float((scores.argmax(1) == again.argmax(1)).mean())

    def surplus(temperature: float) -> float:
        return _confidence(scores / temperature) - share

    if surplus(1.0) <= 0:
        return 1.0, share
    if surplus(HIGHEST) >= 0:
        return HIGHEST, share
    return float(brentq(surplus, 1.0, HIGHEST)), share


def _confidence(logits: NDArray[np.float64]) -> float:
    """Mean probability of the most probable class."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return float((1 / powers.sum(1)).mean())
