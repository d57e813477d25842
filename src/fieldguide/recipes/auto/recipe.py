"""`auto`: tries the other recipes while minutes are left and something can be won, and ends with one file.

    linear probe, a finished model → another input size, by a sample → a second backbone side by side
       → support vectors and trees on classical features → a third backbone → one of another family
       → a network from scratch, where images are small or unlike photos → fine-tuning
       → the one of the lowest log loss on images not seen, or a pool of a few in one file

The dial is the minutes. After each step there is a finished model; the end of the minutes and Ctrl-C write
the best so far.
"""

import dataclasses
import time

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.data.dataset import Dataset
from fieldguide.errors import FieldguideError
from fieldguide.recipes import linear_probe
from fieldguide.recipes.auto.another_family import another_family
from fieldguide.recipes.auto.candidates import (
    FINETUNE,
    CandidateMaterial,
    NoTime,
    OmittedCandidate,
    PossibleCandidate,
    Step,
    another_size,
    beside,
    classical,
    fine_tuned,
    first,
    from_scratch,
)
from fieldguide.recipes.auto.choice import choose
from fieldguide.recipes.auto.pool import fitted_pool
from fieldguide.recipes.auto.trial import FittedCandidate, evidence_of
from fieldguide.recipes.common import Fitted, Options, Run, number_option
from fieldguide.recipes.networks.budget import TimeBudget
from fieldguide.tasks.task import EITHER

__all__ = ["OPTIONS", "PRESETS", "SUMMARY", "body", "fit"]

SUMMARY = "tries the others within minutes that you give; ends with the best, or a pool of a few, in one file"
OPTIONS = frozenset({"minutes", "size", "candidates", "download"})
"""`minutes` from the photos to the model (5, 15 or 60, by preset); `size` of the probe's input in pixels;
`download`: whether a backbone of another family may be fetched; `candidates`: how many are looked at after
the first probe, in place of as many as there is time for, which repeats a run whose clock decided so."""
TASKS = EITHER
"""What it learns: one label a photo, or any number of tags; of these it ends with the best, not a pool."""
PRESETS = linear_probe.PRESETS

STEPS: tuple[Step, ...] = (
    another_size,
    beside(0),
    classical("svm"),
    classical("extra-trees"),
    beside(1),
    another_family,
    from_scratch,
    fine_tuned,
)
LEAST_ERROR = 0.004
"""Share of mistakes up to which nothing else is tried; as in fine-tuning."""


def body(options: Options, run: Run) -> ExportedBackbone:
    """The network of the probe that it begins with: that of :func:`fieldguide.recipes.linear_probe.body`."""
    return linear_probe.body(options, run)


def fit(dataset: Dataset, options: Options, run: Run) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    options
        Preset, backbone and seed; the settings are :data:`OPTIONS`.
    run
        Cache and progress. Its validation images are left alone: they measure what was chosen.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    OptionError
        If the preset is unknown or an option is out of range.
    BackboneError
        If the first backbone's weights cannot be had.
    """
    started = time.perf_counter()
    budget = TimeBudget.of(options, started)
    most = number_option(options, "candidates", least=0.0, most=len(STEPS), least_is_allowed=True)
    memory = run.memory or FeatureMemory(dataset.paths, run.cache)
    shared = dataclasses.replace(run, memory=memory)
    search = CandidateSearch(CandidateMaterial(dataset, options, shared, budget.left, by_clock=most is None))
    search.run(len(STEPS) if most is None else int(most))
    choice = choose(search.trials, dataset.groups, options.seed)
    taken = search.trials[choice.trial].fitted
    fitted = taken if choice.pool is None else fitted_pool(search.trials, choice.pool)
    return dataclasses.replace(
        fitted,
        choices=(budget.summary(), *search.summary(), choice.sentence, *fitted.choices),
        seconds={**search.trials[0].fitted.seconds, "auto": time.perf_counter() - started},
        interrupted=search.interrupted,
    )


class CandidateSearch:
    """Trials so far, and what is said of what was not tried.

    Parameters
    ----------
    material
        What candidates are made from.
    """

    def __init__(self, material: CandidateMaterial) -> None:
        self._material = material
        self._said: list[str] = []
        self._looked_at = 0
        self.trials: list[FittedCandidate] = []
        self.interrupted: bool = False

    def run(self, most: int) -> None:
        """Try one candidate after the other.

        Parameters
        ----------
        most
            Candidates that are looked at after the first probe.
        """
        self._add(first(self._material))
        try:
            for step in STEPS[:most]:
                found = NoTime() if self._nothing_left() else step(self._material, self.trials)
                if isinstance(found, NoTime) or self.interrupted:
                    break
                if isinstance(found, PossibleCandidate) and not self._material.enough(found.seconds):
                    break
                self._looked_at += 1
                self._take(found)
        except KeyboardInterrupt:
            self.interrupted = True

    def summary(self) -> tuple[str, ...]:
        """Sentences on what was tried and what was not."""
        count = self._looked_at
        return (
            (
                f"{count} of {len(STEPS)} ways looked at after the first; --set candidates={count} looks at "
                "as many whatever the clock says"
            ),
            *self._said,
        )

    def _nothing_left(self) -> bool:
        """Whether the best makes so few mistakes that trying others cannot pay."""
        evidence = evidence_of([trial for trial in self.trials if trial.whole])
        right = int(evidence.right.sum(1).max())
        nothing = len(evidence.rows) - right <= LEAST_ERROR * len(evidence.rows)
        if nothing:
            count = f"{evidence.noun}{right} of {len(evidence.rows)} images"
            self._said.append(f"nothing else tried: {count} are right already")
        return nothing

    def _take(self, found: PossibleCandidate | OmittedCandidate) -> None:
        if isinstance(found, OmittedCandidate):
            self._said.append(f"not tried: {found.reason}")
            return
        try:
            fitted = found.fit()
        except FieldguideError as error:  # the others are finished models
            self._said.append(f"not to be had: {found.name}: {error}")
            return
        self.interrupted = fitted.interrupted
        self._add(FittedCandidate(found.name, fitted))

    def _add(self, trial: FittedCandidate) -> None:
        """Keep what can be compared, and say what it has reached."""
        if self.trials and trial.fitted.classes != self.trials[0].fitted.classes:
            self._said.append(f"not to be had: {trial.name}: it knows other classes than the first")
            return
        if trial.name == FINETUNE and trial.whole:
            self._said.append("finetune: was not better than its own linear probe")
            return
        self.trials.append(trial)
        evidence = evidence_of([trial])
        right, loss = int(evidence.right.sum()), float(evidence.losses.mean())
        count = f"{evidence.noun}{right} of {len(evidence.rows)} images"
        said = f"{trial.name}: {count} not seen right, log loss {loss:.3f}"
        self._material.run.progress(said, 1, 1)
