"""A search with Optuna: trials asked for and told one by one, kept in a file that survives a kill.

The file (:mod:`fieldguide.experiments.search_log`) is whole up to where the process ended. A trial that was
running then is tried again first when the search goes on.
"""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from fieldguide.errors import FieldguideError, OptionError
from fieldguide.experiments.search_log import SearchLog
from fieldguide.experiments.search_space import Space, suggest
from fieldguide.progress import Progress

RANDOM_TRIALS = 5
"""Trials before the sampler learns from earlier ones, and before any is given up."""
MOST_FAILURES = 5
"""Failed trials in a row that end a search: something is wrong with all of them."""

STOPPED = "stopped before it was finished"
"""Error of a trial whose search was interrupted or killed."""

Report = Callable[[int, float], None]
Try = Callable[[dict[str, Any], Report], dict[str, float]]
"""(values, report) -> `objective` and `accuracy`; told to `report` is the objective after each fold."""


@dataclass(frozen=True)
class Budget:
    """When a search ends: one of the two."""

    trials: int | None = None
    """Trials in all, those of the search that is gone on with included."""
    minutes: float | None = None
    """Time from the first trial of this run on; a trial that has begun is finished, and training the best
    comes on top."""

    def check(self) -> None:
        """Raise OptionError where it is none."""
        if (self.trials is None) == (self.minutes is None):
            raise OptionError("budget: must be trials or minutes, got both or neither; give one of them")
        amount = self.trials if self.minutes is None else self.minutes
        if amount is None or not 0 < amount < math.inf:
            raise OptionError("budget: must be more than 0; 20 trials are a start")


@dataclass(frozen=True)
class TrialRow:
    """One trial, for a table."""

    number: int
    values: dict[str, Any]
    state: str
    """`complete`, `pruned`, `failed` or `running`."""
    objective: float | None
    """What was made small, over all images or, where pruned, over the folds before."""
    accuracy: float | None
    folds: int
    """Folds that were finished."""
    seconds: float | None
    error: str | None

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return dict(vars(self))


class Search:
    """One search over a space.

    Parameters
    ----------
    storage
        A file that may exist already; None keeps the trials in memory only.
    space
        What may vary.
    seed
        Of the sampler.
    progress
        Callback for progress: the stage `trials`, or `search seconds` where the budget is time.
    """

    def __init__(self, storage: Path | None, space: Space, seed: int, progress: Progress) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._progress = space, progress
        self._log = None if storage is None else SearchLog(storage)
        self._study = optuna.create_study(
            storage=None if self._log is None else optuna.storages.JournalStorage(self._log),
            study_name="fieldguide",
            load_if_exists=True,
            direction="minimize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS),
        )
        self.found: int = len(self._study.trials)
        """Trials that an earlier run left."""
        self._take_up_unfinished()
        # The sampler's own state is not kept, so one that goes on must not repeat its first suggestions.
        self._study.sampler = optuna.samplers.TPESampler(
            seed=seed + len(self._study.trials), n_startup_trials=RANDOM_TRIALS
        )

    def run(self, budget: Budget, attempt: Try) -> bool:
        """Try settings until the budget is spent.

        Returns
        -------
        bool
            Whether it was interrupted.

        Raises
        ------
        FieldguideError
            If :data:`MOST_FAILURES` trials failed in a row.
        """
        started, failures = time.monotonic(), 0
        try:
            while not self._over(budget, started):
                error = self._one(attempt)
                failures = failures + 1 if error else 0
                if failures == MOST_FAILURES:
                    raise OptionError(
                        f"{failures} trials failed in a row, the last: {error}; mend that first"
                    )
        except KeyboardInterrupt:
            return True
        return False

    def close(self) -> None:
        """Let another process go on with the search; what was found can still be asked for."""
        if self._log is not None:
            self._log.close()

    def finished(self) -> list[dict[str, Any]]:
        """The values of the trials that went through all folds, each once."""
        done = self._study.get_trials(states=(TrialState.COMPLETE,))
        distinct = {tuple(sorted(trial.params.items())): trial.params for trial in done}
        return list(distinct.values())

    def rows(self) -> tuple[TrialRow, ...]:
        """All trials."""
        return tuple(_row(trial) for trial in self._study.trials)

    def importances(self) -> dict[str, float] | None:
        """How much each setting decided, the shares adding up to 1; None where that cannot be told.

        Watanabe, Bansal and Hutter (2023), "PED-ANOVA: efficiently quantifying hyperparameter importance in
        arbitrary subspaces", as Optuna computes it.
        """
        done = self._study.get_trials(states=(TrialState.COMPLETE,))
        if len(done) < RANDOM_TRIALS or len({trial.value for trial in done}) < 2:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return dict(optuna.importance.get_param_importances(self._study))
        except (ValueError, RuntimeError):  # all alike in one of the settings
            return None

    def _one(self, attempt: Try) -> str | None:
        """One trial; the answer is why it failed, or None."""
        trial = self._study.ask()
        error = None

        def report(fold: int, value: float) -> None:
            trial.report(value, fold)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            reached = attempt(suggest(trial, self._space), report)
            trial.set_user_attr("accuracy", reached["accuracy"])
            self._study.tell(trial, reached["objective"])
        except optuna.TrialPruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        except KeyboardInterrupt:
            trial.set_user_attr("error", STOPPED)
            self._study.tell(trial, state=TrialState.FAIL)
            raise
        except Exception as failure:  # one setting must not take the search with it
            error = str(failure) if isinstance(failure, FieldguideError) else repr(failure)
            trial.set_user_attr("error", error)
            self._study.tell(trial, state=TrialState.FAIL)
        return error

    def _over(self, budget: Budget, started: float) -> bool:
        if budget.trials is not None:
            done = sum(map(_counts, self._study.get_trials(deepcopy=False)))
            self._progress("trials", min(done, budget.trials), budget.trials)
            return done >= budget.trials
        assert budget.minutes is not None
        spent, allowed = time.monotonic() - started, 60 * budget.minutes
        self._progress("search seconds", int(min(spent, allowed)), max(1, int(allowed)))
        return spent >= allowed

    def _take_up_unfinished(self) -> None:
        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)
            if trial.params:
                self._study.enqueue_trial(trial.params)


def _row(trial: optuna.trial.FrozenTrial) -> TrialRow:
    states = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
    reached = list(trial.intermediate_values.values())
    return TrialRow(
        number=trial.number,
        values=dict(trial.params),
        state=states.get(trial.state, "running"),
        objective=trial.value if trial.state == TrialState.COMPLETE else reached[-1] if reached else None,
        accuracy=trial.user_attrs.get("accuracy"),
        folds=len(reached),
        seconds=trial.duration.total_seconds() if trial.duration else None,
        error=trial.user_attrs.get("error", STOPPED if trial.state == TrialState.FAIL else None),
    )


def _counts(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether a trial counts as one of the budget: not where it was stopped, for it will be tried again."""
    stopped = trial.state == TrialState.FAIL and trial.user_attrs.get("error", STOPPED) == STOPPED
    return trial.state.is_finished() and not stopped
