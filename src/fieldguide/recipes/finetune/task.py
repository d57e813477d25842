"""How `finetune` learns: AdamW, smaller rates for earlier layers, warm-up and cosine, smoothed labels.

Layer-wise rates: Howard and Ruder, "Universal Language Model Fine-tuning" (ACL 2018). AdamW and the cosine:
Loshchilov and Hutter (ICLR 2019 and 2017). Label smoothing: Szegedy et al. (CVPR 2016). The classifier starts
at the probe's solution: Kumar et al., "Fine-Tuning can Distort Pretrained Features" (ICLR 2022). Tags are
learned with plain binary cross-entropy, each by itself.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fieldguide.recipes.finetune.judging import Judge, LabelJudge, TagJudge
from fieldguide.recipes.finetune.network import FineTuned
from fieldguide.recipes.networks.network import (
    binary_loss,
    known_count,
    mean_average_precision,
    tag_targets,
)
from fieldguide.tasks.tags import Indicators
from fieldguide.tasks.task import Task
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan
from fieldguide.training.share import WHOLE, BatchPart, BatchShare

DECAY = 0.05
SMOOTHING = 0.1
WARM_UP = 0.1
"""Share of the steps in which the rate rises."""
FIRST, LAST = 0.1, 0.01
"""Shares of the highest rate at the beginning and at the end."""
RATED_BATCH = 32
"""Images a step that the rates are given for."""
BATCHES = ((800, 8),)
"""Up to how many images to learn from there are how many in a step: few images give few steps otherwise."""
LARGEST_BATCH = 16
"""Images a step where there are more; on a CPU twice as many take twice the memory and are no faster."""


Chance = tuple[torch.Generator, BatchPart]
"""What decides how images are augmented, and which part of the batch is."""


class Source(Protocol):
    """Where a task's images come from."""

    def side(self, at_end_of_pass: float) -> int:
        """Side in pixels of the images to learn from, by the share of training done at the end of a pass."""

    def see(self, side: int) -> None:
        """Give images to learn from of this side from now on."""

    def learn(
        self, rows: Tensor, epoch: int, chance: Chance, device: torch.device
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """What the network takes of a part of a batch, and the labels of all of it, at `rows`."""

    def held(self, device: torch.device) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
        """The same of all images held out, a batch after the other."""


@dataclass(frozen=True)
class Hyperparameters:
    """How a task learns."""

    rate: float
    """Of the backbone's last layer, at its highest."""
    head_rate: float
    """Of the classifier, at its highest."""
    layer_decay: float
    """The rate of each layer is so many times that of the layer above it."""
    weights: NDArray[np.float64]
    """Of the classes in the loss, of shape (n_classes,); all tags weigh the same."""
    mixing: Augmentation
    """Whose `mixup` and `cutmix` are used."""
    task: Task = Task.SINGLE

    def shares(self) -> NDArray[np.float64] | None:
        """Share of each class that scores learned with these weights do not hold, of shape (n_classes,).

        A class weighed less by so much is expected more often by so much; None where all weigh the same.
        """
        if self.weights.min() == self.weights.max():
            return None
        inverse = 1 / self.weights
        return np.asarray(inverse / inverse.sum())

    def judge(self, numbers: NDArray[np.integer[Any]]) -> Judge:
        """Whoever judges scores of images that show this.

        Parameters
        ----------
        numbers
            Class numbers, of shape (n_images,), or tags, of shape (n_images, n_tags).
        """
        if self.task is Task.MULTIPLE:
            return TagJudge(cast(Indicators, numbers))
        shares = self.shares()
        even = np.full(len(self.weights), 1 / len(self.weights))
        return LabelJudge(np.asarray(numbers, dtype=np.int64), even if shares is None else shares)

    def summary(self) -> str:
        """A sentence on the class weights."""
        if self.task is Task.MULTIPLE:
            return "loss: binary cross-entropy, in which every tag counts the same"
        if self.shares() is None:
            return "class weights: none, since the classes are about equally frequent"
        most = self.weights.max() / self.weights.min()
        return f"class weights: images of the rarest class weigh {most:.1f} times those of the most frequent"


class FinetuneTask:
    """A network on its images.

    Parameters
    ----------
    network
        To be trained.
    source
        Of the images.
    plan
        Sets the schedule.
    way
        Rates and weights.
    """

    def __init__(self, network: FineTuned, source: Source, plan: Plan, way: Hyperparameters) -> None:
        self.network: nn.Module = network
        self._tuned, self._source, self._plan, self._way = network, source, plan, way
        self.measure: str = "map" if way.task is Task.MULTIPLE else "accuracy"
        self._weights = torch.from_numpy(way.weights).float()
        groups = network.groups(way.rate, way.head_rate, DECAY, way.layer_decay)
        self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(groups)
        self._highest = [group["lr"] for group in self.optimizer.param_groups]
        self.share: BatchShare = WHOLE

    def loss(
        self, network: Callable[..., Any], rows: Tensor, epoch: int, generator: torch.Generator
    ) -> Tensor:
        """Cross-entropy with smoothed labels, each image weighted by its class; of tags the binary one."""
        device = self._tuned.linear.weight.device
        own = self.share.rows(len(rows))
        part = BatchPart(len(rows), slice(None) if self._way.mixing.needs_neighbours else own)
        inputs, labels = self._source.learn(rows, epoch, (generator, part), device)
        tags = self._way.task is Task.MULTIPLE
        one_hot = nn.functional.one_hot
        targets = tag_targets(labels) if tags else one_hot(labels, self._tuned.linear.out_features).float()
        if len(inputs) == 1:
            images, targets = self._way.mixing.mix(inputs[0], targets, generator)
            inputs = (images,)
        if part.rows != own:
            inputs = tuple(some[own] for some in inputs)
        if tags:
            loss = binary_loss(network(*inputs), targets[own])
            return self.share.scaled(loss, known_count(targets[own]), known_count(targets))
        weights = targets @ self._weights.to(device)
        losses = nn.functional.cross_entropy(
            network(*inputs), targets[own], label_smoothing=SMOOTHING, reduction="none"
        )
        loss = (losses * weights[own]).sum() / weights[own].sum()
        return self.share.scaled(loss, weights[own].sum(), weights.sum())

    def price(self, at_end_of_pass: float) -> float:
        """Pixels of an image that is learned from."""
        return float(self._source.side(at_end_of_pass) ** 2)

    def set_rates(self, share: float, at_end_of_pass: float) -> None:
        """Rise in a straight line, then fall along a cosine; images grow with the passes."""
        self._source.see(self._source.side(at_end_of_pass))
        for group, highest in zip(self.optimizer.param_groups, self._highest, strict=True):
            group["lr"] = rate(share, highest)

    def validate(self, network: nn.Module) -> tuple[float, float]:
        """Mean log loss and `measure` on the images held out, calibrated as the finished model will be.

        Smoothed labels teach a network to doubt what it gets right, more so the longer it learns. By scores
        as they come the epochs before it had learned looked best.
        """
        scores, labels = self.answers(network)
        values = scores.double().numpy()
        if not np.isfinite(values).all():
            return math.nan, 0.0
        found = self._way.judge(labels.numpy()).judged(values)
        loss = float(found.losses.mean())
        if self._way.task is Task.MULTIPLE:
            return loss, mean_average_precision(values, labels.numpy())
        return loss, float(found.right.mean())

    def answers(self, network: nn.Module) -> tuple[Tensor, Tensor]:
        """Scores of the images held out, (n_held, n_classes), and their labels or tags."""
        device = self._tuned.linear.weight.device
        half = torch.autocast(device.type, torch.bfloat16, enabled=self._plan.precision == "bf16-mixed")
        with torch.no_grad(), half:
            pairs = [
                (network(*inputs).float().cpu(), labels.cpu()) for inputs, labels in self._source.held(device)
            ]
        return torch.cat([scores for scores, _ in pairs]), torch.cat([labels for _, labels in pairs])


def usual_batch(images: int) -> int:
    """Return the images a step, by how many there are to learn from.

    Examples
    --------
    >>> usual_batch(200), usual_batch(5000)
    (8, 16)
    """
    return next((batch for most, batch in BATCHES if images <= most), LARGEST_BATCH)


def rate(share: float, highest: float) -> float:
    """Return the rate of a step, by the share of training that is done before it.

    Examples
    --------
    >>> [round(rate(share, highest=1.0), 3) for share in (0.0, 0.05, 0.1, 0.55, 1.0)]
    [0.1, 0.55, 1.0, 0.505, 0.01]
    """
    if share < WARM_UP:
        return highest * (FIRST + (1 - FIRST) * share / WARM_UP)
    fallen = (1 - math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP))) / 2
    return highest * (1 - (1 - LAST) * fallen)


def class_weights(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh images of rare classes more.

    By the square root of what would make all classes count the same, at most tenfold: with the whole of it a
    few photos of a rare class, and their wrong labels, outweigh all others. Classes that differ by no more
    than half have the same weight.

    Parameters
    ----------
    shares
        Share of each class among the images learned from, of shape (n_classes,).

    Returns
    -------
    ndarray of shape (n_classes,)
        With a mean of 1 over images.
    """
    if shares.max() <= 1.5 * shares.min():
        return np.ones(len(shares))
    weights = np.minimum((shares.max() / shares) ** 0.5, 10.0)
    return np.asarray(weights / (weights @ shares))
