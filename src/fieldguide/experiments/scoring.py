"""What answers to held-out images come to, for one label a photo and for tags: score, losses, figures, tests.

Single labels are ranked by accuracy, tags by mean average precision. Both are means over images of what each
image adds: 1 for a right answer, or what the mean average precision is with the image's influence on it (the
infinitesimal jackknife, Jaeckel 1972), so that redrawing images needs no ranking anew.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.evaluation.result import Evaluation, Outcomes, measure
from fieldguide.evaluation.tag_comparison import TagPair, paired_tags
from fieldguide.evaluation.tag_result import TagEvaluation, TagOutcomes, measure_tags
from fieldguide.metrics.classification import SMALLEST_PROBABILITY, FloatArray
from fieldguide.metrics.intervals import Interval
from fieldguide.metrics.paired_tests import Pair, compare_answers, holm
from fieldguide.metrics.tags import average_precision
from fieldguide.tasks.task import Task

AnyOutcomes = Outcomes | TagOutcomes
AnyEvaluation = Evaluation | TagEvaluation
AnyPair = Pair | TagPair


@dataclass(frozen=True)
class ScoreWords:
    """How the score of a task is called."""

    key: str
    """In JSON."""
    name: str
    best: str
    """What has the highest score is."""
    figures: tuple[str, ...]
    """What JSON holds of an evaluation beside others."""


SCORE_WORDS = {
    Task.SINGLE: ScoreWords(
        "accuracy",
        "accuracy",
        "the most accurate",
        ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece"),
    ),
    Task.MULTIPLE: ScoreWords(
        "map",
        "mean average precision",
        "the best by mean average precision",
        ("map", "micro_f1", "macro_f1", "exact_match", "log_loss", "ece"),
    ),
}


def words_of(measured: AnyOutcomes | AnyEvaluation) -> ScoreWords:
    """How the score of these answers is called."""
    tags = isinstance(measured, TagOutcomes | TagEvaluation)
    return SCORE_WORDS[Task.MULTIPLE if tags else Task.SINGLE]


def measured(outcomes: AnyOutcomes, classes: tuple[str, ...]) -> AnyEvaluation:
    """Condense answers into numbers."""
    if isinstance(outcomes, TagOutcomes):
        return measure_tags(outcomes, classes)
    return measure(outcomes, classes)


def score_of(evaluation: AnyEvaluation) -> Interval:
    """Accuracy or mean average precision, with its 95 % interval."""
    if not isinstance(evaluation, TagEvaluation):
        return evaluation.accuracy
    mean = evaluation.average_precision.mean
    return Interval(0.0, 0.0, 1.0) if mean is None else mean


def credits(outcomes: AnyOutcomes) -> FloatArray:
    """What each image adds to the score, which is their mean; of shape (n_images,).

    Examples
    --------
    >>> tags, sure = np.array([[1], [0], [1]], np.int8), np.array([[0.9], [0.8], [0.7]])
    >>> answers = TagOutcomes.of(
    ...     tags, sure, np.ones(3), thresholds=np.array([0.5]), set_threshold=0.1, unknown_threshold=0.01
    ... )
    >>> round(float(credits(answers).mean()), 3)  # the mean of precisions of 1 and 2/3
    0.833
    """
    if isinstance(outcomes, Outcomes):
        return np.asarray(outcomes.predicted == outcomes.truth, dtype=np.float64)
    found = average_precision(outcomes.probabilities, outcomes.shown, outcomes.known)
    value = 0.0 if found.mean is None else found.mean.value
    return value + len(found.influence) * found.influence


def log_losses(outcomes: AnyOutcomes) -> FloatArray:
    """What each image adds to the log loss, which is their mean, in nats; of shape (n_images,).

    Of tags that is the binary log loss of what is known of them, over the mean number that is known.
    """
    if isinstance(outcomes, Outcomes):
        return -np.log(np.clip(outcomes.truth_probability, SMALLEST_PROBABILITY, 1.0))
    known, sure = outcomes.known, outcomes.probabilities.astype(np.float64)
    own = np.where(outcomes.shown, sure, 1 - sure)
    losses = -np.log(np.maximum(own, SMALLEST_PROBABILITY)) * known
    return np.asarray(losses.sum(1) / max(float(known.sum(1).mean()), 1e-12), dtype=np.float64)


def paired(
    names: Sequence[str], outcomes: Mapping[str, AnyOutcomes], groups: NDArray[np.int64]
) -> tuple[AnyPair, ...]:
    """Test every two ways of training on the same images, the better first.

    Parameters
    ----------
    names
        In order of rank.
    outcomes
        Of each name, on the same images and of the same task.
    groups
        Images with the same number are right or wrong together; of shape (n_images,).
    """
    tagged = {name: one for name in names if isinstance(one := outcomes[name], TagOutcomes)}
    if tagged:
        return paired_tags({name: _ranked(one) for name, one in tagged.items()}, groups)
    right = {name: credits(outcomes[name]) > 0 for name in names}
    pairs = list(itertools.combinations(names, 2))
    differences = [compare_answers(right[first], right[second], groups) for first, second in pairs]
    corrected = holm([difference.p for difference in differences])
    return tuple(
        Pair(first, second, difference, p)
        for (first, second), difference, p in zip(pairs, differences, corrected, strict=True)
    )


def _ranked(outcomes: TagOutcomes) -> tuple[float, FloatArray]:
    found = average_precision(outcomes.probabilities, outcomes.shown, outcomes.known)
    return (0.0 if found.mean is None else found.mean.value), found.influence
