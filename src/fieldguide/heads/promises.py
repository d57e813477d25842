"""From scores of held-out images to everything that a model promises; the one place where that is done.

scores, labels, class shares, distances → calibration, threshold of prediction sets, typicality

The scores must be *out-of-fold*: given to an image by a model that has not learned from it, nor from its
look-alikes. Only then does what is promised on them hold for new images.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads import calibration
from fieldguide.heads.calibration import Calibrated
from fieldguide.heads.nonconformity import Nonconformity, nonconformity
from fieldguide.heads.set_thresholds import class_set_thresholds, class_sets_summary

COVERAGE = 0.95
"""Coverage promised for prediction sets."""
FEWEST_FOR_UNKNOWN = 100
"""Held-out images below which a false-alarm rate of 1 % cannot be shown."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Scores = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class Promises:
    """What held-out images say of a model's answers to new ones."""

    known: NDArray[np.bool_]
    """Of shape (n_held,): the held-out images whose class the model that scored them knew."""
    probabilities: FloatArray
    """Calibrated, of shape (n_known, n_classes)."""
    typicality: FloatArray
    """Of shape (n_known,): of each image among all held out."""
    set_threshold: float
    """Classes at least this probable belong to the prediction set, by one number for all classes."""
    class_thresholds: FloatArray | None
    """The same for each class, of shape (n_classes,); None where one number serves all."""
    labels: IntArray
    """True class numbers of the known images, of shape (n_known,)."""
    calibrated: Calibrated
    """How scores become probabilities."""
    chosen: int
    """Which of the trials was taken."""
    losses: tuple[float, ...]
    """Mean log loss of each trial once calibrated."""
    ranking: Nonconformity
    """How typicality ranks images."""

    @property
    def set_floors(self) -> float | FloatArray:
        """What a class must reach to belong to the prediction set: a number for all, or one a class."""
        return self.set_threshold if self.class_thresholds is None else self.class_thresholds

    @property
    def uses_shares(self) -> bool:
        """Whether probabilities expect the class shares of the images learned from."""
        return bool(self.calibrated.log_priors.any())

    def summary(self) -> tuple[str, ...]:
        """Sentences on the temperature, the sets and, with fewer than 100 held-out images, on `unknown`."""
        sentences = [
            f"temperature {self.calibrated.temperature:.3g}: makes the out-of-fold labels most probable",
            class_sets_summary(self.class_thresholds, self.labels, COVERAGE),
        ]
        if len(self.known) < FEWEST_FOR_UNKNOWN:
            sentences.append(
                f"unknown: never said by this model, since {len(self.known)} images cannot show a false-"
                "alarm rate of 1 % (100 can); its typicality still ranks images"
            )
        return tuple(sentences)


def promise(
    trials: Sequence[Scores] | Scores, labels: IntArray, shares: FloatArray, distances: FloatArray
) -> Promises:
    """Choose among models by their calibrated log loss, and derive the promises of the best.

    Parameters
    ----------
    trials
        Out-of-fold scores of one model or of several, of shape (n_trials, n_held, n_classes); minus infinity
        for a class that the scoring model has not seen.
    labels
        True class numbers, of shape (n_held,).
    shares
        Share of each class that the scores do not hold yet, of shape (n_classes,), each more than 0.
    distances
        Out-of-fold distances of features from what was learned, of shape (n_held,); larger is less familiar.

    Returns
    -------
    Promises
        Of the trial with the lowest loss, the first of equals.

    Examples
    --------
    >>> labels = np.array([0, 1] * 20)
    >>> telling, guessing = np.eye(2)[labels] * 4, np.zeros((40, 2))
    >>> promises = promise([guessing, telling], labels, np.array([0.5, 0.5]), distances=np.arange(40.0))
    >>> promises.chosen, promises.calibrated.accuracy
    (1, 1.0)
    """
    known = np.isfinite(trials[0][np.arange(len(labels)), labels])
    truth = labels[known]
    tried = [calibration.calibrate(scores[known].astype(np.float64), truth, shares) for scores in trials]
    chosen = min(range(len(tried)), key=lambda number: tried[number].loss)
    log_p = tried[chosen].log_probabilities(trials[chosen].astype(np.float64))
    probabilities = np.exp(log_p[known])
    ranking = nonconformity(log_p, np.where(known, labels, -1), distances)
    threshold = calibration.set_threshold(probabilities[np.arange(len(truth)), truth], COVERAGE)
    return Promises(
        known=known,
        probabilities=probabilities,
        typicality=calibration.own_typicality(ranking.reference)[known],
        set_threshold=threshold,
        class_thresholds=class_set_thresholds(probabilities, truth, threshold, COVERAGE),
        labels=truth,
        calibrated=tried[chosen],
        chosen=chosen,
        losses=tuple(trial.loss for trial in tried),
        ranking=ranking,
    )
