"""From a trained network's last layer and its answers to the images held out to a head with promises."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads.linear_head import as_ranking
from fieldguide.heads.promises import promise
from fieldguide.heads.tag_promises import promise_tags
from fieldguide.modelfile.graph import Distance, Head, head_model
from fieldguide.recipes.common import LearnedHead, OutOfFold
from fieldguide.tasks.tags import Indicators
from fieldguide.tasks.task import Task

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """The last layer of a network."""

    weights: FloatArray
    """Of shape (n_features, n_classes)."""
    bias: FloatArray
    """Of shape (n_classes,)."""

    def scores(self, features: NDArray[np.floating[Any]]) -> FloatArray:
        """Of shape (n_images, n_classes)."""
        return np.asarray(features.astype(np.float64) @ self.weights + self.bias)

    def head(self, distance: Distance, slopes: float | FloatArray, intercepts: FloatArray) -> Head:
        """The layer with its calibration folded in: slopes times scores, plus intercepts."""
        return Head(
            **vars(distance),
            weights=(self.weights * slopes).astype(np.float32),
            bias=(self.bias * slopes + intercepts).astype(np.float32),
        )


@dataclass(frozen=True)
class HeldOutScores:
    """What a network makes of the images held out."""

    rows: NDArray[np.int64]
    """Images of the data set, of shape (n_held,)."""
    numbers: NDArray[np.integer[Any]]
    """What they show: class numbers, or of tags :data:`fieldguide.tasks.tags.Indicators`."""
    scores: FloatArray
    """Of shape (n_held, n_classes)."""
    distances: FloatArray
    """Of shape (n_held,); larger is less familiar."""


def label_head(answers: HeldOutScores, linear: Linear, distance: Distance, shares: FloatArray) -> LearnedHead:
    """Calibrate single labels.

    Parameters
    ----------
    answers, linear, distance
        Of one network.
    shares
        Share of each class that the scores do not hold yet, of shape (n_classes,).
    """
    truth = np.asarray(answers.numbers, dtype=np.int64)
    made = promise([answers.scores], truth, shares, answers.distances)
    calibrated = made.calibrated
    head = linear.head(distance, 1 / calibrated.temperature, calibrated.log_priors)
    return LearnedHead(
        head_model(head, ranking=as_ranking(made.ranking)),
        made.set_threshold,
        OutOfFold(answers.rows, truth, made.probabilities, made.typicality),
        made.summary(),
        class_set_thresholds=made.class_thresholds,
    )


def tag_head(answers: HeldOutScores, linear: Linear, distance: Distance) -> LearnedHead:
    """Calibrate each tag, and choose its threshold and that of the sets."""
    tags = cast(Indicators, answers.numbers)
    made = promise_tags([answers.scores], tags, answers.distances)
    head = linear.head(distance, made.curves.slopes, made.curves.intercepts)
    return LearnedHead(
        head_model(head, Task.MULTIPLE),
        made.set_threshold,
        OutOfFold(answers.rows, tags, made.probabilities, made.typicality),
        made.summary(),
        made.thresholds,
    )
