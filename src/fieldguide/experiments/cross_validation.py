"""One way of training after another over the same folds, with the features shared."""

import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide import recipes
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.data.dataset import Dataset
from fieldguide.data.folds import Contents, Folds, contents_of, deal_folds, training_part
from fieldguide.errors import BackboneError, DataError, OptionError
from fieldguide.evaluation.result import Outcomes
from fieldguide.evaluation.tag_result import TagOutcomes
from fieldguide.experiments.fold_predictions import FoldAnswers, answer, seconds_per_image
from fieldguide.experiments.fold_results import FoldResult, Journal, code_fingerprint
from fieldguide.experiments.scoring import AnyOutcomes
from fieldguide.files import scratch_folder
from fieldguide.learning.card import UNKNOWN_THRESHOLD
from fieldguide.progress import Progress, silent
from fieldguide.recipes.common import Fitted, Options, Run
from fieldguide.tasks.task import ONE_LABEL, refuse_unsupported

TOLD_ELSEWHERE = frozenset({"head", "answers"})
"""Stages of a single fold that say less than the count of folds does."""


@dataclass(frozen=True)
class Candidate:
    """A way of training, to be compared with others."""

    name: str
    """For a person, such as ``linear-probe balanced``; differs from all others."""
    recipe: str
    """A key of :data:`fieldguide.recipes.RECIPES`."""
    options: Options = field(default_factory=Options)
    """Backbone, preset, weights, settings and the seed of training; cache, memory and progress are those of
    the comparison."""

    def as_dict(self) -> dict[str, Any]:
        """What tells it from others, as JSON holds it."""
        options = self.options
        return {
            "name": self.name,
            "recipe": self.recipe,
            "backbone": options.backbone,
            "preset": options.preset,
            "options": dict(options.settings),
        }


class CrossValidation:
    """The folds of a data set, and what is kept between the candidates that are tried on them.

    Attributes
    ----------
    folding : Folds
        The images and their folds.
    memory : FeatureMemory
        The features that candidates share.
    shared : Run
        What each fit is given: the cache, this memory, and progress that tells less than the count of folds.
    reused : int
        Folds whose result was kept from an earlier run.
    """

    def __init__(
        self, folding: Folds, memory: FeatureMemory, cache: Path, journal: Journal, progress: Progress
    ) -> None:
        self.folding: Folds = folding
        self.memory: FeatureMemory = memory
        self.reused: int = 0
        self.shared: Run = Run(cache=cache, memory=memory, progress=_quieter(progress))
        self._journal = journal

    def run(self, candidate: Candidate, fold: int, share: NDArray[np.bool_] | None = None) -> FoldResult:
        """Learn from all folds but one and answer that one, or take what an earlier run has kept.

        Parameters
        ----------
        candidate
            What to try.
        fold
            The fold held out, 0 to `folding.count` - 1.
        share
            Which images may be learned from, of shape (n_images,); None allows all.

        Raises
        ------
        FieldguideError
            If the candidate cannot learn from these images.
        """
        learned, held = self.folding.parts(fold)
        if share is not None:
            learned = learned[share[learned]]
        key = self._key(candidate, learned, held)
        result = self._journal.get(key)
        if result is None:
            timed = fold == 0 and share is None
            result = self._computed(candidate, learned, held, timed)
            self._journal.put(key, result)
        else:
            self.reused += 1
        return result

    def _computed(
        self, candidate: Candidate, learned: NDArray[np.int64], held: NDArray[np.int64], timed: bool
    ) -> FoldResult:
        dataset, run = self.folding.dataset, self.shared
        started, passed = time.perf_counter(), self.memory.seconds
        recipe = recipes.find(candidate.recipe)
        handled = getattr(recipe, "TASKS", ONE_LABEL)
        refuse_unsupported(dataset.task, handled, f"recipe {candidate.recipe}", OptionError)
        fitted: Fitted = recipe.fit(dataset.take(learned), candidate.options, run)
        fit_seconds = time.perf_counter() - started - (self.memory.seconds - passed)
        paths = [dataset.paths[row] for row in held.tolist()]
        answers = answer(fitted, paths, run)
        rows = held[answers.rows]
        if not len(rows):
            raise DataError(
                f"{dataset.called}: no image of a fold can be read any longer; are files being deleted?"
            )
        return FoldResult(
            rows=rows,
            outcomes=_outcomes(self.folding, rows, fitted, answers),
            fit_seconds=fit_seconds,
            pass_images=len(learned) if isinstance(fitted.body, ExportedBackbone) else 0,
            image_seconds=seconds_per_image(fitted, paths) if timed else float("nan"),
            megabytes=_megabytes(fitted),
        )

    def _key(self, candidate: Candidate, learned: NDArray[np.int64], held: NDArray[np.int64]) -> str:
        options = candidate.options
        weights = options.weights and hashlib.sha256(options.weights.read_bytes()).hexdigest()
        parts = [
            {name: value for name, value in candidate.as_dict().items() if name != "name"},
            [options.seed, weights, code_fingerprint()],
            [self.folding.fingerprint(learned), self.folding.fingerprint(held)],
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()[:40]


@contextlib.contextmanager
def cross_validation(
    dataset: Dataset,
    candidates: Sequence[Candidate],
    *,
    folds: int = 5,
    seed: int = 0,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Iterator[CrossValidation]:
    """Deal a data set into folds for candidates.

    Near-duplicates are told from the features' own pass where a candidate names its network, so that no
    image is decoded once more for them.

    Parameters
    ----------
    dataset
        Any; of one with splits only `train` is looked at.
    candidates
        What will be tried, at least one.
    folds, seed
        Of the folds; see :func:`fieldguide.data.folds.deal_folds`.
    cache
        Folder where features and finished folds are kept; None keeps them for this work only.
    progress
        Callback for progress: `features`, or of `looking` where there are none.
    """
    part = training_part(dataset)
    with contextlib.ExitStack() as stack:
        place = cache
        if place is None:
            place = stack.enter_context(scratch_folder())
        memory = FeatureMemory(part.paths, place / "features")
        contents = _contents(part, candidates, memory, progress)
        folding = deal_folds(part, contents, folds, seed)
        journal = Journal(None if cache is None else cache / "folds")
        yield CrossValidation(folding, memory, place / "features", journal, progress)


def merged(results: Sequence[FoldResult]) -> tuple[NDArray[np.int64], AnyOutcomes]:
    """Put the folds of one candidate together, in the order of the images."""
    rows = np.concatenate([result.rows for result in results])
    order, first = np.argsort(rows), results[0].outcomes
    columns: dict[str, Any] = {
        column.name: np.concatenate([getattr(result.outcomes, column.name) for result in results])[order]
        for column in dataclasses.fields(first)
    }
    return rows[order], dataclasses.replace(first, **columns)


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


def _contents(
    part: Dataset, candidates: Sequence[Candidate], memory: FeatureMemory, progress: Progress
) -> Contents:
    # Backbones named by hand last: they may have to be fetched, or cannot be had.
    for candidate in sorted(candidates, key=lambda candidate: candidate.options.backbone is not None):
        body = getattr(recipes.find(candidate.recipe), "body", None)
        if body is None:
            continue
        try:
            network = body(candidate.options, Run(progress=progress))
        except BackboneError:  # its row will say so
            continue
        features = memory.whole(network, progress)
        return Contents(features.rows, features.digests, features.signatures, features.refused)
    return contents_of(part.paths, progress)


def _megabytes(fitted: Fitted) -> float:
    body = fitted.body
    size = body.path.stat().st_size if isinstance(body, ExportedBackbone) else body.ByteSize()
    return float(size + fitted.head.ByteSize()) / 1e6


def _quieter(progress: Progress) -> Progress:
    def summary(stage: str, done: int, total: int | None) -> None:
        if stage not in TOLD_ELSEWHERE:
            progress(stage, done, total)

    return summary
