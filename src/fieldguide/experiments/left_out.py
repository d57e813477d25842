"""How a model reacts to what was left out of its training: a class, or a tag."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from fieldguide.experiments.fold_predictions import FoldAnswers
from fieldguide.learning.card import UNKNOWN_THRESHOLD
from fieldguide.metrics import intervals
from fieldguide.metrics.intervals import Interval
from fieldguide.recipes.common import Fitted


@dataclass(frozen=True)
class LeftOut:
    """How a model that never saw a class reacts to its images."""

    label: str
    """The class."""
    n: int
    """Its images."""
    known: int
    """Images of the other classes, each answered by a model that had not learned from it."""
    auroc: Interval
    """Chance that an image of the other classes is more typical than one of this."""
    auroc_of_probability: Interval
    """The same of the largest probability."""
    false_alarm_rate: Interval
    """Share of the others' images taken to be unknown."""
    miss_rate: Interval
    """Share of this class's images taken to be of another class."""
    taken_for: tuple[tuple[str, int], ...]
    """Classes that the missed images were taken for, with how many; the most frequent first."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        rates = ("auroc", "auroc_of_probability", "false_alarm_rate", "miss_rate")
        return {
            "label": self.label,
            "n": self.n,
            "known": self.known,
            **{name: getattr(self, name).as_dict() for name in rates},
            "taken_for": [{"label": label, "n": count} for label, count in self.taken_for],
        }


@dataclass(frozen=True)
class LeftOutTag(LeftOut):
    """How a model that never saw a tag reacts to photos that have no other."""

    tagged: Interval
    """Share of these photos that are taken to be known and are given a tag: answers that are wrong."""
    with_others: int
    """Photos that have the tag beside others; the model knows these, so it need not call them unknown."""
    unknown_with_others: Interval | None
    """Share of these that it calls unknown; None where there are none."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        others = None if self.unknown_with_others is None else self.unknown_with_others.as_dict()
        return {
            **super().as_dict(),
            "tagged": self.tagged.as_dict(),
            "with_others": {"n": self.with_others, "unknown_rate": others},
        }


def compared(fitted: Fitted, answers: FoldAnswers) -> dict[str, Any]:
    """The fields of :class:`LeftOut` but its name.

    Parameters
    ----------
    fitted
        A model that never saw what was left out.
    answers
        Its answers to photos of that.
    """
    probabilities, typicality = answers.probabilities, answers.typicality
    known = fitted.out_of_fold
    alarms = int((known.typicality < UNKNOWN_THRESHOLD).sum())
    missed = typicality >= UNKNOWN_THRESHOLD
    taken = Counter(fitted.classes[column] for column in probabilities[missed].argmax(1).tolist())
    return {
        "n": len(typicality),
        "known": len(known.typicality),
        "auroc": intervals.auroc(typicality, known.typicality),
        "auroc_of_probability": intervals.auroc(probabilities.max(1), known.probabilities.max(1)),
        "false_alarm_rate": intervals.share(alarms, len(known.typicality)),
        "miss_rate": intervals.share(int(missed.sum()), len(missed)),
        "taken_for": tuple(taken.most_common()),
    }
