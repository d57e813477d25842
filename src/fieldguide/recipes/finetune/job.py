"""A run of fine-tuning: what the clock decides, training, and the point between probe and network."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.finetune.cache import ActivationCache
from fieldguide.recipes.finetune.course import Course, course_by_hand
from fieldguide.recipes.finetune.decision import Decision, decided_by_clock
from fieldguide.recipes.finetune.interpolation import WAYS, ChosenInterpolation, choose
from fieldguide.recipes.finetune.network import FineTuned, pooled_classifier
from fieldguide.recipes.finetune.presets import FinetunePreset
from fieldguide.recipes.finetune.shared import described
from fieldguide.recipes.finetune.start import (
    ProbeBaseline,
    Start,
    hyperparameters_of,
    network_of,
    source_of,
    with_own_statistics,
)
from fieldguide.recipes.finetune.task import FinetuneTask, Hyperparameters, usual_batch
from fieldguide.recipes.finetune.trial import Rates, RatesTrial
from fieldguide.recipes.networks.budget import TimeBudget, decided_once
from fieldguide.recipes.networks.images import Images, run_name
from fieldguide.recipes.networks.movement import beginning_of, movements
from fieldguide.recipes.networks.network import NetworkClassifier
from fieldguide.recipes.networks.run import TrainingLimits, train_with_checkpoints
from fieldguide.recipes.rate_sweep import RateSweep
from fieldguide.recipes.training_outcome import StageMovement
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan, Trained
from fieldguide.training.precision import best_precision
from fieldguide.training.rate_finder import sweep

AVERAGE = 0.99
CLIP = 1.0
PATIENCE = 0.5
"""Training stops after this share of its epochs without a lower validation loss: the loss often falls again
once the rate does."""

FEW_HELD_OUT = 100
"""With fewer the last epoch is kept: choosing among dozens by so few would be luck, and these images also
choose between the network and the probe."""


@dataclass(frozen=True)
class Tuned:
    """What came of training."""

    network: FineTuned
    task: FinetuneTask
    way: Hyperparameters
    beginning: Mapping[str, Tensor]
    """The network's weights before it learned."""
    trained: Trained
    planned: tuple[str, ...]
    """Sentences on how long and how much."""
    stages: tuple[StageMovement, ...]
    """How far each stage moved while it learned."""

    @property
    def summary(self) -> tuple[str, ...]:
        """Sentences on what learned, how long, and how the classes were weighed."""
        return (*self.planned, self.network.body.summary(), self.way.summary())

    def choose(self, images: Images, baseline: ProbeBaseline, *, refit: bool) -> ChosenInterpolation:
        """Choose the best point between the probe and the network."""
        scores = {way: self._scores(way) for way in (0.0, *WAYS)}
        return choose(scores, self.way.judge(images.numbers[images.held]), baseline.scores, refit=refit)

    def classifier(self, choice: ChosenInterpolation, preprocessing: Preprocessing) -> NetworkClassifier:
        """Make the network of the point that was chosen."""
        point = choice.point
        self.network.load_state_dict(self._weights(point.way))
        if point.weight == 1:
            return self.network.classifier(preprocessing)
        before = copy.deepcopy(self.network)
        before.load_state_dict(dict(self.beginning))
        factors = (
            np.asarray(point.weight / choice.temperatures[0]),
            np.asarray((1 - point.weight) / choice.temperatures[1]),
        )
        return pooled_classifier(self.network, before, factors, preprocessing)

    def _scores(self, way: float) -> NDArray[np.float64]:
        self.network.load_state_dict(self._weights(way))
        return self.task.answers(self.network)[0].double().numpy()

    @cached_property
    def _end(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def _weights(self, way: float) -> dict[str, Tensor]:
        end = self._end
        return {
            name: torch.lerp(self.beginning[name].to(value.device), value, way)
            if value.is_floating_point()
            else value
            for name, value in end.items()
        }


@dataclass(frozen=True)
class FinetuneRun:
    """What a training run is given."""

    images: Images
    start: Start
    preset: FinetunePreset
    augmentation: Augmentation
    budget: TimeBudget

    def train(self, options: Options, run: Run) -> Tuned:
        """Decide how, and train."""
        count = len(self.images.learn)
        batch = min(options.settings.get("batch_size") or usual_batch(count), count)
        way = hyperparameters_of(self.images, self.augmentation, batch, self.preset)
        by_hand = options.settings.get("epochs")
        if not by_hand or self.budget.asked:
            decide = partial(self._decided, options, run)
            decision = Decision.kept(decided_once(run.folder, self._name(way), decide, options))
        else:
            course = course_by_hand(self.preset, self._size, by_hand)
            decision = Decision(course, None, Rates.of(self.preset), self.preset.batch_norm)
        start = with_own_statistics(self.start, self.images, decision.batch_norm, options.seed)
        return replace(self, start=start, preset=decision.into(self.preset))._train(decision, options, run)

    def _train(self, decision: Decision, options: Options, run: Run) -> Tuned:
        course = decision.course
        plan, precision = _plan(self.images, course, options)
        way = hyperparameters_of(self.images, self.augmentation, plan.batch_size, self.preset)
        network = network_of(self.start, course.layers, way)
        beginning = beginning_of(network)
        task_of = self._task_of(network, course, plan, run)
        task = task_of(plan)
        name = self._name(way, asdict(plan), asdict(course))
        told = described(self.images, self.start, way, course, run.cache)
        limits = TrainingLimits(task_of, decision.seconds, told)
        trained = train_with_checkpoints(task, plan, options, run, name, limits)
        planned = (*decision.sentences, *self._planned(decision, plan), precision)
        stages = movements(network, network.body.tapped.network, beginning)
        return Tuned(network, task, way, beginning, trained, planned, stages)

    def find_rate(self, options: Options, run: Run) -> RateSweep:
        """Take steps at growing rates with a network that is thrown away; no clock decides what learns."""
        course = course_by_hand(self.preset, self._size, options.settings.get("epochs") or 1)
        plan, _ = _plan(self.images, course, options)
        way = hyperparameters_of(self.images, self.augmentation, plan.batch_size, self.preset)
        start = with_own_statistics(self.start, self.images, self.preset.batch_norm, options.seed)
        network = network_of(start, course.layers, way)
        factors, losses = sweep(self._task_of(network, course, plan, run)(plan), plan, run.progress)
        rate = self.preset.rate
        return RateSweep("finetune", rate, tuple(rate * factor for factor in factors), losses)

    def _task_of(
        self, network: FineTuned, course: Course, plan: Plan, run: Run
    ) -> Callable[[Plan], FinetuneTask]:
        keep = ActivationCache(self.augmentation, course.variants, run.cache, run.progress)
        preprocessing = self.start.backbone.preprocessing
        source = source_of(network, self.images, preprocessing, plan, keep, course)

        def task_of(plan: Plan) -> FinetuneTask:
            way = hyperparameters_of(self.images, self.augmentation, plan.batch_size, self.preset)
            return FinetuneTask(network, source, plan, way)

        return task_of

    @property
    def _size(self) -> int:
        return self.start.backbone.preprocessing.size

    def _decided(self, options: Options, run: Run) -> dict[str, Any]:
        """What the clock and the evidence decide."""
        trial = RatesTrial(self.images, self.start, self.preset, self.augmentation, options.seed)
        decision = decided_by_clock(trial, self.budget, options, run)
        if epochs := options.settings.get("epochs"):
            decision = replace(decision, course=replace(decision.course, epochs=epochs))
        return decision.as_json()

    def _planned(self, decision: Decision, plan: Plan) -> tuple[str, ...]:
        sides = " and ".join(str(side) for _, side in decision.course.stages)
        growing = f", at first over photos of {sides} pixels" if sides else ""
        steps = f"{plan.steps_per_epoch} steps of {plan.batch_size} images"
        passes = f"at most {plan.epochs} passes of {steps}{growing}"
        if decision.seconds is None:
            return (f"{passes}: asked for",)
        again = f"the same again: --epochs {plan.epochs} {decision.by_hand()}"
        return (f"{passes}: what {self.budget.summary().replace(';', ' allow;', 1)}; {again}",)

    def _name(self, way: Hyperparameters, *decided: Any) -> str:
        settings = (asdict(part) for part in (self.augmentation, self.preset))
        facts = (self.start.backbone.digest, way.rate, way.weights.tolist())
        return run_name(self.images, *settings, facts, *decided)


def _plan(images: Images, course: Course, options: Options) -> tuple[Plan, str]:
    count = len(images.learn)
    few = len(images.held) < FEW_HELD_OUT
    precision, reason = best_precision()
    plan = Plan(
        images=count,
        epochs=course.epochs,
        batch_size=min(options.settings.get("batch_size") or usual_batch(count), count),
        seed=options.seed,
        precision=precision,
        clip=CLIP,
        average=AVERAGE,
        patience=None if few else max(1, round(PATIENCE * course.epochs)),
        keep="last" if few else "best",
        most_steps=course.most_steps,
    )
    return plan, reason
