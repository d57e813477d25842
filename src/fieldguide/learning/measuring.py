"""What a training reached: on images that it held out, and with the written file on a validation split."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from fieldguide.data.corrections import Judged
from fieldguide.data.dataset import Dataset
from fieldguide.data.image_facts import facts_of
from fieldguide.data.leaks import Leaks
from fieldguide.errors import DataError, Refusal
from fieldguide.evaluation.corrected_images import CorrectedPart
from fieldguide.evaluation.measurement import answers_to, measured_by
from fieldguide.evaluation.result import Evaluation, Outcomes, measure
from fieldguide.evaluation.tag_measurement import tag_answers_to, tags_measured_by
from fieldguide.evaluation.tag_result import TagEvaluation, TagOutcomes, TagsWithout, measure_tags
from fieldguide.learning.card import UNKNOWN_THRESHOLD
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.progress import Progress
from fieldguide.recipes.common import Fitted
from fieldguide.tasks.tags import Indicators
from fieldguide.tasks.task import Task


@dataclass(frozen=True)
class Watched:
    """DATA's validation split, and what is known of it."""

    images: Dataset
    leaks: Leaks | None
    """Which of the images were learned from as well."""
    chose: bool
    """Whether it watched the training."""
    changes: Judged | None
    """What corrections did to the data."""


@dataclass(frozen=True)
class Validated:
    """What came of measuring the written file on DATA's validation split."""

    evaluation: Evaluation | TagEvaluation | None
    """None where the file could not be measured on it."""
    measured_on: str
    refused: tuple[Refusal, ...]
    """Images of it that could not be read."""
    notes: tuple[str, ...]


def held_out(fitted: Fitted, paths: Sequence[str], changes: Judged | None) -> Evaluation | TagEvaluation:
    """Measure the answers to images that were held out.

    Parameters
    ----------
    fitted
        What a recipe gave.
    paths
        The images that the rows of its held-out answers count, from :func:`paths_of`.
    changes
        What corrections did to the data.
    """
    held = fitted.out_of_fold
    if fitted.task is Task.MULTIPLE:
        answered = _tag_outcomes(fitted)
        own = [paths[row] for row in held.rows]
        return _with_changed_tags(measure_tags(answered, fitted.classes), answered, own, changes)
    outcomes = Outcomes.of(
        held.labels,
        held.probabilities,
        held.typicality,
        set_threshold=fitted.set_floors,
        unknown_threshold=UNKNOWN_THRESHOLD,
    )
    measured = measure(outcomes, fitted.classes)
    return _with_changes(measured, outcomes, [paths[row] for row in held.rows], changes)


def _tag_outcomes(fitted: Fitted) -> TagOutcomes:
    held = fitted.out_of_fold
    assert fitted.tag_thresholds is not None, "a model of tags has them"
    return TagOutcomes.of(
        cast(Indicators, held.labels),
        held.probabilities,
        held.typicality,
        thresholds=fitted.tag_thresholds,
        set_threshold=fitted.set_threshold,
        unknown_threshold=UNKNOWN_THRESHOLD,
    )


def measured_on_validation(file: Path, watched: Watched, cache: Path | None, progress: Progress) -> Validated:
    """Measure the written file on DATA's validation split."""
    own = dataclasses.replace(watched.images, refused=())
    measured_on = "DATA's validation split"
    if watched.chose:
        measured_on += ", which also watched training and set the calibration"
    try:
        measured = _measured(load(file), own, watched, progress)
    except DataError as error:  # the model is good; only this measurement cannot be had
        refused = tuple(
            Refusal(own.display(refusal.path), refusal.code, refusal.message)
            for refusal in facts_of(own.paths, cache=cache).refused
        )
        note = f"the validation split could not be measured on: {error}"
        return Validated(None, measured_on, refused, (note,))
    return Validated(measured, measured_on, measured.refused, ())


def _measured(
    model: Predictor, own: Dataset, watched: Watched, progress: Progress
) -> Evaluation | TagEvaluation:
    if model.task is Task.MULTIPLE:
        found = tag_answers_to(model, own, progress)
        tagged = tags_measured_by(model, own, found, watched.leaks, progress)
        own_paths = [own.paths[row] for row in found.rows]
        return _with_changed_tags(tagged, found.outcomes, own_paths, watched.changes)
    answers = answers_to(model, own, progress)
    measured = measured_by(model, own, answers, watched.leaks, progress)
    paths = [own.paths[row] for row in answers.rows]
    return _with_changes(measured, answers.outcomes, paths, watched.changes)


def paths_of(training: Dataset, validation: Dataset | None) -> tuple[str, ...]:
    """The images that rows of a recipe's held-out answers count: its own, then those that it watched."""
    if validation is None:
        return training.paths
    if validation.task is Task.MULTIPLE:
        return (*training.paths, *validation.paths)
    known = set(training.classes)
    watched = (
        path for path, label in zip(validation.paths, validation.labels, strict=True) if label in known
    )
    return (*training.paths, *watched)


def _with_changes(
    measured: Evaluation, outcomes: Outcomes, paths: Sequence[str], changes: Judged | None
) -> Evaluation:
    """The measurement with what it would be without the photos that corrections judged over."""
    if changes is None or not (changes.relabelled or changes.dropped):
        return measured
    relabelled = np.array([path in changes.relabelled for path in paths], dtype=np.bool_)
    right = outcomes.truth == outcomes.predicted
    part = CorrectedPart.of(right, relabelled, changes.dropped)
    return dataclasses.replace(measured, corrections=part)


def _with_changed_tags(
    measured: TagEvaluation, outcomes: TagOutcomes, paths: Sequence[str], changes: Judged | None
) -> TagEvaluation:
    """The same of tags."""
    if changes is None or not (changes.relabelled or changes.dropped):
        return measured
    changed = np.array([path in changes.relabelled for path in paths], dtype=np.bool_)
    part = TagsWithout.corrected(changed, changes.dropped, outcomes)
    return dataclasses.replace(measured, corrections=part)
