"""Ways of training over the same folds, with the features shared: here, or by processes of a cluster."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide import recipes
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.cluster.ray_session import cluster_in_use
from fieldguide.data.dataset import Dataset
from fieldguide.data.folds import Contents, Folds, contents_of, deal_folds, training_part
from fieldguide.errors import BackboneError
from fieldguide.experiments.fold_cluster import FoldCluster, Outcome, Wanted, place_of
from fieldguide.experiments.fold_fitting import fit_fold
from fieldguide.experiments.fold_predictions import seconds_per_image
from fieldguide.experiments.fold_results import FoldResult, Journal, UntimedNetwork, code_fingerprint
from fieldguide.experiments.fold_task import Candidate, FoldTask
from fieldguide.experiments.scoring import AnyOutcomes
from fieldguide.files import scratch_folder
from fieldguide.progress import Progress, silent
from fieldguide.recipes.common import Run

TOLD_ELSEWHERE = frozenset({"head", "answers"})
"""Stages of a single fold that say less than the count of folds does."""


def _any(task: FoldTask) -> bool:
    return True


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
        self._fingerprints: dict[int, list[str]] = {}
        used = cluster_in_use()
        self._cluster = None if used is None else FoldCluster(used, folding, memory, self.shared.progress)

    def run(self, candidate: Candidate, fold: int) -> FoldResult:
        """Learn from all folds but one and answer that one, or take what an earlier run has kept.

        Parameters
        ----------
        candidate
            What to try.
        fold
            The fold held out, 0 to `folding.count` - 1.

        Raises
        ------
        FieldguideError
            If the candidate cannot learn from these images.
        """
        return self.all_of([FoldTask(candidate, fold)])[0]

    def all_of(
        self, tasks: Sequence[FoldTask], told: Callable[[int], None] | None = None
    ) -> list[FoldResult]:
        """The results of tasks, in their order; `told` hears how many there are, whenever one is there.

        Raises
        ------
        FieldguideError
            If a candidate cannot learn: that of the first task for which it is so.
        """
        found: dict[FoldTask, Outcome] = {}

        def wanted(task: FoldTask) -> bool:
            """Whether no task before it has failed."""
            failed = [index for index, one in enumerate(tasks) if isinstance(found.get(one), Exception)]
            return not failed or tasks.index(task) < failed[0]

        for task, outcome in self.outcomes(tasks, wanted):
            found[task] = outcome
            if told is not None:
                told(len(found))
        results = []
        for task in tasks:
            one = found[task]
            if isinstance(one, Exception):
                raise one
            results.append(one)
        return results

    def outcomes(
        self, tasks: Sequence[FoldTask], wanted: Wanted = _any
    ) -> Iterator[tuple[FoldTask, Outcome]]:
        """What comes of tasks, in their order here, in that in which they end on a cluster.

        A result is kept before it is given. Of what a cluster has learned and is to be timed,
        :meth:`timed` gives the time.

        Parameters
        ----------
        tasks
            What to try.
        wanted
            Asked of each task when its turn has come, so that what has come of others decides.
        """
        here = list(tasks)
        if self._cluster is not None:
            kept = {task: found for task in tasks if (found := self._kept(task)) is not None}
            yield from kept.items()
            missing = [task for task in tasks if task not in kept]
            here = [task for task in missing if place_of(task.candidate.recipe) == "here"]
            for task, outcome in self._cluster.outcomes(missing, wanted):
                if isinstance(outcome, FoldResult):
                    self._journal.put(self._key(task), outcome)
                yield task, outcome
            if here:
                self.rest()
        for task in here:
            if wanted(task):
                yield task, self._outcome(task)

    def timed(self, task: FoldTask, result: FoldResult) -> FoldResult:
        """The result with the time of an answer, where a cluster learned it: measured here, and kept."""
        if result.untimed is None:
            return result
        known = self._with_time(task, result, result.untimed)
        self._journal.put(self._key(task), known)
        return known

    def rest(self) -> None:
        """End the processes of a cluster that learn folds, so that their cores are free."""
        if self._cluster is not None:
            self._cluster.rest()

    def _outcome(self, task: FoldTask) -> Outcome:
        kept = self._kept(task)
        if kept is not None:
            return kept
        try:
            fold = fit_fold(self.folding, task, self.shared)
            result = fold.result
            if task.timed:
                network = UntimedNetwork(fold.fitted.network.SerializeToString(), fold.fitted.preprocessing)
                result = self._with_time(task, result, network)
        except Exception as error:  # whose, and what is to be done about it, the caller knows
            return error
        self._journal.put(self._key(task), result)
        return result

    def _with_time(self, task: FoldTask, result: FoldResult, network: UntimedNetwork) -> FoldResult:
        paths = [self.folding.dataset.paths[row] for row in task.rows(self.folding)[1].tolist()]
        seconds = seconds_per_image(network.content, network.preprocessing, paths)
        return dataclasses.replace(result, image_seconds=seconds, untimed=None)

    def _kept(self, task: FoldTask) -> Outcome | None:
        """What an earlier run has kept, with a time where one is wanted, or why that cannot be told."""
        try:
            result = self._journal.get(self._key(task))
        except OSError as error:  # no such weights file
            return error
        if result is None or (task.timed and not result.has_time):
            return None
        self.reused += 1
        return result

    def _key(self, task: FoldTask) -> str:
        candidate, options = task.candidate, task.candidate.options
        weights = options.weights and hashlib.sha256(options.weights.read_bytes()).hexdigest()
        parts = [
            {name: value for name, value in candidate.as_dict().items() if name != "name"},
            [options.seed, weights, code_fingerprint()],
            self._images(task),
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()[:40]

    def _images(self, task: FoldTask) -> list[str]:
        """Fingerprints of the images learned from and held out; those of whole folds are asked for often."""
        if task.share is None and task.fold in self._fingerprints:
            return self._fingerprints[task.fold]
        found = [self.folding.fingerprint(rows) for rows in task.rows(self.folding)]
        if task.share is None:
            self._fingerprints[task.fold] = found
        return found


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
        work = CrossValidation(folding, memory, place / "features", journal, progress)
        stack.callback(work.rest)
        yield work


def merged(results: Sequence[FoldResult]) -> tuple[NDArray[np.int64], AnyOutcomes]:
    """Put the folds of one candidate together, in the order of the images."""
    rows = np.concatenate([result.rows for result in results])
    order, first = np.argsort(rows), results[0].outcomes
    columns: dict[str, Any] = {
        column.name: np.concatenate([getattr(result.outcomes, column.name) for result in results])[order]
        for column in dataclasses.fields(first)
    }
    return rows[order], dataclasses.replace(first, **columns)


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


def _quieter(progress: Progress) -> Progress:
    def summary(stage: str, done: int, total: int | None) -> None:
        if stage not in TOLD_ELSEWHERE:
            progress(stage, done, total)

    return summary
