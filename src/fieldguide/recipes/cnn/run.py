"""A run of `cnn`: its network, how many passes there is time for, and training."""

import copy
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn.shared import described
from fieldguide.recipes.cnn.task import OWN_RATE, RATE, CnnTask
from fieldguide.recipes.cnn.untrained import network_for
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.networks.budget import TimeBudget, decided_once
from fieldguide.recipes.networks.images import Images, run_name
from fieldguide.recipes.networks.movement import beginning_of, movements
from fieldguide.recipes.networks.network import FeatureNetwork, NetworkClassifier
from fieldguide.recipes.networks.run import MOST_LEARNED, TrainingLimits, train_with_checkpoints
from fieldguide.recipes.rate_sweep import RateSweep
from fieldguide.recipes.training_outcome import TrainingOutcome
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan, Trained
from fieldguide.training.rate_finder import sweep

STEPS_TIMED = 3
"""The first of which is not counted."""
LOOKED_AT = 32
"""Images of a look that is timed."""


@dataclass(frozen=True)
class TrainedCnn:
    """What came of training."""

    network: NetworkClassifier
    trained: Trained
    planned: tuple[str, ...]
    """Sentences on the time."""
    outcome: TrainingOutcome
    """How far each stage moved while it learned."""


@dataclass(frozen=True)
class CnnRun:
    """What a training run is given."""

    images: Images
    preprocessing: Preprocessing
    plan: Plan
    """Its passes are the most."""
    augmentation: Augmentation
    budget: TimeBudget

    def train(self, options: Options, run: Run) -> "TrainedCnn":
        """Train for as many passes as there is time for.

        Returns
        -------
        TrainedCnn
            The network, and how training went.
        """
        torch.manual_seed(options.seed)
        network = network_for(self.images, self.preprocessing, options, mirrored=bool(self.augmentation.flip))
        rate = _rate(options)
        plan, seconds = self.plan, None
        said: tuple[str, ...] = ()
        if not options.settings.get("epochs") or self.budget.asked:
            name = self._name(self.plan, rate, network)
            decided = decided_once(run.folder, name, lambda: self._decided(network, rate), options)
            plan, seconds = replace(plan, epochs=int(decided["epochs"])), float(decided["seconds"])
            said = (self._planned(plan),)

        def task(of: Plan) -> CnnTask:
            return CnnTask(network, self.images, of, self.augmentation, rate)

        name = self._name(plan, rate, network)
        told = described(self.images, self.preprocessing, options, (self.augmentation, rate))
        limits = TrainingLimits(task, seconds, told)
        beginning = beginning_of(network)
        trained = train_with_checkpoints(task(plan), plan, options, run, name, limits)
        outcome = TrainingOutcome(movements(network, network.features.body, beginning))
        return TrainedCnn(network, trained, said, outcome)

    def find_rate(self, options: Options, run: Run) -> RateSweep:
        """Take steps at growing rates with a network that is thrown away."""
        torch.manual_seed(options.seed)
        network = network_for(self.images, self.preprocessing, options, mirrored=bool(self.augmentation.flip))
        rate = _rate(options)
        task = CnnTask(network, self.images, self.plan, self.augmentation, rate)
        factors, losses = sweep(task, self.plan, run.progress)
        return RateSweep("cnn", rate, tuple(rate * factor for factor in factors), losses)

    def _decided(self, network: NetworkClassifier, rate: float) -> dict[str, Any]:
        """What the clock decides: the passes, and the seconds that training may take."""
        tried = copy.deepcopy(network)
        task = CnnTask(tried, self.images, self.plan, self.augmentation, rate)
        step = _step_seconds(task, self.plan)
        prices = [task.price((epoch + 1) / self.plan.epochs) for epoch in range(self.plan.epochs)]
        look = _look_seconds(tried)
        held, learned = len(self.images.held), min(len(self.images.learn), MOST_LEARNED)
        seconds = self.budget.left() - look * _views(tried.features) * (held + learned)
        a_pass = self.plan.steps_per_epoch * step * (np.mean(prices) / task.price(1.0)) + look * held
        epochs = max(1, min(self.plan.epochs, int(seconds / a_pass)))
        return {"epochs": epochs, "seconds": max(seconds, 1.0)}

    def _planned(self, plan: Plan) -> str:
        passes = f"{plan.epochs} of these passes" if plan.epochs < self.plan.epochs else "all of these passes"
        summary = self.budget.summary().replace(";", " allow;", 1)
        return f"{passes}: what {summary}; the same again: --epochs {plan.epochs}"

    def _name(self, plan: Plan, rate: float, network: nn.Module) -> str:
        return run_name(
            self.images, asdict(plan), asdict(self.augmentation), self.preprocessing, rate, str(network)
        )


def _step_seconds(task: CnnTask, plan: Plan) -> float:
    """Seconds of a step over whole images, the least of some."""
    rows = torch.arange(min(plan.batch_size, plan.images))
    task.set_rates(0.0, 1.0)
    task.network.train()
    half = torch.autocast("cpu", torch.bfloat16, enabled=plan.precision == "bf16-mixed")
    times = []
    for number in range(STEPS_TIMED):
        started = time.perf_counter()
        with half:
            loss = task.loss(task.network, rows, 0, torch.Generator().manual_seed(number))
        task.optimizer.zero_grad()
        torch.autograd.backward(loss)
        task.optimizer.step()
        times.append(time.perf_counter() - started)
    return min(times[1:])


def _look_seconds(network: NetworkClassifier) -> float:
    """Seconds of looking at one image once, without learning from it."""
    size = network.features.size
    images = torch.zeros(LOOKED_AT, 3, size, size).contiguous(memory_format=torch.channels_last)
    times = []
    with torch.no_grad():
        for _ in range(STEPS_TIMED):
            started = time.perf_counter()
            network.eval()(images)
            times.append(time.perf_counter() - started)
    return min(times[1:]) / LOOKED_AT


def _views(features: FeatureNetwork) -> int:
    """Views of an image that the written network looks at."""
    return (2 if features.mirrored else 1) * (3 if features.shifted else 1)


def _rate(options: Options) -> float:
    usual = RATE if options.settings.get("architecture") is None else OWN_RATE
    return float(options.settings.get("learning_rate") or usual)
