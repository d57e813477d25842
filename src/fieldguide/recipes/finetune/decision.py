"""What learns, how and how long: decided once, by the clock and by evidence, unless a person decides it.

prices of a step → evidence from the probe's features and from a few photos' activations
                 → where the photos are unlike what the network knows: a head on their own statistics of batch
                   normalisation beside one on those that it came with
                 → where size and evidence suggest different rates: a short trial of both
                 → the course that the time left allows

For small photos all layers usually learn at one rate, for large ones early layers learn more slowly. The
former suits photos unlike what the network knows, the latter those that are like it (docs/log.md).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads.training_table import TrainingTable
from fieldguide.progress import Progress
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.finetune.course import (
    LAST_LAYERS,
    Course,
    Prices,
    course_for,
    measured,
    seconds_after,
)
from fieldguide.recipes.finetune.evidence import LOOKED_AT, evidence_of, judged, some_rows
from fieldguide.recipes.finetune.presets import FinetunePreset
from fieldguide.recipes.finetune.start import features_with_own_statistics, hyperparameters_of, network_of
from fieldguide.recipes.finetune.task import usual_batch
from fieldguide.recipes.finetune.trial import SURE, Rates, RatesTrial
from fieldguide.recipes.networks.budget import TimeBudget

FOR_EVIDENCE, FOR_STATISTICS, FOR_RATES = 0.02, 0.02, 0.11
"""Shares of the minutes, at most: for a look at photos' activations, for a head on their own statistics, for
a trial of rates."""
COMPARED, FEWEST_COMPARED = 200, 60
"""Photos on which statistics of batch normalisation are compared, at most and at least."""
OWN = 0.5
"""Share of the photos' own statistics that is compared with none."""


@dataclass(frozen=True)
class Decision:
    """How a network learns."""

    course: Course
    seconds: float | None
    """That training may take; None: as long as it takes."""
    rates: Rates
    batch_norm: float
    """Share of the photos' own statistics."""
    sentences: tuple[str, ...] = ()
    """What was found, and what was tried."""
    unusual: tuple[str, ...] = ()
    """Rates and statistics that are not the preset's own, as assignments."""

    @classmethod
    def kept(cls, found: Mapping[str, Any]) -> "Decision":
        """Read what :meth:`as_json` gave."""
        course, rates = Course.kept(found["course"]), Rates(**found["rates"])
        lists = (tuple(found[name]) for name in ("sentences", "unusual"))
        return cls(course, found["seconds"], rates, found["batch_norm"], *lists)

    def as_json(self) -> dict[str, Any]:
        """To be kept for a resumed run."""
        return asdict(self)

    def into(self, preset: FinetunePreset) -> FinetunePreset:
        """The preset with what was decided."""
        return replace(self.rates.into(preset), batch_norm=self.batch_norm)

    def by_hand(self) -> str:
        """Options that give the same without a clock, beside those that a person gave."""
        return " ".join(f"--set {one}" for one in (f"layers={self.course.layers:g}", *self.unusual))


def unusual(preset: FinetunePreset, rates: Rates, share: float) -> tuple[str, ...]:
    """What of it is not the preset's own, as assignments.

    Examples
    --------
    >>> from fieldguide.recipes.finetune.presets import PRESETS
    >>> unusual(PRESETS["fast"], Rates(1.0, 0.3), 0.5)
    ('layer_decay=1', 'batch_norm=0.5')
    """
    own = {"layer_decay": preset.layer_decay, "head_rate": preset.head_rate, "batch_norm": preset.batch_norm}
    found = {**asdict(rates), "batch_norm": share}
    return tuple(f"{name}={found[name]:g}" for name, usual in own.items() if found[name] != usual)


def decided_by_clock(trial: RatesTrial, budget: TimeBudget, options: Options, run: Run) -> Decision:
    """Measure what a step takes, look for evidence, try what it leaves open, and choose the course.

    Parameters
    ----------
    trial
        Images, where training starts, and the preset.
    budget
        The minutes.
    options
        What a person gave is not tried.
    run
        Its progress is told.
    """
    prices = _prices(trial)
    allowed = 60 * budget.minutes
    share, rates = trial.preset.batch_norm, Rates.of(trial.preset)
    said: tuple[str, ...] = ()
    if not {"layer_decay", "head_rate", "batch_norm"} <= set(options.settings):
        share, rates, said = _tried(trial, prices, (budget, allowed), (options, run.progress))
    seconds = max(budget.left() - seconds_after(trial.images, prices) - _refitting(trial, prices, share), 1.0)
    course = course_for(trial.preset, trial.images, trial.size, seconds, prices)
    return Decision(course, seconds, rates, share, said, unusual(trial.preset, rates, share))


def _prices(trial: RatesTrial) -> Prices:
    batch = usual_batch(len(trial.images.learn))
    way = hyperparameters_of(trial.images, trial.augmentation, batch, trial.preset)
    whole, last = (
        network_of(trial.start, layers, way) for layers in (1.0, trial.preset.layers or LAST_LAYERS)
    )
    return measured(whole, last, trial.size)


def _refitting(trial: RatesTrial, prices: Prices, share: float) -> float:
    """Seconds that a probe on other statistics takes."""
    return prices.look * len(trial.images.learn) if share else 0.0


def _tried(
    trial: RatesTrial, prices: Prices, time: tuple[TimeBudget, float], wished: tuple[Options, Progress]
) -> tuple[float, Rates, tuple[str, ...]]:
    """Share of the photos' own statistics, rates, and sentences on both."""
    (budget, allowed), (options, progress) = time, wished
    share, rates = trial.preset.batch_norm, Rates.of(trial.preset)
    looked_at = int(FOR_EVIDENCE * allowed / prices.look)
    found = evidence_of(trial.start, trial.images, min(LOOKED_AT, looked_at), options.seed)
    said = list(found.sentences())
    if found.unlike is None or trial.start.tags is not None:
        return share, rates, tuple(said)
    if found.unlike and found.statistics is not None and "batch_norm" not in options.settings:
        share, sentence = _statistics(trial, prices, FOR_STATISTICS * allowed, options.seed)
        said.append(sentence)
    if {"layer_decay", "head_rate"} & set(options.settings):
        return share, rates, tuple(said)
    if found.unlike == rates.even:
        said.append(f"rates: {rates.said()} as usual, which suits such photos, so nothing is tried")
        return share, rates, tuple(said)
    seconds = max(budget.left() - seconds_after(trial.images, prices), 1.0)
    course = course_for(trial.preset, trial.images, trial.size, seconds, prices)
    decided = trial.decide(course, prices, FOR_RATES * allowed, progress)
    return share, decided.rates, (*said, decided.sentence)


def _statistics(trial: RatesTrial, prices: Prices, seconds: float, seed: int) -> tuple[float, str]:
    """Compare heads on features with the photos' own statistics and with those that the network came with."""
    usual, table = trial.preset.batch_norm, trial.start.table
    count = min(COMPARED, int(seconds / (2 * prices.look)), len(table.labels))
    as_usual = f"batch_norm={usual:g} as usual"
    if count < FEWEST_COMPARED:
        return (
            usual,
            f"statistics of batch normalisation: not compared, since time or photos are few; {as_usual}",
        )
    rows = some_rows(len(table.labels), count, seed)
    vectors, _ = features_with_own_statistics(trial.start, trial.images, trial.images.learn[rows], OWN, seed)
    own = TrainingTable.of(vectors, table.labels[rows], table.folds[rows])
    before, after = judged(table, rows), judged(own, np.arange(count))
    if before is None or after is None:
        return usual, f"statistics of batch normalisation: not compared, since folds are few; {as_usual}"
    return _compared(before[0], after[0], usual)


def _compared(before: NDArray[np.float64], after: NDArray[np.float64], usual: float) -> tuple[float, str]:
    gain = before - after
    error = float(gain.std(ddof=1) / len(gain) ** 0.5) if len(gain) > 1 else np.inf
    share = OWN if float(gain.mean()) > SURE * error else usual
    return share, (
        f"statistics of batch normalisation: on {len(gain)} photos that it had not seen a linear head has a "
        f"log loss of {before.mean():.3f} with those that the network came with and of {after.mean():.3f} "
        f"half-way to the photos' own: batch_norm={share:g}"
    )
