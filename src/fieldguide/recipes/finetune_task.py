"""How `finetune` learns: AdamW, smaller rates for earlier layers, warm-up and cosine, smoothed labels.

Layer-wise rates: Howard and Ruder, "Universal Language Model Fine-tuning" (ACL 2018). AdamW and the cosine:
Loshchilov and Hutter (ICLR 2019 and 2017). Label smoothing: Szegedy et al. (CVPR 2016). The classifier starts
at the probe's solution: Kumar et al., "Fine-Tuning can Distort Pretrained Features" (ICLR 2022).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import Tensor, nn

from fieldguide import calibration
from fieldguide.augment import Augmentation
from fieldguide.loop import Plan
from fieldguide.recipes.finetune_network import FineTuned

DECAY = 0.05
SMOOTHING = 0.1
WARM_UP = 0.1
"""Share of the steps in which the rate rises."""
LAST = 0.01
"""Share of the rate that is left at the end."""
BATCH = 32


class Source(Protocol):
    """Where a task's images come from."""

    def learn(
        self, rows: Tensor, epoch: int, generator: torch.Generator, device: torch.device
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """What the network takes and the labels, at `rows` of the images to learn from."""

    def held(self, device: torch.device) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
        """The same of all images held out, a batch after the other."""


@dataclass(frozen=True)
class Way:
    """How a task learns."""

    rate: float
    """Of the backbone's last layer, at its highest."""
    head_rate: float
    """Of the classifier, at its highest."""
    layer_decay: float
    """The rate of each layer is so many times that of the layer above it."""
    weights: NDArray[np.float64]
    """Of the classes in the loss, of shape (n_classes,)."""
    mixing: Augmentation
    """Whose `mixup` and `cutmix` are used."""

    def shares(self) -> NDArray[np.float64] | None:
        """Share of each class that scores learned with these weights do not hold, of shape (n_classes,).

        A class weighed less by so much is expected more often by so much; None where all weigh the same.
        """
        if self.weights.min() == self.weights.max():
            return None
        inverse = 1 / self.weights
        return np.asarray(inverse / inverse.sum())

    def told(self) -> str:
        """A sentence on the class weights."""
        if self.shares() is None:
            return "class weights: none, since the classes are about equally frequent"
        most = self.weights.max() / self.weights.min()
        return f"class weights: images of the rarest class weigh {most:.1f} times those of the most frequent"


class Task:
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

    def __init__(self, network: FineTuned, source: Source, plan: Plan, way: Way) -> None:
        self.network: nn.Module = network
        self._tuned, self._source, self._plan, self._way = network, source, plan, way
        self._weights = torch.from_numpy(way.weights).float()
        groups = network.groups(way.rate, way.head_rate, DECAY, way.layer_decay)
        self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(groups)
        steps = plan.epochs * plan.steps_per_epoch
        warm = max(1, round(WARM_UP * steps))
        self._schedule = CosineLRScheduler(
            self.optimizer,
            t_initial=max(steps - warm, 1),
            lr_min=LAST * way.head_rate,
            warmup_t=warm,
            warmup_prefix=True,
            t_in_epochs=False,
        )

    def loss(
        self, network: Callable[..., Any], rows: Tensor, epoch: int, generator: torch.Generator
    ) -> Tensor:
        """Cross-entropy with smoothed labels, each image weighted by its class."""
        device = self._tuned.linear.weight.device
        inputs, labels = self._source.learn(rows, epoch, generator, device)
        targets = nn.functional.one_hot(labels, self._tuned.linear.out_features).float()
        if len(inputs) == 1:
            images, targets = self._way.mixing.mix(inputs[0], targets, generator)
            inputs = (images,)
        weights = targets @ self._weights.to(device)
        losses = nn.functional.cross_entropy(
            network(*inputs), targets, label_smoothing=SMOOTHING, reduction="none"
        )
        return (losses * weights).sum() / weights.sum()

    def set_rates(self, step: int) -> None:
        """Rise in a straight line, then fall along a cosine."""
        self._schedule.step_update(step + 1)

    def validate(self, network: nn.Module) -> tuple[float, float]:
        """Mean log loss and accuracy on the images held out, calibrated as the finished model will be.

        Smoothed labels teach a network to doubt what it gets right, more so the longer it learns. By scores
        as they come the epochs before it had learned looked best.
        """
        scores, labels = self.answers(network)
        shares = self._way.shares()
        even = np.full(scores.shape[1], 1 / scores.shape[1])
        values = scores.double().numpy()
        if not np.isfinite(values).all():
            return math.nan, 0.0
        found = calibration.calibrate(values, labels.numpy(), even if shares is None else shares)
        return found.loss, found.accuracy

    def answers(self, network: nn.Module) -> tuple[Tensor, Tensor]:
        """Scores of the images held out, (n_held, n_classes), and their labels."""
        device = self._tuned.linear.weight.device
        half = torch.autocast(device.type, torch.bfloat16, enabled=self._plan.precision == "bf16-mixed")
        with torch.no_grad(), half:
            pairs = [
                (network(*inputs).float().cpu(), labels.cpu()) for inputs, labels in self._source.held(device)
            ]
        return torch.cat([scores for scores, _ in pairs]), torch.cat([labels for _, labels in pairs])


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
