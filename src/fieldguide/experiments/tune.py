"""Search a recipe's settings with Optuna, and train the best on all images.

Every trial is cross-validated over the same folds with shared features, and given up when after a fold or
two it is worse than the median of the trials before it. Several may be tried at once
(:mod:`fieldguide.experiments.study`), by processes of a cluster where one is in use. The recipe as it comes
is measured first; a search that finds nothing better, or only by luck, hands it back. The winner's own score
is optimistic, since it won by it; what new images may be expected to show is told beside it
(:mod:`fieldguide.metrics.selection_bias`).
"""

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fieldguide.cluster.ray_session import cluster_in_use
from fieldguide.data.dataset import Data, Dataset
from fieldguide.errors import OptionError
from fieldguide.experiments.cross_validation import CrossValidation, cross_validation, merged
from fieldguide.experiments.fold_results import FoldResult, code_fingerprint
from fieldguide.experiments.fold_task import Candidate, FoldTask
from fieldguide.experiments.folds_in_order import FoldsInOrder
from fieldguide.experiments.scoring import (
    AnyEvaluation,
    AnyOutcomes,
    ScoreWords,
    credits,
    log_losses,
    measured,
    words_of,
)
from fieldguide.experiments.search_log import SUFFIX
from fieldguide.experiments.search_space import Space, candidate_for, search_space
from fieldguide.experiments.study import RANDOM_TRIALS, AskedTrial, Budget, Search, TrialRow
from fieldguide.learning.checks import check_names, check_writable
from fieldguide.learning.train import TrainOptions, TrainResult, train_dataset
from fieldguide.metrics.selection_bias import Corrected, corrected
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin
from fieldguide.prediction.predictor import Predictor
from fieldguide.progress import Progress, silent
from fieldguide.recipes import find
from fieldguide.recipes.common import Options
from fieldguide.tasks.task import Task

Objective = Literal["log_loss", "accuracy"]
AT_ONCE = RANDOM_TRIALS
"""Settings at once on a cluster: the first ones learn from none in any case, and five folds of five keep 25
cores busy. It does not follow the cluster's size, so that the same seed searches the same on any."""


@dataclass(frozen=True)
class TuneOptions:
    """What a person decides about ``fieldguide tune``."""

    data: Data
    """DATA in any form."""
    out: Path | None
    """The model file to write; None keeps the model in memory."""
    recipe: str = "linear-probe"
    """A key of :data:`fieldguide.recipes.RECIPES`."""
    options: Options = field(default_factory=Options)
    """Seed, and what is fixed: what they fix is not searched."""
    budget: Budget = field(default_factory=Budget)
    objective: Objective = "log_loss"
    """What is searched for. Log loss sees more than right and wrong, so it needs fewer images to tell
    settings apart."""
    folds: int = 5
    cache: Path | None = None
    """Folder where features, finished folds and the search are kept; None keeps them for this call only."""
    resume: bool = False
    """Go on with the search that was made of the same images, recipe and options."""
    restart: bool = False
    """With `resume`: begin anew where the search kept for `out` is of other images, settings or code."""
    progress: Progress = silent
    at_once: int | None = None
    """Settings that are suggested before any of them has been tried; None takes those of the search that is
    gone on with, else :data:`AT_ONCE` on a cluster and 1 without."""


@dataclass(frozen=True)
class Choice:
    """What a search chose, and how good it is."""

    winner: Candidate
    """What is trained: the recipe as it comes where nothing was better by more than luck."""
    values: dict[str, Any]
    """What the winner changes; nothing where it is the recipe as it comes."""
    default: AnyEvaluation
    """The recipe as it comes, out of fold."""
    best: AnyEvaluation
    """The winner, out of fold: optimistic, since it was chosen by this."""
    expected: Corrected
    """What searching and choosing is worth, the luck taken out."""


@dataclass(frozen=True, repr=False)
class TuneResult(DisplayMixin, PlotMixin, TableMixin):
    """What a search found."""

    options: TuneOptions
    choice: Choice
    trials: tuple[TrialRow, ...]
    importances: dict[str, float] | None
    """Share of each setting in the differences between trials; None where too few were finished."""
    trained: TrainResult
    """The model file that was written."""
    found: int
    """Trials of an earlier search that this one went on with."""
    at_once: int
    """Settings that were suggested before any of them had been tried."""
    interrupted: bool
    """Whether a person stopped the search."""
    seconds: float

    @property
    def model(self) -> Predictor:
        """The model that was trained at the end, ready to predict."""
        return self.trained.model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self.trained.save(path)

    @property
    def words(self) -> ScoreWords:
        """How the score beside the log loss is called: accuracy, or of tags mean average precision."""
        return words_of(self.choice.default)

    def as_dict(self) -> dict[str, Any]:
        """The whole as ``tune --json`` holds it."""
        words = self.words

        def short(evaluation: AnyEvaluation) -> dict[str, Any]:
            whole = evaluation.as_dict()
            return {name: whole[name] for name in words.figures}

        def named(row: dict[str, Any]) -> dict[str, Any]:
            """What is kept under `accuracy`, by the name of the score."""
            return {words.key if key == "accuracy" else key: value for key, value in row.items()}

        return {
            "recipe": self.options.recipe,
            "objective": self.options.objective,
            "folds": self.options.folds,
            "seed": self.options.options.seed,
            "default": short(self.choice.default),
            "best": {"values": self.choice.values, **short(self.choice.best)},
            "expected": named(self.choice.expected.as_dict()),
            "importances": self.importances,
            "trials": [named(trial.as_dict()) for trial in self.trials],
            "found": self.found,
            "at_once": self.at_once,
            "interrupted": self.interrupted,
            "seconds": self.seconds,
            "train": self.trained.as_dict(),
        }


def tune(dataset: Dataset, wanted: TuneOptions) -> TuneResult:
    """Search, then train the best setting on all images and write the model file.

    An interrupt (Ctrl-C) ends the search, not the work: the best so far is trained and written.

    Parameters
    ----------
    dataset
        Of one with splits, only `train` is searched on; `validation` then measures the model file.
    wanted
        Recipe, budget, what is fixed, and where the file goes. `wanted.data` is not looked at.

    Raises
    ------
    OptionError
        If the recipe has nothing to search, the budget is not one, or a search is to go on without a cache or
        where another one was kept.
    DataError
        If the data cannot be used.
    OutputError
        If the model file cannot be written.
    """
    started = time.perf_counter()
    _check(wanted, dataset)
    options = wanted.options
    space = search_space(wanted.recipe, options)
    if wanted.resume and wanted.cache is None:
        raise OptionError(
            "resume: needs a cache folder to continue from, got none; give one or start a new search"
        )
    default = candidate_for(wanted.recipe, options, {})
    shared = cross_validation(
        dataset,
        [default],
        folds=wanted.folds,
        seed=options.seed,
        cache=wanted.cache,
        progress=wanted.progress,
    )
    with shared as work:
        trier = _Trier(work, wanted)
        trier.folds_of(default)  # its errors are the person's to hear
        search = _search(work, wanted, space)
        try:
            interrupted = search.run(wanted.budget, trier)
        finally:
            search.close()
        chosen = _choose(trier, [{}, *search.finished()])
        work.rest()  # the last training may need the cores
        run = dataclasses.replace(work.shared, progress=wanted.progress)
        best = _going_on(chosen.winner.options, wanted.recipe)
        final = TrainOptions(wanted.data, wanted.out, wanted.recipe, best, run)
        trained = train_dataset(dataset, final)
    return TuneResult(
        options=wanted,
        choice=chosen,
        trials=search.rows(),
        importances=search.importances(),
        found=search.found,
        at_once=search.at_once,
        trained=trained,
        interrupted=interrupted,
        seconds=time.perf_counter() - started,
    )


def _search(work: CrossValidation, wanted: TuneOptions, space: Space) -> Search:
    return Search(
        _storage(work, wanted, space),
        space,
        wanted.options.seed,
        wanted.progress,
        at_once=wanted.at_once,
        otherwise=1 if cluster_in_use() is None else AT_ONCE,
    )


def _check(wanted: TuneOptions, dataset: Dataset) -> None:
    """Refuse before any work what would not go well in the end."""
    wanted.budget.check()
    if wanted.at_once is not None and (type(wanted.at_once) is not int or wanted.at_once < 1):
        raise OptionError(f"at_once: must be a whole number, 1 or more; got {wanted.at_once!r}")
    if wanted.out is not None:
        check_writable(wanted.out)
    check_names(dataset)
    _check_objective(wanted.objective, dataset.task)


def _check_objective(objective: str, task: Task) -> None:
    """Of tags only the log loss is searched for: photos have no right and wrong answer."""
    if task is Task.MULTIPLE and objective != "log_loss":
        raise OptionError(f"objective: must be log_loss for tags, got {objective!r}; leave it out")


def _going_on(options: Options, recipe: str) -> Options:
    """Options by which the last training goes on with its own checkpoint, and replaces that of another."""
    if "resume" not in find(recipe).OPTIONS:
        return options
    return dataclasses.replace(options, settings={**options.settings, "resume": True, "restart": True})


class _Trier:
    """Cross-validates settings, and remembers what each answered."""

    def __init__(self, work: CrossValidation, wanted: TuneOptions) -> None:
        self.work, self.wanted = work, wanted

    def __call__(self, batch: Sequence[AskedTrial]) -> None:
        """Try a batch: the first fold of each, then the second, so that giving up early saves the rest."""
        courses = [(trial, self._candidate(trial.values), self._course(trial)) for trial in batch]
        tasks = {
            FoldTask(candidate, fold): (trial, course)
            for fold in range(self.work.folding.count)
            for trial, candidate, course in courses
        }
        for task, outcome in self.work.outcomes(list(tasks), lambda task: tasks[task][1].wants(task.fold)):
            trial, course = tasks[task]
            course.take(task.fold, outcome)
            self._tell(trial, course)

    def folds_of(self, candidate: Candidate) -> list[FoldResult]:
        """All folds of a candidate."""
        return self.work.all_of([FoldTask(candidate, fold) for fold in range(self.work.folding.count)])

    def _candidate(self, values: dict[str, Any]) -> Candidate:
        return candidate_for(self.wanted.recipe, self.wanted.options, values)

    def _course(self, trial: AskedTrial) -> FoldsInOrder:
        """The folds of a trial, which may be given up after each."""

        def heard(results: Sequence[FoldResult]) -> bool:
            return trial.report(float(self.objective(merged(results)[1]).mean()))

        return FoldsInOrder(self.work.folding.count, heard)

    def _tell(self, trial: AskedTrial, course: FoldsInOrder) -> None:
        """Tell a trial how it ended, once it has."""
        if trial.ended or not course.ended:
            return
        if course.error is not None:
            trial.fail(course.error)
            return
        outcomes = merged(course.results)[1]
        trial.finish(float(self.objective(outcomes).mean()), float(credits(outcomes).mean()))

    def objective(self, outcomes: AnyOutcomes) -> NDArray[np.float64]:
        """What is made small, for each image."""
        if self.wanted.objective == "log_loss":
            return log_losses(outcomes)
        return 1 - credits(outcomes)


def _choose(trier: _Trier, settings: Sequence[dict[str, Any]]) -> Choice:
    """Choose among settings, of which the first is the recipe as it comes."""
    wanted, folding = trier.wanted, trier.work.folding
    tried = [candidate_for(wanted.recipe, wanted.options, values) for values in settings]
    answers = [merged(trier.folds_of(candidate))[1] for candidate in tried]
    objective = np.stack([trier.objective(outcomes) for outcomes in answers])
    luck = corrected(
        objective,
        np.stack([credits(outcomes) for outcomes in answers]),
        np.stack([log_losses(outcomes) for outcomes in answers]),
        folding.groups,
        wanted.options.seed,
    )
    # The best of many is better on these images; it is kept only where it would be on new ones too.
    chosen = int(objective.mean(axis=1).argmin()) if luck.gain.value > 0 else 0
    return Choice(
        winner=tried[chosen],
        values=settings[chosen],
        default=measured(answers[0], folding.dataset.classes),
        best=measured(answers[chosen], folding.dataset.classes),
        expected=luck,
    )


def _storage(work: CrossValidation, wanted: TuneOptions, space: Space) -> Path | None:
    """The file of this search, named by all that its trials depend on; None keeps none."""
    if wanted.cache is None:
        return None
    parts = _dependencies(work, wanted, space)
    key = "-".join(parts.values())
    folder = wanted.cache / "searches"
    own = _short_digest(None if wanted.out is None else str(wanted.out.absolute()))
    path = next(folder.glob(f"*-{key}{SUFFIX}"), folder / f"{own}-{key}{SUFFIX}")
    if not wanted.resume:
        path.unlink(missing_ok=True)
    elif not path.exists() and not wanted.restart:
        _refuse_others(sorted(folder.glob(f"{own}-*{SUFFIX}")), parts, wanted.out)
    return path


def _dependencies(work: CrossValidation, wanted: TuneOptions, space: Space) -> dict[str, str]:
    """A digest of each of the things that the trials of a search depend on."""
    folding, fixed = work.folding, candidate_for(wanted.recipe, wanted.options, {})
    everything = np.arange(len(folding.dataset))
    settings = [
        fixed.as_dict(),
        wanted.options.seed,
        str(wanted.options.weights),
        wanted.objective,
        {name: dict(described) for name, described in space.items()},
    ]
    return {
        "images": _short_digest([folding.fingerprint(everything), folding.numbers.tolist()]),
        "settings": _short_digest(settings),
        "code": _short_digest(code_fingerprint()),
    }


def _refuse_others(files: Sequence[Path], parts: dict[str, str], out: Path | None) -> None:
    """Raise OptionError where a search that was made for the same model file is another one."""
    if not files:
        return
    last = max(files, key=lambda path: path.stat().st_mtime)
    before = last.stem.split("-")[1:]
    differs = [name for (name, digest), old in zip(parts.items(), before, strict=True) if digest != old]
    raise OptionError(
        f"resume: the search kept for {out or 'a model in memory'} was made with other "
        f"{' and '.join(differs)}; give the same as "
        "then, or --restart to start a new one"
    )


def _short_digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=repr).encode()).hexdigest()[:12]
