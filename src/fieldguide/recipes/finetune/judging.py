"""How answers to the images held out are judged while fine-tuning: calibrated, by their log loss.

A network and its probe are compared as the finished model will answer, of single labels and of tags alike.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads import calibration
from fieldguide.heads.tag_promises import best_f1_thresholds, fit_curves
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class JudgedAnswers:
    """Calibrated answers to the images held out."""

    losses: FloatArray
    """Log loss of each image, of shape (n_held,); their mean is that of the finished model."""
    right: NDArray[np.bool_]
    """Whether the image's label, or all of its tags, is right, of shape (n_held,)."""


class Judge(Protocol):
    """Knows what the images held out show."""

    @property
    def all_right(self) -> str:
        """What a right answer has right, in words that stand before the number of images."""

    def temperature(self, scores: FloatArray) -> FloatArray:
        """What divides a network's scores before they are pooled; one number, or one a tag."""

    def judged(self, scores: FloatArray, *, probe: bool = False) -> JudgedAnswers:
        """Judge scores of shape (n_held, n_classes); those of the `probe` hold all class shares already."""


@dataclass(frozen=True)
class LabelJudge:
    """Judges single labels."""

    truth: IntArray
    """True class numbers, of shape (n_held,)."""
    shares: FloatArray
    """Share of each class that the network's scores do not hold, of shape (n_classes,)."""
    all_right: ClassVar[str] = ""

    def temperature(self, scores: FloatArray) -> FloatArray:
        """Of shape ()."""
        return np.asarray(calibration.calibrate(scores, self.truth, self.shares).temperature)

    def judged(self, scores: FloatArray, *, probe: bool = False) -> JudgedAnswers:
        """As :class:`Judge` says."""
        shares = np.full(len(self.shares), 1 / len(self.shares)) if probe else self.shares
        answers = calibration.calibrate(scores, self.truth, shares).probabilities(scores)
        own = answers[np.arange(len(self.truth)), self.truth]
        return JudgedAnswers(np.asarray(-np.log(np.maximum(own, 1e-12))), answers.argmax(1) == self.truth)


@dataclass(frozen=True)
class TagJudge:
    """Judges tags; what is not known counts in nothing.

    Examples
    --------
    >>> tags = np.array([[1, 0], [0, 1]] * 20, np.int8)
    >>> TagJudge(tags).judged(tags * 4.0).right.all(), TagJudge(tags).temperature(tags * 4.0).shape
    (np.True_, (2,))
    """

    tags: Indicators
    """Of shape (n_held, n_tags)."""
    all_right: ClassVar[str] = "all tags of "

    def temperature(self, scores: FloatArray) -> FloatArray:
        """Of shape (n_tags,)."""
        return np.asarray(1 / fit_curves(scores, self.tags).slopes)

    def judged(self, scores: FloatArray, *, probe: bool = False) -> JudgedAnswers:
        """As :class:`Judge` says."""
        probabilities = fit_curves(scores, self.tags).probabilities(scores)
        known, shown = self.tags != NOT_KNOWN, self.tags == PRESENT
        own = np.where(shown, probabilities, 1 - probabilities)
        losses = (-np.log(np.maximum(own, 1e-12)) * known).sum(1)
        given = probabilities >= best_f1_thresholds(probabilities, self.tags)
        # Divided by one number, so that the mean is that over all entries which are known.
        mean_known = max(float(known.sum()), 1.0) / max(len(known), 1)
        return JudgedAnswers(losses / mean_known, ((given == shown) | ~known).all(1))
