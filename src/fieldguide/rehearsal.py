"""How a model would react to a class that it never saw, rehearsed with the classes at hand.

Each class in turn is left out: the model learns from the others, and is then asked about the images of the
one it never saw. All of that is computed from features, which are extracted once; nothing is written. Beside
typicality stands the rule that is often used in its place, the probability of the most probable class
(Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural
Networks", ICLR 2017).

What is left out is a class of the same kind of photo, taken in the same way: the hardest kind of stranger.
Photos of altogether different things are easier to tell; ``evaluate --foreign`` measures those.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide import intervals, recipes
from fieldguide.answers import answer
from fieldguide.dataset import Dataset
from fieldguide.errors import DataError, Refusal
from fieldguide.feature_memory import FeatureMemory
from fieldguide.folding import training_part
from fieldguide.intervals import Interval
from fieldguide.progress import silent
from fieldguide.recipes.common import Fitted, Setting
from fieldguide.train import UNKNOWN_THRESHOLD

RECIPE = "linear-probe"
FEWEST_CLASSES = 3
"""Of two classes, leaving one out leaves nothing to tell apart."""
QUICK = {"shrinkage": 0.8}
"""Typicality does not depend on it, so a search for the best in each rehearsal would only take time."""

Floats = NDArray[np.float64]


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
class Rehearsal:
    """Every class left out once."""

    classes: tuple[LeftOut, ...]
    """One a class that could be left out, the hardest to tell first."""
    not_applicable: Mapping[str, str]
    """Classes that could not be left out, with the reason."""
    threshold: float
    """Images less typical than this are unknown."""
    choices: tuple[str, ...]
    """How the models were made."""
    refused: tuple[Refusal, ...]
    """Images that could not be read."""

    @property
    def mean_auroc(self) -> float:
        """Over the classes, each counting the same."""
        return float(np.mean([one.auroc.value for one in self.classes]))

    @property
    def mean_auroc_of_probability(self) -> float:
        """Over the classes, each counting the same."""
        return float(np.mean([one.auroc_of_probability.value for one in self.classes]))

    @property
    def mean_miss_rate(self) -> float:
        """Over the classes, each counting the same."""
        return float(np.mean([one.miss_rate.value for one in self.classes]))

    def as_dict(self) -> dict[str, Any]:
        """The whole as ``rehearse --json`` holds it."""
        return {
            "threshold": self.threshold,
            "mean_auroc": self.mean_auroc,
            "mean_auroc_of_probability": self.mean_auroc_of_probability,
            "mean_miss_rate": self.mean_miss_rate,
            "classes": [one.as_dict() for one in self.classes],
            "not_applicable": dict(self.not_applicable),
            "choices": list(self.choices),
            "refused": [refusal.as_dict() for refusal in self.refused],
        }


def rehearse(dataset: Dataset, setting: Setting) -> Rehearsal:
    """Leave each class out once, and see what becomes of its images.

    Parameters
    ----------
    dataset
        Labelled images; of one with splits only `train` is looked at.
    setting
        Preset, backbone, weights, seed, cache and progress, as for `linear-probe`; progress is told of
        `features` and of `rehearsing`, a step a class.

    Raises
    ------
    DataError
        If there are fewer than three classes, or none of them can be left out.
    OptionError
        If the preset is unknown.
    BackboneError
        If the backbone's weights cannot be had.
    """
    part = training_part(dataset)
    if len(part.classes) < FEWEST_CLASSES:
        raise DataError(
            f"{part.root}: a rehearsal needs three classes, since two must be left to tell apart; got "
            f"{len(part.classes)}; measure with photos of other things instead: fieldguide evaluate --foreign"
        )
    memory = FeatureMemory(part.paths, setting.cache)
    network = recipes.find(RECIPE).body(setting)
    features = memory.whole(network, setting.progress)
    own = replace(setting, memory=memory, options={**QUICK, **setting.options}, progress=silent)
    readable = part.take(features.rows)
    told: list[LeftOut] = []
    not_applicable: dict[str, str] = {}
    choices: tuple[str, ...] = ()
    for number, label in enumerate(readable.classes):
        setting.progress("rehearsing", number, len(readable.classes))
        try:
            one, choices = _left_out(readable, label, own)
            told.append(one)
        except DataError as reason:
            not_applicable[label] = str(reason)
    setting.progress("rehearsing", len(readable.classes), len(readable.classes))
    if not told:
        raise DataError(f"{part.root}: no class can be left out: {next(iter(not_applicable.values()), '')}")
    return Rehearsal(
        classes=tuple(sorted(told, key=lambda one: one.auroc.value)),
        not_applicable=not_applicable,
        threshold=UNKNOWN_THRESHOLD,
        choices=choices[:1],
        refused=tuple(
            Refusal(part.display(refusal.path), refusal.code, refusal.message) for refusal in features.refused
        ),
    )


def _left_out(dataset: Dataset, label: str, setting: Setting) -> tuple[LeftOut, tuple[str, ...]]:
    labels = np.array(dataset.labels, dtype=object)
    fitted = recipes.find(RECIPE).fit(dataset.take(np.flatnonzero(labels != label)), setting)
    strangers = dataset.take(np.flatnonzero(labels == label))
    answers = answer(fitted, strangers.paths, setting)
    return _compared(label, fitted, answers.probabilities, answers.typicality), fitted.choices


def _compared(label: str, fitted: Fitted, probabilities: Floats, typicality: Floats) -> LeftOut:
    known = fitted.out_of_fold
    alarms = int((known.typicality < UNKNOWN_THRESHOLD).sum())
    missed = typicality >= UNKNOWN_THRESHOLD
    taken = Counter(fitted.classes[column] for column in probabilities[missed].argmax(1).tolist())
    return LeftOut(
        label=label,
        n=len(typicality),
        known=len(known.typicality),
        auroc=intervals.auroc(typicality, known.typicality),
        auroc_of_probability=intervals.auroc(probabilities.max(1), known.probabilities.max(1)),
        false_alarm_rate=intervals.share(alarms, len(known.typicality)),
        miss_rate=intervals.share(int(missed.sum()), len(missed)),
        taken_for=tuple(taken.most_common()),
    )
