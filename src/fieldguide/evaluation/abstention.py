"""What it would bring to answer less often: only where the model is sure, only what looks familiar."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.evaluation.result import Outcomes
from fieldguide.metrics.intervals import Interval, share


@dataclass(frozen=True)
class Abstention:
    """A measurement under stricter rules for answering."""

    n: int
    """Images measured."""
    answered: int
    """Images that still get an answer."""
    accuracy: Interval | None
    """Of these answers; None where there are none."""
    wrong_answers: int
    """Wrong answers that are still given."""
    withheld_right: int
    """Right answers that are no longer given."""


def abstaining(outcomes: Outcomes, *, unknown_below: float, sure_from: float) -> Abstention:
    """Measure answers under thresholds.

    Parameters
    ----------
    outcomes
        Answers to labelled images.
    unknown_below
        Images less typical than this get no answer; from 0 to 1.
    sure_from
        Nor do those whose most probable class is less probable than this; from 0 to 1.

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    >>> answers = Outcomes.of(
    ...     np.array([0, 0, 1]), probabilities, np.ones(3), set_threshold=0.3, unknown_threshold=0.01
    ... )
    >>> strict = abstaining(answers, unknown_below=0.01, sure_from=0.7)
    >>> strict.answered, strict.accuracy.value, strict.wrong_answers, strict.withheld_right
    (2, 1.0, 0, 0)
    """
    given = (outcomes.typicality >= unknown_below) & (outcomes.confidence >= sure_from)
    right = outcomes.truth == outcomes.predicted
    answered, hits = int(given.sum()), int((given & right).sum())
    return Abstention(
        n=len(right),
        answered=answered,
        accuracy=share(hits, answered) if answered else None,
        wrong_answers=answered - hits,
        withheld_right=int(right.sum()) - hits,
    )


def accuracy_by_coverage(outcomes: Outcomes, most: int = 200) -> list[tuple[float, float]]:
    """The course of accuracy while fewer and fewer images are answered, the surest last to go.

    Returns
    -------
    list of (float, float)
        Share of images answered and accuracy among them, by growing share; at most `most` points (El-Yaniv
        and Wiener, 2010, call it the risk-coverage curve).

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    >>> answers = Outcomes.of(
    ...     np.array([0, 0, 0, 1]), probabilities, np.ones(4), set_threshold=0.3, unknown_threshold=0.01
    ... )
    >>> accuracy_by_coverage(answers)
    [(0.25, 1.0), (0.5, 1.0), (0.75, 1.0), (1.0, 0.75)]
    """
    order = np.argsort(-outcomes.confidence, kind="stable")
    right: NDArray[np.bool_] = (outcomes.truth == outcomes.predicted)[order]
    accuracy = np.cumsum(right) / np.arange(1, len(right) + 1)
    places = np.unique(np.linspace(0, len(right) - 1, min(most, len(right))).round().astype(int))
    return [((place + 1) / len(right), float(accuracy[place])) for place in places.tolist()]
