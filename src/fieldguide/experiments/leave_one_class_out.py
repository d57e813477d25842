"""How a model would react to a class that it never saw: each class at hand is left out once.

Each class in turn is left out: the model learns from the others, and is then asked about the images of the
one it never saw. All of that is computed from features, which are extracted once; nothing is written. Beside
typicality stands the rule that is often used in its place, the probability of the most probable class
(Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural
Networks", ICLR 2017).

What is left out is a class of the same kind of photo, taken in the same way: the hardest kind of stranger.
Photos of altogether different things are easier to tell; ``evaluate --foreign`` measures those. Tags are left
out in the same way (:mod:`fieldguide.experiments.leave_one_tag_out`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fieldguide import recipes
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.data.dataset import Dataset
from fieldguide.data.folds import training_part
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.errors import DataError, Refusal
from fieldguide.experiments.fold_predictions import answer
from fieldguide.experiments.leave_one_tag_out import left_out_tag
from fieldguide.experiments.left_out import LeftOut, compared
from fieldguide.installation import program_command
from fieldguide.learning.card import UNKNOWN_THRESHOLD
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin
from fieldguide.progress import silent
from fieldguide.recipes.common import Options, Run
from fieldguide.tasks.task import Task

RECIPE = "linear-probe"
FEWEST_CLASSES = 3
"""Of two classes, leaving one out leaves nothing to tell apart."""
QUICK = {"shrinkage": 0.8}
"""Typicality does not depend on it, so a search for the best each time would only take time."""


@dataclass(frozen=True, repr=False)
class LeaveOneClassOut(DisplayMixin, PlotMixin, TableMixin):
    """Every class left out once."""

    classes: tuple[LeftOut, ...]
    """One a class or tag that could be left out, the hardest to tell first."""
    not_applicable: Mapping[str, str]
    """Classes or tags that could not be left out, with the reason."""
    threshold: float
    """Images less typical than this are unknown."""
    choices: tuple[str, ...]
    """How the models were made."""
    refused: tuple[Refusal, ...]
    """Images that could not be read."""
    notes: tuple[str, ...] = ()
    """Sentences about the data."""
    doubts: tuple[Doubt, ...] = ()
    """What of the data may be meant otherwise."""

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
        """The whole as ``novelty --json`` holds it."""
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


def leave_one_class_out(dataset: Dataset, options: Options, run: Run) -> LeaveOneClassOut:
    """Leave each class out once, and see what becomes of its images.

    Parameters
    ----------
    dataset
        Labelled images; of one with splits only `train` is looked at.
    options
        Preset, backbone, weights and seed, as for `linear-probe`.
    run
        Cache and progress, which is told of `features` and of `leaving a class out`, a step a class.

    Raises
    ------
    DataError
        If there are fewer than three classes or tags, or none of them can be left out.
    OptionError
        If the preset is unknown.
    BackboneError
        If the backbone's weights cannot be had.
    """
    part = training_part(dataset)
    if len(part.classes) < FEWEST_CLASSES:
        kind, many = ("tag", "tags") if part.task is Task.MULTIPLE else ("class", "classes")
        raise DataError(
            f"{part.called}: leaving a {kind} out needs three {many}, since two must be left to "
            f"tell apart; got {len(part.classes)}; measure with photos of other things instead: "
            f"{program_command('evaluate MODEL DATA --foreign PHOTOS')}"
        )
    memory = FeatureMemory(part.paths, run.cache)
    network = recipes.find(RECIPE).body(options, run)
    features = memory.whole(network, run.progress)
    own = replace(options, settings={**QUICK, **options.settings})
    shared = replace(run, memory=memory, progress=silent)
    readable = part.take(features.rows)
    leave_out = left_out_tag if readable.task is Task.MULTIPLE else _left_out
    summary: list[LeftOut] = []
    not_applicable: dict[str, str] = {}
    choices: tuple[str, ...] = ()
    for number, label in enumerate(readable.classes):
        run.progress("leaving a class out", number, len(readable.classes))
        try:
            one, choices = leave_out(readable, label, own, shared)
            summary.append(one)
        except DataError as reason:
            not_applicable[label] = str(reason)
    run.progress("leaving a class out", len(readable.classes), len(readable.classes))
    if not summary:
        raise DataError(f"{part.called}: no class can be left out: {next(iter(not_applicable.values()), '')}")
    return LeaveOneClassOut(
        classes=tuple(sorted(summary, key=lambda one: one.auroc.value)),
        not_applicable=not_applicable,
        threshold=UNKNOWN_THRESHOLD,
        choices=choices[:1],
        refused=tuple(
            Refusal(part.display(refusal.path), refusal.code, refusal.message) for refusal in features.refused
        ),
    )


def _left_out(dataset: Dataset, label: str, options: Options, run: Run) -> tuple[LeftOut, tuple[str, ...]]:
    labels = np.array(dataset.labels, dtype=object)
    fitted = recipes.find(RECIPE).fit(dataset.take(np.flatnonzero(labels != label)), options, run)
    strangers = dataset.take(np.flatnonzero(labels == label))
    answers = answer(fitted, strangers.paths, run)
    return LeftOut(label=label, **compared(fitted, answers)), fitted.choices
