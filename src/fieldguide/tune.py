"""Search a recipe's settings with Optuna, and train the best on all images.

Every trial is cross-validated over the same folds with shared features, and given up when after a fold or
two it is worse than the median of the trials before it. The recipe as it comes is measured first; a search
that finds nothing better, or only by luck, hands it back. The winner's own score is optimistic, since it won
by it; what new images may be expected to show is told beside it (:mod:`fieldguide.selection`).
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fieldguide.cross_validation import Candidate, CrossValidation, cross_validation, merged
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.evaluation import Evaluation, Outcomes, measure
from fieldguide.fold_results import FoldResult, code_fingerprint
from fieldguide.metrics import SMALLEST_PROBABILITY
from fieldguide.recipes.common import Setting
from fieldguide.search_space import Space, candidate_for, search_space
from fieldguide.selection import Corrected, corrected
from fieldguide.study import Budget, Search, TrialRow
from fieldguide.train import TrainOptions, TrainResult, check_names, check_writable, train_dataset

Objective = Literal["log_loss", "accuracy"]


@dataclass(frozen=True)
class TuneOptions:
    """What a person decides about ``fieldguide tune``."""

    data: Path
    """DATA in any form."""
    out: Path
    """The model file to write."""
    recipe: str = "linear-probe"
    """A key of :data:`fieldguide.recipes.RECIPES`."""
    setting: Setting = field(default_factory=Setting)
    """Seed, and what is fixed: what it fixes is not searched. Its cache and memory are not looked at."""
    budget: Budget = field(default_factory=Budget)
    objective: Objective = "log_loss"
    """What is searched for. Log loss sees more than right and wrong, so it needs fewer images to tell
    settings apart."""
    folds: int = 5
    cache: Path | None = None
    """Folder where features, finished folds and the search are kept; None keeps them for this call only."""
    resume: bool = False
    """Go on with the search that was made of the same images, recipe and setting."""


@dataclass(frozen=True)
class Choice:
    """What a search chose, and how good it is."""

    winner: Candidate
    """What is trained: the recipe as it comes where nothing was better by more than luck."""
    values: dict[str, Any]
    """What the winner changes; nothing where it is the recipe as it comes."""
    default: Evaluation
    """The recipe as it comes, out of fold."""
    best: Evaluation
    """The winner, out of fold: optimistic, since it was chosen by this."""
    expected: Corrected
    """What searching and choosing is worth, the luck taken out."""


@dataclass(frozen=True)
class TuneResult:
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
    interrupted: bool
    """Whether a person stopped the search."""
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The whole as ``tune --json`` holds it."""
        figures = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece")

        def short(evaluation: Evaluation) -> dict[str, Any]:
            whole = evaluation.as_dict()
            return {name: whole[name] for name in figures}

        return {
            "recipe": self.options.recipe,
            "objective": self.options.objective,
            "folds": self.options.folds,
            "seed": self.options.setting.seed,
            "default": short(self.choice.default),
            "best": {"values": self.choice.values, **short(self.choice.best)},
            "expected": self.choice.expected.as_dict(),
            "importances": self.importances,
            "trials": [trial.as_dict() for trial in self.trials],
            "found": self.found,
            "interrupted": self.interrupted,
            "seconds": self.seconds,
            "train": self.trained.as_dict(),
        }


def tune(dataset: Dataset, options: TuneOptions) -> TuneResult:
    """Search, then train the best setting on all images and write the model file.

    An interrupt (Ctrl-C) ends the search, not the work: the best so far is trained and written.

    Parameters
    ----------
    dataset
        Of one with splits, only `train` is searched on; `validation` then measures the model file.
    options
        Recipe, budget, what is fixed, and where the file goes. `options.data` is not looked at.

    Raises
    ------
    OptionError
        If the recipe has nothing to search, the budget is not one, or a search is to go on without a cache.
    DataError
        If the data cannot be used.
    OutputError
        If the model file cannot be written.
    """
    started = time.perf_counter()
    options.budget.check()
    check_writable(options.out)
    check_names(dataset)
    setting = options.setting
    space = search_space(options.recipe, setting)
    if options.resume and options.cache is None:
        raise OptionError("resume: needs a cache folder to go on from, got none; give one or start anew")
    default = candidate_for(options.recipe, setting, {})
    shared = cross_validation(
        dataset,
        [default],
        folds=options.folds,
        seed=setting.seed,
        cache=options.cache,
        progress=setting.progress,
    )
    with shared as work:
        trier = _Trier(work, options)
        trier.try_out(default, None)  # its errors are the person's to hear
        search = Search(_storage(work, options, space), space, setting.seed, setting.progress)
        interrupted = search.run(options.budget, trier)
        chosen = _choose(trier, [{}, *search.finished()])
        final = dataclasses.replace(work.setting(chosen.winner), progress=setting.progress)
        trained = train_dataset(dataset, TrainOptions(options.data, options.out, options.recipe, final))
    return TuneResult(
        options=options,
        choice=chosen,
        trials=search.rows(),
        importances=search.importances(),
        found=search.found,
        trained=trained,
        interrupted=interrupted,
        seconds=time.perf_counter() - started,
    )


class _Trier:
    """Cross-validates settings, and remembers what each answered."""

    def __init__(self, work: CrossValidation, options: TuneOptions) -> None:
        self.work, self.options = work, options

    def __call__(self, values: dict[str, Any], report: Any) -> dict[str, float]:
        candidate = candidate_for(self.options.recipe, self.options.setting, values)
        _, outcomes = merged(self.try_out(candidate, report))
        right = outcomes.predicted == outcomes.truth
        objective = float(self.objective(outcomes).mean())
        return {"objective": objective, "accuracy": float(right.mean())}

    def try_out(self, candidate: Candidate, report: Any) -> list[FoldResult]:
        """The folds of a candidate; `report` is told the objective over the folds so far, and may end it."""
        results: list[FoldResult] = []
        for fold in range(self.work.folding.count):
            results.append(self.work.run(candidate, fold))
            if report is not None:
                report(fold, float(self.objective(merged(results)[1]).mean()))
        return results

    def objective(self, outcomes: Outcomes) -> NDArray[np.float64]:
        """What is made small, for each image."""
        if self.options.objective == "log_loss":
            return _log_losses(outcomes)
        return np.asarray(outcomes.predicted != outcomes.truth, dtype=np.float64)


def _log_losses(outcomes: Outcomes) -> NDArray[np.float64]:
    clipped = np.clip(outcomes.truth_probability, SMALLEST_PROBABILITY, 1.0)
    return np.asarray(-np.log(clipped), dtype=np.float64)


def _choose(trier: _Trier, settings: Sequence[dict[str, Any]]) -> Choice:
    """Choose among settings, of which the first is the recipe as it comes."""
    options, folding = trier.options, trier.work.folding
    tried = [candidate_for(options.recipe, options.setting, values) for values in settings]
    answers = [merged(trier.try_out(candidate, None))[1] for candidate in tried]
    objective = np.stack([trier.objective(outcomes) for outcomes in answers])
    luck = corrected(
        objective,
        np.stack([outcomes.predicted == outcomes.truth for outcomes in answers]),
        np.stack([_log_losses(outcomes) for outcomes in answers]),
        folding.groups,
        options.setting.seed,
    )
    # The best of many is better on these images; it is kept only where it would be on new ones too.
    chosen = int(objective.mean(axis=1).argmin()) if luck.gain.value > 0 else 0
    return Choice(
        winner=tried[chosen],
        values=settings[chosen],
        default=measure(answers[0], folding.dataset.classes),
        best=measure(answers[chosen], folding.dataset.classes),
        expected=luck,
    )


def _storage(work: CrossValidation, options: TuneOptions, space: Space) -> Path | None:
    """The file of this search, named by all that its trials depend on; None keeps none."""
    if options.cache is None:
        return None
    folding, fixed = work.folding, candidate_for(options.recipe, options.setting, {})
    everything = np.arange(len(folding.dataset))
    parts = [
        fixed.as_dict(),
        options.setting.seed,
        str(options.setting.weights),
        options.objective,
        {name: dict(described) for name, described in space.items()},
        folding.fingerprint(everything),
        folding.numbers.tolist(),
        code_fingerprint(),
    ]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()[:32]
    path = options.cache / "searches" / f"{key}.sqlite3"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not options.resume:
        path.unlink(missing_ok=True)
    return path
