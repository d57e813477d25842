"""What more photos would bring: accuracy at growing shares of the training images, and a look beyond.

Of tags mean average precision takes the place of accuracy. The held-out images of each fold stay the same
while the images learned from grow: each share holds the smaller ones, every class in it, groups and
near-duplicates together. A power law is fitted to the errors (:mod:`fieldguide.experiments.power_law`) and
drawn out to twice the images, with an interval from redrawing the held-out images, or with the reason why
nothing can be said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.dataset import Dataset
from fieldguide.data.folds import Folds
from fieldguide.errors import DataError
from fieldguide.experiments import power_law
from fieldguide.experiments.cross_validation import cross_validation, merged
from fieldguide.experiments.fold_results import FoldResult
from fieldguide.experiments.fold_task import Candidate, FoldTask
from fieldguide.experiments.scoring import SCORE_WORDS, credits, measured, score_of, words_of
from fieldguide.metrics.intervals import Interval
from fieldguide.progress import Progress, silent

SHARES = (0.1, 0.2, 0.35, 0.6, 1.0)
"""Shares of the training images that are tried."""
FEWEST_POINTS = 4
"""With three a power law of three numbers goes through anything."""
REDRAWN = 400
"""Sets of held-out images redrawn for the interval."""
WIDEST = 0.15
"""An interval of more than this, in accuracy, says nothing worth planning with."""


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy at one number of training images."""

    share: float
    """Of the images that each fold can learn from."""
    images: float
    """Learned from, mean over the folds."""
    accuracy: Interval
    """Of tags the mean average precision."""
    measure: str = "accuracy"
    """Key of the score in JSON: `accuracy` or `map`."""

    def as_dict(self) -> dict[str, Any]:
        """The point as JSON holds it."""
        return {"share": self.share, "images": self.images, self.measure: self.accuracy.as_dict()}


@dataclass(frozen=True)
class Extrapolation:
    """What the curve says of twice the images."""

    images: int
    """Twice those of the data set."""
    accuracy: Interval
    """Expected there."""
    gain: Interval
    """Against training on all the images that there are."""
    measure: str = "accuracy"
    """Key of the score in JSON: `accuracy` or `map`."""

    def as_dict(self) -> dict[str, Any]:
        """The outlook as JSON holds it."""
        return {
            "images": self.images,
            self.measure: self.accuracy.as_dict(),
            "gain": self.gain.as_dict(),
        }


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy by number of training images."""

    candidate: Candidate
    points: tuple[CurvePoint, ...]
    """The fewest images first."""
    outlook: Extrapolation | None
    """None where the points allow none."""
    sentence: str
    """What more photos would bring, or why that cannot be said."""

    def as_dict(self) -> dict[str, Any]:
        """The curve as JSON holds it."""
        return {
            "candidate": self.candidate.as_dict(),
            "points": [point.as_dict() for point in self.points],
            "outlook": self.outlook.as_dict() if self.outlook else None,
            "sentence": self.sentence,
        }


def learning_curve(
    dataset: Dataset,
    candidate: Candidate,
    *,
    folds: int = 5,
    seed: int = 0,
    cache: Path | None = None,
    progress: Progress = silent,
) -> LearningCurve:
    """Measure accuracy at growing shares of the training images, and look at twice as many.

    Shares too small for two separate images of every class are left out.

    Parameters
    ----------
    dataset
        Any; of one with splits only `train` is looked at.
    candidate
        The way of training.
    folds, seed, cache, progress
        As in :func:`fieldguide.experiments.compare.compare`, whose finished folds are the last point.

    Raises
    ------
    FieldguideError
        If the candidate cannot learn even from all images.
    """
    shared = cross_validation(dataset, [candidate], folds=folds, seed=seed, cache=cache, progress=progress)
    with shared as work:
        places = nested_places(work.folding, seed)
        usable = [part for part in SHARES if part == 1 or _enough(work.folding, places <= part)]
        steps = len(usable) * work.folding.count
        tasks = [
            _task(candidate, fold, part, places) for part in usable for fold in range(work.folding.count)
        ]
        results = work.all_of(tasks, lambda done: progress("learning curve", done, steps))
        points, rights = [], []
        for number, part in enumerate(usable):
            own = results[number * work.folding.count : (number + 1) * work.folding.count]
            point, right = _measured(work.folding, own, part, places <= part)
            points.append(point)
            rights.append(right)
        return concluded(candidate, points, np.stack(rights), work.folding.groups)


def nested_places(folding: Folds, seed: int) -> NDArray[np.float64]:
    """Place every image in a random order within its class, 0 to 1, groups together.

    The images at or below a share are about that share of every class and of every fold, and hold those of
    all smaller shares.
    """
    rng = np.random.default_rng(seed)
    places = np.empty(len(folding.dataset))
    # Combinations of tags are too many to draw from each: a share of all holds about that share of every tag.
    tagged = folding.dataset.tags is not None
    kinds = [np.ones(len(places), dtype=np.bool_)] if tagged else list(folding.showing())
    taken: set[int] = set()
    for fold in range(folding.count):
        for own in kinds:
            rows = np.flatnonzero((folding.numbers == fold) & own)
            groups = [group for group in dict.fromkeys(folding.groups[rows].tolist()) if group not in taken]
            order = rng.permutation(len(groups))
            for place, number in enumerate(order.tolist()):
                places[folding.groups == groups[number]] = (place + 0.5) / len(groups)
            taken.update(groups)
    return places


def concluded(
    candidate: Candidate,
    points: Sequence[CurvePoint],
    rights: NDArray[np.bool_] | NDArray[np.float64],
    groups: NDArray[np.int64],
) -> LearningCurve:
    """Look at twice the images, or say why that cannot be done.

    Parameters
    ----------
    candidate
        What was measured.
    points
        The fewest images first.
    rights
        Whether each image was answered right, or what it adds to the mean average precision; of shape
        (n_points, n_images).
    groups
        Images with the same number are redrawn together; of shape (n_images,).
    """
    known, twice = rights.shape[1], 2 * rights.shape[1]
    measure = points[0].measure
    word = next(words.name for words in SCORE_WORDS.values() if words.key == measure)
    sizes = np.array([point.images for point in points])

    def silent_for(reason: str) -> LearningCurve:
        return LearningCurve(
            candidate, tuple(points), None, f"no extrapolation beyond these images: {reason}"
        )

    if len(points) < FEWEST_POINTS:
        return silent_for(f"{len(points)} points are too few for a curve; {FEWEST_POINTS} are needed")
    errors = 1 - _redrawn(rights, groups)
    risen = errors[1:, 0] - errors[1:, -1]
    if np.quantile(risen, 0.025) <= 0:
        return silent_for(f"between the fewest and all images, {word} does not rise by more than chance")
    if errors[0, -1] == 0:
        return silent_for("every held-out image is answered right already; harder photos would tell more")
    curves = _curves(sizes, errors)
    accuracy = _interval([1 - curve.error(twice) for curve in curves])
    gain = _interval([curve.error(known) - curve.error(twice) for curve in curves])
    if accuracy.high - accuracy.low > WIDEST:
        return silent_for(
            f"the curve allows anything from {accuracy.low:.2f} to {accuracy.high:.2f} at {twice} images; "
            "too few are held out to tell"
        )
    outlook = Extrapolation(twice, accuracy, gain, measure)
    return LearningCurve(candidate, tuple(points), outlook, _summary(outlook, known))


def _task(candidate: Candidate, fold: int, part: float, places: NDArray[np.float64]) -> FoldTask:
    return FoldTask(candidate, fold, None if part == 1 else places <= part)


def _measured(
    folding: Folds, results: Sequence[FoldResult], part: float, allowed: NDArray[np.bool_]
) -> tuple[CurvePoint, NDArray[np.float64]]:
    rows, outcomes = merged(results)
    if len(rows) < len(folding.dataset):
        raise DataError(f"{folding.dataset.called}: files were deleted while they were being learned from")
    right, score = credits(outcomes), score_of(measured(outcomes, folding.dataset.classes))
    sizes = [(allowed & (folding.numbers != fold)).sum() for fold in range(folding.count)]
    point = CurvePoint(part, float(np.mean(sizes)), score, words_of(outcomes).key)
    return point, right


def _enough(folding: Folds, allowed: NDArray[np.bool_]) -> bool:
    """Whether in every fold each class that can be learned has two separate images or more."""
    for fold in range(folding.count):
        for shown in folding.showing():
            own = (folding.numbers != fold) & shown
            if len(set(folding.groups[own & allowed])) < min(2, len(set(folding.groups[own]))):
                return False
    return True


def _redrawn(
    rights: NDArray[np.bool_] | NDArray[np.float64], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Accuracies of shape (1 + REDRAWN, n_points): as measured, then with whole groups drawn again."""
    numbers = np.unique(groups, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    sums = np.stack([np.bincount(numbers, weights=right, minlength=count) for right in rights])
    sizes = np.bincount(numbers, minlength=count).astype(np.float64)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=REDRAWN).astype(np.float64)
    weights = np.concatenate([np.ones((1, count)), drawn])
    accuracies: NDArray[np.float64] = (weights @ sums.T) / (weights @ sizes)[:, None]
    return accuracies


def _curves(sizes: NDArray[np.float64], errors: NDArray[np.float64]) -> list[power_law.PowerLaw]:
    """The curve through all points, then those through all but one.

    Redrawn images tell how noisy the points are; leaving points out tells how far the outlook hangs on which
    images were learned from, and on the law's being right.
    """
    points = np.arange(len(sizes))
    subsets = [points, *(np.delete(points, left_out) for left_out in points)]
    return [power_law.fit(sizes[subset], errors[:, subset]) for subset in subsets]


def _interval(values: list[NDArray[np.float64]]) -> Interval:
    """What all points say as measured, with the widest ends of the middle 95 % over redrawn images."""
    ends = np.array([np.quantile(value[1:], [0.025, 0.975]) for value in values])
    measured = float(values[0][0])
    return Interval(measured, min(float(ends.min()), measured), max(float(ends.max()), measured))


def _summary(outlook: Extrapolation, known: int) -> str:
    gain = outlook.gain
    low, high = 100 * gain.low, 100 * gain.high
    size = f"{100 * gain.value:.1f} points ({low:.1f} to {high:.1f})"
    there = f"about {outlook.accuracy.value:.3f} at {outlook.images} images, if the new ones are of the kind"
    if high < 1:
        return f"more photos of this kind would bring little: twice the {known} about {size}, {there}"
    return f"twice the {known} photos would bring about {size}: {there}"
