"""The images of a training run as pixels, a part of them held out so that look-alikes stay together."""

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.dataset import Dataset
from fieldguide.data.splits import duplicate_groups, split_groups
from fieldguide.data.tagged.stratification import held_out_tags
from fieldguide.errors import DataError, RefusedInput
from fieldguide.images.decoding import open_image
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.labelled_features import fingerprint
from fieldguide.recipes.tagged_features import indicator_texts
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Tags, indicators, names_of
from fieldguide.tasks.task import Task
from fieldguide.training.pixel_table import PixelTable, decode

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
    """Or tags, in column order."""
    numbers: NDArray[np.integer[Any]]
    """Class number of each row of the table, of shape (n_kept,); of tags
    :data:`fieldguide.tasks.tags.Indicators`, of shape (n_kept, n_tags)."""
    learn: NDArray[np.int64]
    """Rows to learn from, growing."""
    held: NDArray[np.int64]
    """Rows held out, growing."""
    summary: str
    """A sentence on how they were held out."""
    paths: tuple[str, ...]
    """File of each row of the table."""
    own: int
    """Rows of the table, from the first, that are training images."""

    @property
    def task(self) -> Task:
        """Whether images have one label each or any number of tags."""
        return Task.SINGLE if self.numbers.ndim == 1 else Task.MULTIPLE

    @property
    def fingerprint(self) -> str:
        """SHA-256 over contents and labels of all images."""
        if self.task is Task.MULTIPLE:
            return fingerprint(self.table.digests, indicator_texts(self.numbers, self.classes))
        return fingerprint(self.table.digests, [self.classes[number] for number in self.numbers])

    @property
    def own_digests(self) -> tuple[str, ...]:
        """SHA-256 of the training images, without those of a validation split that is held out."""
        return self.table.digests[: self.own]

    def shares(self) -> NDArray[np.float64]:
        """Share of each class or tag among the images to learn from, of shape (n_classes,)."""
        if self.task is Task.MULTIPLE:
            own = self.numbers[self.learn]
            return np.asarray((own == PRESENT).sum(0) / np.maximum((own != NOT_KNOWN).sum(0), 1))
        return np.bincount(self.numbers[self.learn], minlength=len(self.classes)) / len(self.learn)


def gather(dataset: Dataset, preprocessing: Preprocessing, options: Options, run: Run) -> Images:
    """Decode a data set and hold a part of it out.

    Parameters
    ----------
    dataset
        Training images.
    preprocessing
        How an image becomes pixels.
    options
        The seed.
    run
        Cache and progress; its `validation`, where DATA has one, is what is held out.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or nothing can be held out.
    """
    validation = _known(run.validation, dataset.classes)
    extra = validation.paths if validation is not None else ()
    table = decode((*dataset.paths, *extra), preprocessing, folder=run.cache, progress=run.progress)
    own = int((table.rows < len(dataset)).sum())
    shown = _tags_of if dataset.task is Task.MULTIPLE else _labels_of
    found = shown(dataset, validation, table, own)
    _check(dataset, found.classes, own, table)
    if own < len(table.rows):
        held = np.flatnonzero(found.known & (np.arange(len(table.rows)) >= own))
        learn, summary = np.arange(own), f"{len(held)} images of DATA's validation split held out"
    else:
        learn, held, summary = _split(dataset, table, found, options.seed)
    paths = (*dataset.paths, *extra)
    kept = tuple(paths[row] for row in table.rows)
    return Images(table, found.classes, found.numbers, learn, held, summary, kept, own)


@dataclass(frozen=True)
class _Shown:
    """What the images of a table show."""

    classes: tuple[str, ...]
    numbers: NDArray[np.integer[Any]]
    known: NDArray[np.bool_]
    """Images that show what the model will know."""
    names: Sequence[str] | Sequence[Tags]
    """Labels or tags as they are given, of each image."""


def _labels_of(dataset: Dataset, validation: Dataset | None, table: PixelTable, own: int) -> _Shown:
    labels = np.array((*dataset.labels, *(validation.labels if validation is not None else ())))[table.rows]
    classes = tuple(sorted(set(labels[:own].tolist())))
    numbers = np.searchsorted(np.array(classes), labels).astype(np.int64)
    return _Shown(classes, numbers, np.isin(labels, classes), labels.tolist())


def _tags_of(dataset: Dataset, validation: Dataset | None, table: PixelTable, own: int) -> _Shown:
    given = (*(dataset.tags or ()), *((validation.tags or ()) if validation is not None else ()))
    tags = [given[row] or Tags() for row in table.rows]
    classes = names_of(tags[:own])
    return _Shown(classes, indicators(tags, classes), np.ones(len(tags), dtype=bool), tags)


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
    if validation is None or validation.task is Task.MULTIPLE:
        return validation
    rows = [row for row, label in enumerate(validation.labels) if label in set(classes)]
    return validation.take(np.asarray(rows, dtype=np.int64)) if rows else None


def _check(dataset: Dataset, classes: tuple[str, ...], own: int, table: PixelTable) -> None:
    if len(classes) < 2:
        need = "images of two classes" if dataset.task is Task.SINGLE else "two tags on images"
        raise DataError(
            f"{dataset.called}: need {need} that can be read, got {own} images of "
            f"{len(classes)} after {len(table.refused)} were refused; {dataset.refusals_named(table.refused)}"
        )


def _split(
    dataset: Dataset, table: PixelTable, found: _Shown, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], str]:
    count = len(table.rows)
    named = None if dataset.groups is None else [dataset.groups[row] for row in table.rows]
    groups = duplicate_groups(count, table.digests, table.signatures, named)
    fraction = min(HELD_OUT, MOST_HELD_OUT / count)
    if dataset.task is Task.MULTIPLE:
        out = held_out_tags(cast(Sequence[Tags], found.names), groups, fraction, seed)
    else:
        out = split_groups(cast(Sequence[str], found.names), groups, fraction, seed)
    if not out.any() or _shown_in(found, ~out) < 2:
        raise DataError(
            f"{dataset.called}: too few separate photos to hold some out; add photos (duplicates and images "
            "of one group count once)"
        )
    twins = count - int(groups.max()) - 1
    together = f"; {twins} near-duplicates or group members kept on one side" if twins else ""
    summary = f"{int(out.sum())} of {count} images held out to watch training and to calibrate{together}"
    return np.flatnonzero(~out), np.flatnonzero(out), summary


def _shown_in(found: _Shown, rows: NDArray[np.bool_]) -> int:
    """How many classes or tags some of the images show."""
    own = found.numbers[rows]
    return int((own == PRESENT).any(0).sum()) if own.ndim == 2 else len(np.unique(own))


def run_name(images: Images, *settings: Any) -> str:
    """Name everything that a run's weights depend on, for its checkpoints."""
    parts = {
        "images": [images.fingerprint, images.learn.tolist()],
        "settings": settings,
        "versions": versions(),
    }
    texts = {name: json.dumps(part, sort_keys=True, default=str) for name, part in parts.items()}
    return " ".join(f"{name}={hashlib.sha256(text.encode()).hexdigest()}" for name, text in texts.items())


def versions() -> dict[str, str]:
    """Of what decides the course of a training run."""
    return {name: importlib.metadata.version(name) for name in ("fieldguide", "torch", "torchvision", "timm")}
