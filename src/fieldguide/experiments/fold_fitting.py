"""One fold of one way of training, learned and answered: by this process, or by one of a cluster."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide import recipes
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.data.folds import Folds
from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.evaluation.result import Outcomes
from fieldguide.evaluation.tag_result import TagOutcomes
from fieldguide.experiments.fold_predictions import FoldAnswers, answer
from fieldguide.experiments.fold_results import FoldResult
from fieldguide.experiments.fold_task import FoldTask
from fieldguide.experiments.scoring import AnyOutcomes
from fieldguide.learning.card import UNKNOWN_THRESHOLD
from fieldguide.recipes.common import Fitted, Run
from fieldguide.tasks.task import ONE_LABEL, refuse_unsupported


@dataclass(frozen=True)
class FittedFold:
    """What came of it."""

    result: FoldResult
    """Not timed yet."""
    fitted: Fitted
    refused: tuple[Refusal, ...]
    """Images that could not be used, though the folds were made of such as can."""


def fit_fold(folding: Folds, task: FoldTask, run: Run) -> FittedFold:
    """Learn from the images that a task allows and answer those that it holds out.

    Parameters
    ----------
    folding
        The images and their folds.
    task
        What to try.
    run
        Cache, features that are shared, and progress.

    Raises
    ------
    FieldguideError
        If the candidate cannot learn from these images.
    """
    dataset, candidate, (learned, held) = folding.dataset, task.candidate, task.rows(folding)
    started, passed = time.perf_counter(), _pass_seconds(run)
    recipe = recipes.find(candidate.recipe)
    handled = getattr(recipe, "TASKS", ONE_LABEL)
    refuse_unsupported(dataset.task, handled, f"recipe {candidate.recipe}", OptionError)
    fitted: Fitted = recipe.fit(dataset.take(learned), candidate.options, run)
    fit_seconds = time.perf_counter() - started - (_pass_seconds(run) - passed)
    answers = answer(fitted, [dataset.paths[row] for row in held.tolist()], run)
    rows = held[answers.rows]
    if not len(rows):
        raise DataError(
            f"{dataset.called}: no image of a fold can be read any longer; are files being deleted?"
        )
    result = FoldResult(
        rows=rows,
        outcomes=_outcomes(folding, rows, fitted, answers),
        fit_seconds=fit_seconds,
        pass_images=len(learned) if isinstance(fitted.body, ExportedBackbone) else 0,
        image_seconds=float("nan"),
        megabytes=_megabytes(fitted),
    )
    return FittedFold(result, fitted, (*fitted.refused, *answers.refused))


def _pass_seconds(run: Run) -> float:
    """What passes of networks have taken so far, which candidates share."""
    return 0.0 if run.memory is None else run.memory.seconds


def _outcomes(folding: Folds, rows: NDArray[np.int64], fitted: Fitted, answers: FoldAnswers) -> AnyOutcomes:
    """The answers in the columns of the data; what a fold had no photo of to learn from is improbable."""
    classes = folding.dataset.classes
    columns = np.searchsorted(np.array(classes), np.array(fitted.classes))
    probabilities = np.zeros((len(rows), len(classes)))
    probabilities[:, columns] = answers.probabilities
    limits: dict[str, Any] = {
        "set_threshold": fitted.set_threshold,
        "unknown_threshold": UNKNOWN_THRESHOLD,
    }
    if fitted.tag_thresholds is None:
        floors = np.full(len(classes), fitted.set_threshold)
        floors[columns] = fitted.set_floors
        limits["set_threshold"] = floors
        return Outcomes.of(folding.truth[rows], probabilities, answers.typicality, **limits)
    thresholds = np.ones(len(classes))
    thresholds[columns] = fitted.tag_thresholds
    return TagOutcomes.of(
        folding.tags[rows], probabilities, answers.typicality, thresholds=thresholds, **limits
    )


def _megabytes(fitted: Fitted) -> float:
    body = fitted.body
    size = body.path.stat().st_size if isinstance(body, ExportedBackbone) else body.ByteSize()
    return float(size + fitted.head.ByteSize()) / 1e6
