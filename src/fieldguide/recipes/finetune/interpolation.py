"""The best point between the linear probe and the network that was learned from it.

All or nothing throws away what lies between. Points there are weights on the straight way from those that
training began with to those it ended with (WiSE-FT: Wortsman et al., "Robust fine-tuning of zero-shot
models", CVPR 2022), and pools of both networks' log-probabilities (log opinion pool; Genest and Zidek,
"Combining Probability Distributions", Statistical Science 1986). The one with the lowest log loss on held-out
images is taken, and what may be expected of it on new ones is corrected for its having been chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.selection_bias import Corrected, corrected
from fieldguide.recipes.finetune.judging import Judge
from fieldguide.recipes.training_outcome import HandedBack

WAYS = (0.4, 0.7, 1.0)
"""Shares of the way from the weights at the start, those of the probe, to those at the end."""
WEIGHTS = (0.75, 0.5, 0.25)
"""Of the network's answers in a pool with those at the start."""
REFIT = 0.05
"""Share by which the probe's log loss falls once it also learns from the images held out, about: an error
falls with a third root or so of the number of images, and there are a fourth more."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Interpolation:
    """A point between probe and network."""

    way: float
    """Share of the way from the weights at the start to those at the end; 0 is the probe."""
    weight: float = 1.0
    """Of its log-probabilities in a pool with those at the start; 1 needs no second network."""

    def summary(self) -> str:
        """The point, in words."""
        if self.way == 0:
            return "the linear probe"
        way = (
            ""
            if self.way == 1
            else f", {self.way:.0%} of the way from the probe's weights to the learned ones"
        )
        if self.weight == 1:
            return f"the fine-tuned network{way}"
        return (
            f"a pool of the fine-tuned network{way}, with a weight of {self.weight:g}, and of the network "
            "before it learned; an answer costs twice as much"
        )


@dataclass(frozen=True)
class ChosenInterpolation:
    """The point taken, and what the images held out say of it."""

    point: Interpolation
    temperatures: tuple[FloatArray, FloatArray]
    """That calibrate the network's own scores, and those at the start, before they are pooled; one number
    each, or one a tag."""
    sentence: str
    """What was compared, and what may be expected."""
    log_loss: float
    """Of the point taken, on the images held out."""

    def handed_back(self) -> HandedBack:
        """The point as the card holds it."""
        point = self.point
        return HandedBack(point.summary(), point.way, point.weight, self.log_loss)


def choose(
    scores: Mapping[float, FloatArray], judge: Judge, probe: FloatArray, *, refit: bool
) -> ChosenInterpolation:
    """Choose the point with the lowest log loss; the probe unless something is better by more than luck.

    Parameters
    ----------
    scores
        Of the images held out, of shape (n_held, n_classes), at each share of the way; 0 is the start.
    judge
        Knows what these images show.
    probe
        Scores of the probe as `linear-probe` comes, of shape (n_held, n_classes), which hold the shares.
    refit
        Whether the probe that would be handed back learns from the images held out as well.
    """
    own = {way: judge.temperature(values) for way, values in scores.items()}
    points, answers = [Interpolation(0.0)], [judge.judged(probe, probe=True)]
    for way in sorted(set(scores) - {0.0}):
        for weight in (1.0, *(WEIGHTS if way == max(scores) else ())):
            points.append(Interpolation(way, weight))
            answers.append(judge.judged(_pooled(scores, own, way, weight)))
    losses = np.stack([answer.losses for answer in answers])
    right = np.stack([answer.right for answer in answers])
    best = _best(points, losses)
    found = corrected(losses, right, losses, np.arange(losses.shape[1]))
    needed = REFIT * float(losses[0].mean()) if refit else 0.0
    wins = points[best].way > 0 and found.gain.value > needed
    chosen = best if wins else 0
    temperatures = own[points[best].way or max(scores)], own[0.0]
    compared = _Compared(points, right, losses, judge.all_right)
    sentence = compared.sentence((best, wins), found, needed)
    return ChosenInterpolation(points[chosen], temperatures, sentence, float(losses[chosen].mean()))


def _pooled(
    scores: Mapping[float, FloatArray], own: Mapping[float, FloatArray], way: float, weight: float
) -> FloatArray:
    if weight == 1:
        return scores[way]
    return np.asarray(weight * scores[way] / own[way] + (1 - weight) * scores[0.0] / own[0.0])


def _best(points: list[Interpolation], losses: FloatArray) -> int:
    """The lowest loss among single networks; a pool must beat that by a standard error of the difference."""
    means = losses.mean(1)
    single = min((row for row, point in enumerate(points) if point.weight == 1), key=lambda row: means[row])
    lowest = int(means.argmin())
    gain = losses[single] - losses[lowest]
    error = float(gain.std(ddof=1) / len(gain) ** 0.5) if len(gain) > 1 else np.inf
    return lowest if float(gain.mean()) > error else single


@dataclass(frozen=True)
class _Compared:
    """What was compared; arrays of shape (n_points, n_held)."""

    points: list[Interpolation]
    right: NDArray[np.bool_]
    losses: FloatArray
    all_right: str

    def sentence(self, decision: tuple[int, bool], found: Corrected, needed: float) -> str:
        """What the images held out say."""
        (best, wins), points = decision, self.points
        means = self.losses.mean(1)
        counts = [f"{self.all_right}{count}" for count in self.right.sum(1)]
        of = f"of {self.right.shape[1]} images held out"
        if best == 0:
            other = 1 + int(means[1:].argmin())
            return (
                f"linear probe handed back: {of} it gets {counts[0]} right, with a log loss of "
                f"{means[0]:.3f}; the best of {len(points) - 1} points between it and the fine-tuned network "
                f"gets {counts[other]}, with {means[other]:.3f}"
            )
        verdict = f"{points[best].summary()} is handed back" if wins else "linear probe handed back"
        expected = (
            f"chosen among {len(points)} points, so on new photos its log loss may be expected to be "
            f"{found.gain.value:.3f} lower"
        )
        if not wins:
            expected += f", where {needed:.3f} is needed, since the probe learns from those images as well"
        return (
            f"{verdict}: {of} {'it' if wins else 'the best point'} gets {counts[best]} right and the linear "
            f"probe {counts[0]}, with log losses of {means[best]:.3f} and {means[0]:.3f}; {expected}"
        )
