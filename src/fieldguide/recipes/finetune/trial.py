"""A short trial of two settings: each takes the same few dozen steps, judged on photos that neither saw.

Folds keep look-alikes together, so one of them judges. None of the images that later choose between probe and
network takes part: what these say would otherwise be too good.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fieldguide.heads.linear_head import fit_probe
from fieldguide.heads.training_table import TrainingTable
from fieldguide.progress import Progress
from fieldguide.recipes.finetune.cache import Fresh
from fieldguide.recipes.finetune.course import Course, Prices
from fieldguide.recipes.finetune.evidence import some_rows
from fieldguide.recipes.finetune.presets import FinetunePreset
from fieldguide.recipes.finetune.start import Start, hyperparameters_of, network_of
from fieldguide.recipes.finetune.task import FinetuneTask, usual_batch
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.network import FeatureNetwork
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.loop import train_network
from fieldguide.training.plan import Plan, Watch
from fieldguide.training.precision import best_precision

FEWEST_STEPS, MOST_STEPS = 24, 96
"""Of each setting: with fewer, rates have no time to rise and fall."""
JUDGES, FEWEST_JUDGES = 150, 30
"""Images that judge, at most and at least."""
MOST_LEARNED = 2500
"""Images that the two settings learn from; steps are fewer, but the head where they begin has seen all."""
SHRINKAGE = 0.8
"""Of the head where both settings begin: the one that the preset `fast` takes without a search."""
SURE = 1.64
"""Standard errors by which the other setting must be better than the usual one."""
MARGIN = 1.5
"""Times that a trial may take of what was foreseen before it is broken off."""


@dataclass(frozen=True)
class Rates:
    """How rates are spread over the layers."""

    layer_decay: float
    """The rate of each layer is so many times that of the layer above it."""
    head_rate: float
    """Of the classifier, as a share of the last layer's."""

    @classmethod
    def of(cls, preset: FinetunePreset) -> "Rates":
        """Those of a preset."""
        return cls(preset.layer_decay, preset.head_rate)

    def into(self, preset: FinetunePreset) -> FinetunePreset:
        """The preset with these."""
        return replace(preset, layer_decay=self.layer_decay, head_rate=self.head_rate)

    @property
    def even(self) -> bool:
        """Whether all layers learn alike."""
        return self.layer_decay == 1

    def said(self) -> str:
        """As options."""
        return f"layer_decay={self.layer_decay:g} head_rate={self.head_rate:g}"


GENTLE, EVEN = Rates(0.9, 0.3), Rates(1.0, 1.0)
"""Early layers more slowly, and all alike."""


def other_than(usual: Rates) -> Rates:
    """What is tried beside the usual rates.

    Examples
    --------
    >>> other_than(GENTLE) == EVEN, other_than(EVEN) == GENTLE
    (True, True)
    """
    return GENTLE if usual.even else EVEN


@dataclass(frozen=True)
class DecidedRates:
    """What came of a trial."""

    rates: Rates
    sentence: str


@dataclass(frozen=True)
class RatesTrial:
    """What a trial is given."""

    images: Images
    start: Start
    preset: FinetunePreset
    augmentation: Augmentation
    seed: int

    def decide(self, course: Course, prices: Prices, seconds: float, progress: Progress) -> DecidedRates:
        """Have the usual rates and others learn for a while; take the others where they are surely better.

        Parameters
        ----------
        course
            What the clock decided; where only the last layers learn, rates are not tried.
        prices
            Seconds for an image.
        seconds
            That the trial may take.
        progress
            Told of the steps.
        """
        usual = Rates.of(self.preset)
        part = self._part()
        if part is None or course.layers < 1:
            why = "only the last layers learn" if part is not None else "too few photos could judge it"
            return DecidedRates(usual, f"trial: none, since {why}; {usual.said()} as usual")
        side = course.stages[0][1] if course.stages else self.size
        steps = self._steps(part, prices, side, seconds)
        if steps < FEWEST_STEPS:
            why = f"{FEWEST_STEPS} steps of two settings take more than the {seconds:.0f} s they may take"
            return DecidedRates(usual, f"trial: none, since {why}; {usual.said()} as usual")
        return self._compared(part, (usual, other_than(usual)), (steps, side), (seconds, progress))

    def _compared(
        self,
        part: "_Part",
        pair: tuple[Rates, Rates],
        much: tuple[int, int],
        limits: tuple[float, Progress],
    ) -> DecidedRates:
        usual, other = pair
        (steps, _), (seconds, progress) = much, limits
        begun = time.perf_counter()
        losses = []
        for rates in pair:
            losses.append(self._losses(part, rates, much, progress))
            if time.perf_counter() - begun > MARGIN * seconds * len(losses) / len(pair):
                return DecidedRates(
                    usual, f"trial: broken off, since it took longer than foreseen; {usual.said()} as usual"
                )
        gain = losses[0] - losses[1]
        error = float(gain.std(ddof=1) / len(gain) ** 0.5)
        taken = other if float(gain.mean()) > SURE * error else usual
        return DecidedRates(
            taken,
            f"trial: {steps} steps with {usual.said()} as usual and {other.said()} end in log losses of "
            f"{losses[0].mean():.3f} and {losses[1].mean():.3f} on {len(gain)} photos apart, a gain of "
            f"{gain.mean():.3f} ± {error:.3f} where {SURE:g} errors are asked for: {taken.said()}",
        )

    def _losses(
        self, part: "_Part", rates: Rates, much: tuple[int, int], progress: Progress
    ) -> NDArray[np.float64]:
        """Log loss of each judging image once a network has learned with these rates."""
        steps, side = much
        plan = self._plan(part, steps)
        way = hyperparameters_of(part.images, self.augmentation, plan.batch_size, rates.into(self.preset))
        network = network_of(part.start, 1.0, way)
        features = FeatureNetwork(network.body, self.start.backbone.preprocessing)
        source = Fresh(part.images, features, self.augmentation, ((1.0, side),))
        task = _Remembering(network, source, plan, way)
        train_network(task, plan, watch=Watch(_as_trial(progress)))
        judge = way.judge(part.images.numbers[part.images.held])
        return judge.judged(task.scores).losses

    def _plan(self, part: "_Part", steps: int) -> Plan:
        count = len(part.images.learn)
        return Plan(
            images=count,
            epochs=1,
            batch_size=min(usual_batch(count), count),
            seed=self.seed,
            precision=best_precision()[0],
            clip=1.0,
            average=0.99,
            keep="last",
            most_steps=steps,
        )

    def _steps(self, part: "_Part", prices: Prices, side: int, seconds: float) -> int:
        count = len(part.images.learn)
        plan = self._plan(part, MOST_STEPS)
        step = plan.batch_size * prices.step(side)
        looking = len(part.images.held) * prices.look
        return min(count // plan.batch_size, MOST_STEPS, int((seconds / 2 - looking) / step))

    @property
    def size(self) -> int:
        """Side of the network's input in pixels."""
        return self.start.backbone.preprocessing.size

    def _part(self) -> "_Part | None":
        """One fold of the images learned from judges, the others are learned from; None where too few do."""
        table = self.start.table
        folds = np.unique(table.folds)
        learn, held = (np.flatnonzero((table.folds == folds[0]) == judges) for judges in (False, True))
        learn = learn[some_rows(len(learn), MOST_LEARNED, self.seed)]
        classes = np.unique(table.labels[learn])
        held = held[np.isin(table.labels[held], classes)]
        held = held[some_rows(len(held), JUDGES, self.seed)]
        if len(held) < FEWEST_JUDGES or len(classes) < 2 or len(np.unique(table.folds[learn])) < 2:
            return None
        return _Part.of(self.images, self.start, (learn, held), self.seed)


@dataclass(frozen=True)
class _Part:
    """A part of the images learned from, split in two, and where a network begins that learns from one."""

    images: Images
    start: Start

    @classmethod
    def of(
        cls, images: Images, start: Start, rows: tuple[NDArray[np.int64], NDArray[np.int64]], seed: int
    ) -> "_Part":
        table, (learn, held) = start.table, rows
        classes, labels = np.unique(table.labels[learn], return_inverse=True)
        own = TrainingTable.of(
            np.asarray(table.vectors[learn], np.float32), labels.astype(np.int64), table.folds[learn]
        )
        probe = fit_probe(own, start.backbone.depths, seed, (SHRINKAGE,))
        some = replace(
            images,
            classes=tuple(images.classes[number] for number in classes),
            numbers=np.searchsorted(classes, images.numbers).clip(max=len(classes) - 1),
            learn=images.learn[learn],
            held=images.learn[held],
        )
        return cls(some, replace(start, probe=probe, table=own))


class _Remembering(FinetuneTask):
    """Keeps the scores of the images that judge."""

    scores: NDArray[np.float64]

    def answers(self, network: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
        found = super().answers(network)
        self.scores = found[0].double().numpy()
        return found


def _as_trial(progress: Progress) -> Progress:
    return lambda stage, done, of: progress("trial", done, of)
