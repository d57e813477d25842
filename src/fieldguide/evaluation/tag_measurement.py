"""Measures a written model file of tags on photos with known tags: what is measured is what will be used."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fieldguide.errors import DataError, Refusal
from fieldguide.evaluation.distribution_shift import SURE, DistributionShift, shift_of
from fieldguide.evaluation.learned_images import learned_images
from fieldguide.evaluation.measurement import foreign_answers
from fieldguide.evaluation.result import Foreign, ForeignAnswers
from fieldguide.evaluation.tag_result import TagEvaluation, TagOutcomes, TagsWithout, measure_tags
from fieldguide.metrics.classification import IntArray
from fieldguide.metrics.tags import covered_shares, mean_interval
from fieldguide.progress import Progress, silent
from fieldguide.tasks.tags import Tags, indicators

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.data.leaks import Leaks
    from fieldguide.prediction.predictor import Prediction


class TagsInOrder(Protocol):
    """What is needed of a model of tags: its tags, its card, and a stream of answers in input order."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The tags in column order."""

    @property
    def card(self) -> dict[str, Any]:
        """What the model file says of itself."""

    def predict_stream(self, sources: Any) -> "Iterator[Prediction]":
        """One answer a source, in order."""


@dataclass(frozen=True)
class MeasuredTags:
    """What a model of tags answered to the photos of a data set."""

    rows: IntArray
    """Which photo of the data set each answer belongs to, growing."""
    outcomes: TagOutcomes
    """The answers, of as many rows."""
    refused: tuple[Refusal, ...]
    """Photos that could not be read."""


def tag_answers_to(predictor: TagsInOrder, dataset: "Dataset", progress: Progress = silent) -> MeasuredTags:
    """Have a model answer photos with known tags.

    Raises
    ------
    DataError
        If none of the data's tags is one of the model's, or no photo can be read.
    """
    dataset, known = dataset.labelled(), set(predictor.classes)
    if not known.intersection(dataset.classes):
        raise DataError(
            f"{dataset.called}: none of its tags is one of the model; the model knows "
            f"{', '.join(map(repr, predictor.classes[:3]))}, the data say "
            f"{', '.join(map(repr, dataset.classes[:3]))}; give data with the model's own tags"
        )
    rows: list[int] = []
    refused: list[Refusal] = []
    probabilities = np.empty((len(dataset), len(predictor.classes)), dtype=np.float32)
    typicality = np.empty(len(dataset))
    progress("evaluating", 0, len(dataset))
    for row, answer in enumerate(predictor.predict_stream(dataset.paths)):
        if answer.error is not None:
            path = dataset.display(answer.error.path)
            refused.append(Refusal(path, answer.error.code, answer.error.message))
        else:
            probabilities[len(rows)] = answer.probabilities
            typicality[len(rows)] = answer.typicality
            rows.append(row)
        progress("evaluating", row + 1, len(dataset))
    if not rows:
        first = f"; the first: {refused[0].path}: {refused[0].message}" if refused else ""
        raise DataError(f"{dataset.called}: none of its {len(dataset)} images could be read{first}")
    truth = indicators([(dataset.tags or ())[row] or Tags() for row in rows], predictor.classes)
    count = len(rows)
    stated = _thresholds(predictor)
    found = TagOutcomes.of(truth, probabilities[:count], typicality[:count], **stated)
    return MeasuredTags(np.asarray(rows, dtype=np.int64), found, tuple(refused))


def _thresholds(predictor: TagsInOrder) -> dict[str, Any]:
    stated = predictor.card["thresholds"]
    return {
        "thresholds": np.asarray(stated["tags"]),
        "set_threshold": stated["set"],
        "unknown_threshold": stated["unknown"],
    }


def tags_measured_by(
    predictor: TagsInOrder,
    dataset: "Dataset",
    answers: MeasuredTags,
    leaks: "Leaks | None" = None,
    progress: Progress = silent,
) -> TagEvaluation:
    """Condense a model's answers into numbers; with `leaks`, also without what training has seen.

    Where the model's card tells what it learned from, the measurement says how much of that is among the
    photos.
    """
    dataset = dataset.labelled()
    known, outcomes = set(predictor.classes), answers.outcomes
    counts = Counter(name for tags in dataset.tags or () if tags for name in tags.present)
    images = dataset.take(answers.rows)
    learned = learned_images(predictor.card, images, progress)
    shown = [images.display(path) for path in images.paths]
    measured = measure_tags(outcomes, predictor.classes, (*dataset.refused, *answers.refused))
    return replace(
        measured,
        strangers=tuple(sorted((name, count) for name, count in counts.items() if name not in known)),
        learned=None if learned is None else TagsWithout.learned(learned, outcomes),
        leaks=None if leaks is None else TagsWithout.leaked(leaks, images.paths, shown, outcomes),
        shift=_shift(outcomes, predictor.card["thresholds"].get("coverage")),
    )


def _shift(outcomes: TagOutcomes, promised: float | None) -> DistributionShift | None:
    """Whether sets hold as many of the true tags as was promised, and photos look as those learned from."""
    covered = covered_shares(outcomes.shown, outcomes.members)
    if not len(covered):
        return None
    return shift_of(mean_interval(covered, SURE), outcomes.typicality, promised)


def tags_with_foreign(
    predictor: TagsInOrder,
    measured: TagEvaluation,
    answers: MeasuredTags,
    foreign: "Dataset",
    progress: Progress = silent,
) -> TagEvaluation:
    """Add to a measurement how well typicality tells foreign photos apart.

    Raises
    ------
    DataError
        If none of the foreign photos can be read.
    """
    return tags_beside_foreign(measured, answers, *foreign_answers(predictor, foreign, progress))


def tags_beside_foreign(
    measured: TagEvaluation, answers: MeasuredTags, found: ForeignAnswers, refused: tuple[Refusal, ...]
) -> TagEvaluation:
    """Do the same with answers to foreign photos that are there already."""
    own = answers.outcomes
    surest = own.probabilities.max(1).astype(np.float64)
    return replace(measured, foreign=Foreign.of(found, (own.typicality, own.unknown, surest), refused))


def tags_answered(
    predictor: TagsInOrder,
    dataset: "Dataset",
    *,
    foreign: "Dataset | None" = None,
    leaks: "Leaks | None" = None,
    progress: Progress = silent,
) -> tuple[MeasuredTags, TagEvaluation]:
    """Measure a model of tags, and keep its answers; the arguments are those of :func:`evaluate_tags`.

    Parameters
    ----------
    foreign
        Photos of other things, to be told apart.
    """
    answers = tag_answers_to(predictor, dataset, progress)
    measured = tags_measured_by(predictor, dataset, answers, leaks, progress)
    if foreign is not None:
        measured = tags_with_foreign(predictor, measured, answers, foreign, progress)
    return answers, measured


def evaluate_tags(
    predictor: TagsInOrder,
    dataset: "Dataset",
    *,
    leaks: "Leaks | None" = None,
    progress: Progress = silent,
) -> TagEvaluation:
    """Measure a model of tags on photos with known tags.

    Parameters
    ----------
    predictor
        A loaded model file.
    dataset
        Photos with tags. Tags that the model does not know are left out and counted; tags of the model that
        the data lack count as absent.
    leaks
        Which of the photos training has seen.
    progress
        Callback for progress: the photos done.

    Raises
    ------
    DataError
        If no photo is left to measure on.
    """
    return tags_answered(predictor, dataset, leaks=leaks, progress=progress)[1]
