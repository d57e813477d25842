"""A search with Optuna: trials asked for in batches, kept in a file that survives a kill.

The trials of a batch are tried side by side, and what is asked for rests on the batches before it alone: each
suggestion is drawn from the seed and the number of trials before it, its neighbours count as bad until they
are known (the constant liar of Ginsbourger, Le Riche and Carraro 2010), each trial is given up by what
earlier batches reached, and all are told in the order of their numbers. So the same seed and the same size of
a batch give the same search, whatever ends first. A batch of one is a search one after the other.

The file (:mod:`fieldguide.experiments.search_log`) is whole up to where the process ended. Trials that were
running then are tried again first when the search goes on, which is then as if it had never been stopped.
"""

import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from fieldguide.errors import OptionError
from fieldguide.experiments.fold_results import error_sentence
from fieldguide.experiments.search_log import SearchLog
from fieldguide.experiments.search_space import Space, suggest
from fieldguide.progress import Progress

RANDOM_TRIALS = 5
"""Trials before the sampler learns from earlier ones, and before any is given up."""
MOST_FAILURES = 5
"""Failed trials in a row that end a search: something is wrong with all of them."""

STOPPED = "stopped before it was finished"
"""Error of a trial whose search was interrupted or killed."""
AT_ONCE, BATCH = "at_once", "batch"
"""What the file keeps of a search and of each trial, by these names."""


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


class AskedTrial:
    """A trial under way.

    Parameters
    ----------
    trial
        Optuna's.
    values
        What is to be tried.
    earlier
        Trials of earlier batches that were finished.
    heard
        Called when it has ended.
    """

    def __init__(
        self,
        trial: optuna.Trial,
        values: dict[str, Any],
        earlier: Sequence[optuna.trial.FrozenTrial],
        heard: Callable[[], None],
    ) -> None:
        self.trial: optuna.Trial = trial
        self.values: dict[str, Any] = values
        self.ended: bool = False
        """Whether it has finished, failed or been given up."""
        self.error: str | None = None
        self._reached: list[float] = []
        self._earlier, self._heard = earlier, heard
        self._objective: float | None = None

    def report(self, value: float) -> bool:
        """Tell the objective over the folds so far, after each in turn.

        Returns
        -------
        bool
            Whether the trial is given up, since it is worse than the median of those before it (the rule of
            Golovin et al. 2017, "Google Vizier").
        """
        fold = len(self._reached)
        self._reached.append(value)
        self.trial.report(value, fold)
        there = [one.intermediate_values[fold] for one in self._earlier if fold in one.intermediate_values]
        enough = len(self._earlier) >= RANDOM_TRIALS and bool(there)
        if not (math.isnan(value) or (enough and min(self._reached) > statistics.median(there))):
            return False
        self._end()
        return True

    def finish(self, objective: float, accuracy: float) -> None:
        """Tell what was reached over all folds."""
        self.trial.set_user_attr("accuracy", accuracy)
        self._objective = objective
        self._end()

    def fail(self, error: Exception) -> None:
        """Tell why there is no result."""
        self.error = error_sentence(error)
        self._end()

    def stop(self) -> None:
        """Leave it to another run, unless it has ended."""
        if not self.ended:
            self.error, self.ended = STOPPED, True

    def tell(self, study: optuna.Study) -> None:
        """Tell Optuna how it ended."""
        if self.error is not None:
            self.trial.set_user_attr("error", self.error)
            study.tell(self.trial, state=TrialState.FAIL)
        elif self._objective is None:
            study.tell(self.trial, state=TrialState.PRUNED)
        else:
            study.tell(self.trial, self._objective)

    def _end(self) -> None:
        self.ended = True
        self._heard()


Try = Callable[[Sequence[AskedTrial]], None]
"""Tries a batch and tells each of its trials; all have ended when it returns."""


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
    at_once
        Trials of a batch; None takes that of the search that is gone on with, or 1.
    otherwise
        What None takes where there is no such search.

    Raises
    ------
    OptionError
        If `at_once` is another than that of the search that is gone on with.
    """

    def __init__(
        self,
        storage: Path | None,
        space: Space,
        seed: int,
        progress: Progress,
        *,
        at_once: int | None = None,
        otherwise: int = 1,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._seed, self._progress = space, seed, progress
        self._log = None if storage is None else SearchLog(storage)
        self._study = optuna.create_study(
            storage=None if self._log is None else optuna.storages.JournalStorage(self._log),
            study_name="fieldguide",
            load_if_exists=True,
            direction="minimize",
            pruner=optuna.pruners.NopPruner(),  # trials are given up by a rule of their batch
        )
        self.found: int = len(self._begun())
        """Trials that an earlier run left."""
        try:
            self.at_once: int = self._kept_at_once(at_once, otherwise)
            """Trials of a batch."""
        except OptionError:
            self.close()
            raise
        self._take_up_unfinished()

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
                for trial in self._tried(budget, attempt):
                    failures = failures + 1 if trial.error else 0
                    if failures == MOST_FAILURES:
                        raise OptionError(
                            f"{failures} trials failed in a row, the last: {trial.error}; mend that first"
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
        return tuple(map(_row, self._begun()))

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

    def _tried(self, budget: Budget, attempt: Try) -> list[AskedTrial]:
        """A batch, told; where it is interrupted, what has ended is told as well."""
        batch: list[AskedTrial] = []
        try:
            self._ask(batch, budget)
            attempt(batch)
        finally:
            self._tell(batch)
        return batch

    def _tell(self, batch: Sequence[AskedTrial]) -> None:
        """Tell Optuna of a batch, in the order of its numbers; what has not ended is tried again first."""
        for trial in batch:
            trial.stop()
            trial.tell(self._study)
        self._try_again(trial.values for trial in batch if trial.error == STOPPED)

    def _ask(self, batch: list[AskedTrial], budget: Budget) -> None:
        """Fill a batch: a new one, or what is missing of one that was not finished."""
        counted = list(filter(_counts, self._study.get_trials(deepcopy=False)))
        numbers = [trial.user_attrs[BATCH] for trial in counted]
        number = max(numbers, default=0)
        if numbers.count(number) >= self.at_once:
            number += 1
        left = self.at_once - numbers.count(number)
        if budget.trials is not None:
            left = min(left, budget.trials - len(counted))
        earlier = [
            trial
            for trial in counted
            if trial.user_attrs[BATCH] < number and trial.state == TrialState.COMPLETE
        ]
        for place in range(left):
            self._study.sampler = self._sampler(len(counted) + place)
            trial = self._study.ask()
            trial.set_user_attr(BATCH, number)
            values = suggest(trial, self._space)
            batch.append(AskedTrial(trial, values, earlier, lambda: self._say(budget, batch, len(counted))))

    def _sampler(self, number: int) -> optuna.samplers.TPESampler:
        """What suggests the trial after so many others, whichever run it is asked in."""
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=RANDOM_TRIALS, constant_liar=self.at_once > 1
            )

    def _say(self, budget: Budget, batch: Sequence[AskedTrial], before: int) -> None:
        if budget.trials is not None:
            self._progress("trials", before + sum(trial.ended for trial in batch), budget.trials)

    def _kept_at_once(self, asked: int | None, otherwise: int) -> int:
        kept: int | None = self._study.user_attrs.get(AT_ONCE)
        if kept is None:
            kept = asked or otherwise
            self._study.set_user_attr(AT_ONCE, kept)
        if asked not in (None, kept):
            raise OptionError(
                f"--at-once: must be {kept}, as when this search began, got {asked}; leave it out, or begin "
                "anew without --resume"
            )
        return kept

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
        running = self._study.get_trials(states=(TrialState.RUNNING,))
        for trial in running:
            self._study.tell(trial.number, state=TrialState.FAIL)
        self._try_again(trial.params for trial in running)

    def _try_again(self, settings: Iterable[dict[str, Any]]) -> None:
        for values in settings:
            if values:
                self._study.enqueue_trial(values)

    def _begun(self) -> list[optuna.trial.FrozenTrial]:
        """All trials but those that wait to be tried again."""
        return [trial for trial in self._study.trials if trial.state != TrialState.WAITING]


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
