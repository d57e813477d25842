"""The images of a training run as pixels, a part of them held out so that look-alikes stay together."""

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.dataset import Dataset
from fieldguide.errors import DataError, RefusedInput
from fieldguide.images import open_image
from fieldguide.pixel_table import PixelTable, decode
from fieldguide.preprocess import Preprocessing
from fieldguide.recipes.common import Setting
from fieldguide.recipes.material import fingerprint
from fieldguide.splits import duplicate_groups, split_groups

HELD_OUT = 0.2
"""Share of the images that is held out, …"""
MOST_HELD_OUT = 1000
"""… at most so many: they choose a temperature, a threshold and an epoch, for which more are not needed."""

LOOKED_AT = 200
"""Images whose size is looked at where the network's follows from it."""


@dataclass(frozen=True)
class Images:
    """The images of a training run as pixels, some of them held out."""

    table: PixelTable
    classes: tuple[str, ...]
    """In column order."""
    numbers: NDArray[np.int64]
    """Class number of each row of the table, of shape (n_kept,)."""
    learn: NDArray[np.int64]
    """Rows to learn from, growing."""
    held: NDArray[np.int64]
    """Rows held out, growing."""
    told: str
    """A sentence on how they were held out."""
    paths: tuple[str, ...]
    """File of each row of the table."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over contents and labels of all images."""
        return fingerprint(self.table.digests, [self.classes[number] for number in self.numbers])

    def shares(self) -> NDArray[np.float64]:
        """Share of each class among the images to learn from, of shape (n_classes,)."""
        return np.bincount(self.numbers[self.learn], minlength=len(self.classes)) / len(self.learn)


def gather(dataset: Dataset, preprocessing: Preprocessing, setting: Setting) -> Images:
    """Decode a data set and hold a part of it out.

    Parameters
    ----------
    dataset
        Training images.
    preprocessing
        How an image becomes pixels.
    setting
        Seed, cache and progress; its `validation`, where DATA has one, is what is held out.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or nothing can be held out.
    """
    validation = _known(setting.validation, dataset.classes)
    extra = validation.paths if validation is not None else ()
    table = decode((*dataset.paths, *extra), preprocessing, folder=setting.cache, progress=setting.progress)
    labels = np.array((*dataset.labels, *(validation.labels if validation is not None else ())))[table.rows]
    own = int((table.rows < len(dataset)).sum())
    classes = tuple(sorted(set(labels[:own].tolist())))
    _check(dataset, classes, own, table)
    if own < len(labels):
        known = np.isin(labels, classes)
        held = np.flatnonzero(known & (np.arange(len(labels)) >= own))
        learn, told = np.arange(own), f"{len(held)} images of DATA's validation split held out"
    else:
        learn, held, told = _split(dataset, table, labels, setting.seed)
    numbers = np.searchsorted(np.array(classes), labels).astype(np.int64)
    paths = (*dataset.paths, *extra)
    return Images(table, classes, numbers, learn, held, told, tuple(paths[row] for row in table.rows))


def shorter_sides(paths: Sequence[str]) -> list[int]:
    """Shorter side in pixels of up to :data:`LOOKED_AT` readable images spread evenly, growing."""
    step = max(1, len(paths) // LOOKED_AT)
    return sorted(filter(None, map(_shorter_side, paths[::step])))


def _shorter_side(path: str) -> int | None:
    try:
        return min(open_image(path).size)
    except RefusedInput:
        return None


def _known(validation: Dataset | None, classes: Sequence[str]) -> Dataset | None:
    """The part of a validation split whose labels can be learned; None if there is none."""
    if validation is None:
        return None
    rows = [row for row, label in enumerate(validation.labels) if label in set(classes)]
    return validation.take(np.asarray(rows, dtype=np.int64)) if rows else None


def _check(dataset: Dataset, classes: tuple[str, ...], own: int, table: PixelTable) -> None:
    if len(classes) < 2:
        raise DataError(
            f"{dataset.root}: need images of two classes that can be read, got {own} images of "
            f"{len(classes)} after {len(table.refused)} were refused; look at the refusals"
        )


def _split(
    dataset: Dataset, table: PixelTable, labels: NDArray[np.str_], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], str]:
    named = None if dataset.groups is None else [dataset.groups[row] for row in table.rows]
    groups = duplicate_groups(len(labels), table.digests, table.signatures, named)
    fraction = min(HELD_OUT, MOST_HELD_OUT / len(labels))
    out = split_groups(labels.tolist(), groups, fraction, seed)
    if not out.any() or len(set(labels[~out].tolist())) < 2:
        raise DataError(
            f"{dataset.root}: too few separate photos to hold some out; add photos (duplicates and images "
            "of one group count once)"
        )
    twins = len(labels) - int(groups.max()) - 1
    together = f"; {twins} near-duplicates or group members kept on one side" if twins else ""
    told = f"{int(out.sum())} of {len(labels)} images held out to watch training and to calibrate{together}"
    return np.flatnonzero(~out), np.flatnonzero(out), told


def run_name(images: Images, *parts: Any) -> str:
    """Name everything that a run's weights depend on, for its checkpoints."""
    text = json.dumps([images.fingerprint, images.learn.tolist(), *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Of what decides the course of a training run."""
    return {name: importlib.metadata.version(name) for name in ("fieldguide", "torch", "torchvision", "timm")}
