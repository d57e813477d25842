"""A way to train that was tried, and its answers to images that it had not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.recipes.common import Fitted
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT

FLOOR = 1e-12
"""Probabilities are taken to be at least so much before their logarithm is taken, here and in the file."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class FittedCandidate:
    """A finished model, and what it is called."""

    name: str
    """In words, for a person."""
    fitted: Fitted

    @property
    def square(self) -> int:
        """Side of its input in pixels."""
        return self.fitted.preprocessing.size

    @property
    def whole(self) -> bool:
        """Whether it answered all images out of fold and then learned from all; else a part was held out."""
        return isinstance(self.fitted.body, ExportedBackbone)


@dataclass(frozen=True)
class HeldOutAnswers:
    """The answers of several trials to the images that all of them had not seen."""

    rows: IntArray
    """Images of the data set, of shape (n_images,), growing."""
    labels: NDArray[np.integer[Any]]
    """True class numbers, of shape (n_images,); of tags :data:`fieldguide.tasks.tags.Indicators`."""
    probabilities: FloatArray
    """Calibrated, of shape (n_trials, n_images, n_classes), each at least :data:`FLOOR`."""
    given: NDArray[np.bool_] | None = None
    """The tags given, of the same shape; None for single labels."""

    @property
    def losses(self) -> FloatArray:
        """Log loss of each answer in nats, of tags the mean over them, of shape (n_trials, n_images)."""
        if self.given is None:
            return losses_of(self.probabilities, self.labels)
        known = self.labels != NOT_KNOWN
        own = np.where(self.labels == PRESENT, self.probabilities, 1 - self.probabilities)
        losses = -np.log(np.maximum(own, FLOOR)) * known
        return np.asarray(losses.sum(2) / max(float(known.sum()) / len(known), FLOOR))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer was right, of tags every one, of shape (n_trials, n_images)."""
        if self.given is None:
            return np.asarray(self.probabilities.argmax(2) == self.labels)
        return np.asarray(((self.given == (self.labels == PRESENT)) | (self.labels == NOT_KNOWN)).all(2))

    @property
    def noun(self) -> str:
        """What is right or wrong, before the number of images."""
        return "" if self.given is None else "all tags of "


def losses_of(probabilities: FloatArray, labels: NDArray[np.integer[Any]]) -> FloatArray:
    """Log loss of each answer; the last two axes are images and classes.

    Examples
    --------
    >>> losses_of(np.array([[0.5, 0.5]]), np.array([1])).round(3).tolist()
    [0.693]
    """
    return np.asarray(-np.log(probabilities[..., np.arange(len(labels)), labels]))


def evidence_of(trials: Sequence[FittedCandidate]) -> HeldOutAnswers:
    """Put the answers of trials of the same data set beside each other, image by image."""
    answers = [trial.fitted.out_of_fold for trial in trials]
    rows = answers[0].rows
    for held in answers[1:]:
        rows = np.intersect1d(rows, held.rows)
    rows = np.sort(rows)
    tables, given, labels = [], [], np.zeros(0, dtype=np.int64)
    for trial, held in zip(trials, answers, strict=True):
        places = places_of(rows, held.rows)
        tables.append(np.maximum(held.probabilities[places], FLOOR))
        labels = held.labels[places].astype(np.int64)
        if trial.fitted.tag_thresholds is not None:
            given.append(tables[-1] >= trial.fitted.tag_thresholds)
    return HeldOutAnswers(rows, labels, np.stack(tables), np.stack(given) if given else None)


def places_of(rows: IntArray, among: IntArray) -> IntArray:
    """Where each of the rows stands among others, all of which are there.

    Examples
    --------
    >>> places_of(np.array([3, 7]), np.array([7, 1, 3])).tolist()
    [2, 0]
    """
    order = np.argsort(among, kind="stable")
    return np.asarray(order[np.searchsorted(among, rows, sorter=order)])
