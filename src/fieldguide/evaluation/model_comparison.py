"""Several model files on the same images: which is better, whether by more than chance, where they differ.

McNemar's exact test on the images that exactly one of two models got right, where near-duplicates and images
of one group count once, with Newcombe's interval of the difference and Holm's correction for the number of
pairs (:mod:`fieldguide.metrics.paired_tests`).
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.folds import contents_of
from fieldguide.data.splits import duplicate_groups
from fieldguide.errors import DataError, OptionError
from fieldguide.evaluation.measurement import (
    AnswersInOrder,
    Measured,
    answers_to,
    foreign_measured,
    measured_by,
)
from fieldguide.evaluation.result import Evaluation
from fieldguide.metrics.paired_tests import Pair, compare_answers, holm
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.data.leaks import Leaks

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class ComparedModel:
    """One of the models."""

    name: str
    """For a person; differs from all others."""
    evaluation: Evaluation
    """On all images whose labels this model knows."""
    accuracy_in_common: float
    """Share of right answers among the images that all models answered."""

    def as_dict(self) -> dict[str, Any]:
        """The model's row as JSON holds it."""
        whole = self.evaluation.as_dict()
        figures = ("n", "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece", "unknown_rate")
        row = {"name": self.name, **{name: whole[name] for name in figures}}
        if "foreign" in whole:
            row["foreign"] = whole["foreign"]
        return {**row, "accuracy_in_common": self.accuracy_in_common}


@dataclass(frozen=True)
class Disagreement:
    """An image that the models name differently."""

    path: str
    """As the person knows it."""
    label: str
    """The true class."""
    answers: tuple[tuple[str, float], ...]
    """The most probable class and its probability, one a model, in order."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        answers = [{"label": label, "probability": probability} for label, probability in self.answers]
        return {"path": self.path, "label": self.label, "answers": answers}


@dataclass(frozen=True)
class ModelComparison:
    """Models compared on the same images."""

    models: tuple[ComparedModel, ...]
    """In the order given."""
    n: int
    """Images that all of them answered; differences and disagreements are about these."""
    separate: int
    """How many of these count in the tests: near-duplicates and images of one group are one."""
    pairs: tuple[Pair, ...]
    """Every two models, the more accurate first; the first pairs are those of the first model."""
    disagreements: tuple[Disagreement, ...]
    """In the order of the data."""

    def as_dict(self) -> dict[str, Any]:
        """The whole as ``evaluate --json`` holds it under ``against``."""
        return {
            "n": self.n,
            "separate_images": self.separate,
            "models": [model.as_dict() for model in self.models],
            "pairs": [pair.as_dict() for pair in self.pairs],
            "disagreements": [one.as_dict() for one in self.disagreements],
        }


def compare_models(
    models: Mapping[str, AnswersInOrder],
    dataset: "Dataset",
    *,
    foreign: "Dataset | None" = None,
    leaks: "Leaks | None" = None,
    known: Mapping[str, Measured] = MappingProxyType({}),
    progress: Progress = silent,
) -> ModelComparison:
    """Measure several models on the same labelled images.

    Parameters
    ----------
    models
        Loaded model files by name, at least two. Their classes may differ; compared are the images whose
        label all of them know.
    dataset
        Labelled images.
    foreign
        Images of other things, whose labels do not matter: each model is measured on them too.
    leaks
        Which of the images training has seen: adds each model's accuracy without them.
    known
        What some of the models, by name, are already known to reach on just this; they are not asked again.
    progress
        Callback for progress: the images done.

    Raises
    ------
    OptionError
        If there are fewer than two models.
    DataError
        If there is no image that all of them can be measured on.
    """
    if len(models) < 2:
        raise OptionError(f"models: must be two or more, got {len(models)}; name another to compare with")
    found = {
        name: known[name] if name in known else _measure(model, dataset, foreign, leaks, progress)
        for name, model in models.items()
    }
    common = _in_common(dataset, found)
    outcomes = {name: _at(own, common) for name, own in found.items()}
    right = {name: said.truth == said.predicted for name, said in outcomes.items()}
    groups = duplicate_numbers(dataset, common, progress)
    return ModelComparison(
        models=tuple(
            ComparedModel(name, own.evaluation, float(right[name].mean())) for name, own in found.items()
        ),
        n=len(common),
        separate=len(np.unique(groups)),
        pairs=_pairs(right, groups),
        disagreements=_disagreements(models, dataset, common, outcomes),
    )


def _measure(
    model: AnswersInOrder,
    dataset: "Dataset",
    foreign: "Dataset | None",
    leaks: "Leaks | None",
    progress: Progress,
) -> Measured:
    answers = answers_to(model, dataset, progress)
    evaluation = measured_by(model, dataset, answers, leaks, progress)
    if foreign is not None:
        evaluation = foreign_measured(model, evaluation, answers, foreign, progress)
    return Measured(answers, evaluation)


def _in_common(dataset: "Dataset", found: Mapping[str, Measured]) -> IntArray:
    """Images that every model answered, growing."""
    rows = [own.answers.rows for own in found.values()]
    common = rows[0]
    for others in rows[1:]:
        common = np.intersect1d(common, others)
    if not len(common):
        names = " and ".join(found)
        raise DataError(
            f"{dataset.called}: {names} have no class in common that the data show; nothing to compare"
        )
    return common


def _at(own: Measured, rows: IntArray) -> Any:
    places = np.searchsorted(own.answers.rows, rows)
    columns = {name: values[places] for name, values in vars(own.answers.outcomes).items()}
    return replace(own.answers.outcomes, **columns)


def duplicate_numbers(dataset: "Dataset", rows: IntArray, progress: Progress) -> IntArray:
    """Numbers of shape (n_rows,): images of the same number are right or wrong together."""
    part = dataset.take(rows)
    seen = contents_of(part.paths, progress)
    # An image that went away since it was answered stands for itself.
    groups = len(part) + np.arange(len(part))
    if len(seen.rows):
        known = None if part.groups is None else [part.groups[row] for row in seen.rows.tolist()]
        groups[seen.rows] = duplicate_groups(len(seen.rows), seen.digests, seen.signatures, known)
    return groups


def _pairs(right: Mapping[str, NDArray[np.bool_]], groups: IntArray) -> tuple[Pair, ...]:
    ordered = [
        sorted(two, key=lambda name: -float(right[name].mean())) for two in itertools.combinations(right, 2)
    ]
    differences = [compare_answers(right[first], right[second], groups) for first, second in ordered]
    corrected = holm([difference.p for difference in differences])
    return tuple(
        Pair(first, second, difference, p)
        for (first, second), difference, p in zip(ordered, differences, corrected, strict=True)
    )


def _disagreements(
    models: Mapping[str, AnswersInOrder], dataset: "Dataset", rows: IntArray, outcomes: Mapping[str, Any]
) -> tuple[Disagreement, ...]:
    said = [
        [
            (model.classes[column], round(float(sure), 6))
            for column, sure in zip(outcomes[name].predicted.tolist(), outcomes[name].confidence, strict=True)
        ]
        for name, model in models.items()
    ]
    return tuple(
        Disagreement(dataset.display(dataset.paths[row]), dataset.labels[row], answers)
        for row, answers in zip(rows.tolist(), zip(*said, strict=True), strict=True)
        if len({label for label, _ in answers}) > 1
    )
