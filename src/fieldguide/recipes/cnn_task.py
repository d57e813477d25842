"""How `cnn` learns: the steps, rates and mirror images of Keller Jordan's airbench.

"94% on CIFAR-10 in 3.29 Seconds on a Single A100" (https://arxiv.org/abs/2404.00498), whose rates and weight
decay are set by image, so that one setting serves all batch sizes.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from timm.optim._optim_factory import create_optimizer_v2
from torch import Tensor, nn

from fieldguide.augment import Augmentation
from fieldguide.cnn_network import Convolutional
from fieldguide.loop import Plan
from fieldguide.recipes.learned import Batches, Classifier, Images, validated

MOMENTUM = 0.85
RATE = 11.5
"""For 1,024 images a step; divided by 1 + 1 / (1 - momentum), as the paper has it."""
DECAY = 0.0153
"""Of weights, in the same units, and independent of the rate."""
BIAS_RATE = 64.0
"""Biases of norms learn so many times faster."""
SMOOTHING = 0.2
WARM_UP, FIRST, LAST = 0.2, 0.2, 0.07
"""The rate rises from a fifth to the whole over a fifth of the steps, then falls to 7 %, in straight lines;
each share is of the steps or of the highest rate."""
WHITENING_EPOCHS = 3
"""Passes in which the first layer's bias is learned."""
MOST_BATCH = 1024
OWN_RATE, OWN_DECAY = 2e-3, 0.05
"""Rate and weight decay of AdamW (Loshchilov and Hutter, 2019), for architectures of a person's own."""


class Task:
    """The network on its images.

    Parameters
    ----------
    network
        To be trained.
    images
        Learned from and held out.
    plan
        Sets the schedule.
    augmentation
        What happens to images before they are learned from.
    rate
        Highest, for 1,024 images a step.
    """

    def __init__(
        self, network: Classifier, images: Images, plan: Plan, augmentation: Augmentation, rate: float
    ) -> None:
        self.network: nn.Module = network
        self._classifier, self._plan = network, plan
        # Mirroring every image in every other pass beats tossing a coin each time (the paper, section 3.6).
        self._alternates = augmentation.flip > 0
        self._augmentation = replace(augmentation, flip=0.0)
        self._coins = torch.randint(
            0, 2, (len(images.learn),), generator=torch.Generator().manual_seed(plan.seed)
        )
        self._batches = Batches(images)
        self.optimizer = _optimizer(network, rate, plan.batch_size)
        self._highest = [group["lr"] for group in self.optimizer.param_groups]

    def loss(
        self, network: Callable[..., Any], rows: Tensor, epoch: int, generator: torch.Generator
    ) -> Tensor:
        """Cross-entropy with smoothed labels."""
        if isinstance(body := self._classifier.features.body, Convolutional):
            body.train_whitening(epoch < WHITENING_EPOCHS)
        images, labels = self._batches.learn(rows, self._classifier.linear.weight.device)
        if self._alternates:
            mirrored = ((self._coins[rows] + epoch) % 2 == 1).to(images.device)
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        images = self._augmentation.images(images, generator)
        targets = nn.functional.one_hot(labels, self._classifier.linear.out_features).float()
        normalised = self._classifier.features.normalised(images)
        mixed, targets = self._augmentation.mix(normalised, targets, generator)
        mixed = mixed.contiguous(memory_format=torch.channels_last)
        return nn.functional.cross_entropy(network(mixed), targets, label_smoothing=SMOOTHING)

    def set_rates(self, step: int) -> None:
        """Rise and fall in straight lines."""
        steps = self._plan.epochs * self._plan.steps_per_epoch
        share = float(np.interp(step, (0, WARM_UP * steps, steps), (FIRST, 1.0, LAST)))
        for group, highest in zip(self.optimizer.param_groups, self._highest, strict=True):
            group["lr"] = highest * share

    def validate(self, network: nn.Module) -> tuple[float, float]:
        """Mean loss and accuracy on the images held out."""
        assert isinstance(network, Classifier)
        return validated(network, self._batches, self._plan.precision)


def _optimizer(network: Classifier, rate: float, batch: int) -> torch.optim.Optimizer:
    if isinstance(network.features.body, Convolutional):
        return torch.optim.SGD(_groups(network, rate, batch), momentum=MOMENTUM, nesterov=True)
    # The paper's rates suit its own network; this optimiser forgives more.
    adam: torch.optim.Optimizer = create_optimizer_v2(network, "adamw", lr=rate, weight_decay=OWN_DECAY)
    return adam


def _groups(network: Classifier, rate: float, batch: int) -> list[dict[str, Any]]:
    """Biases of norms learn faster; weight decay does not depend on the rate."""
    unit = batch / (MOST_BATCH * (1 + 1 / (1 - MOMENTUM)))
    learned = [value for value in network.parameters() if value.requires_grad]
    norms = {id(layer.bias) for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)}
    biases = [value for value in learned if id(value) in norms]
    weights = [value for value in learned if id(value) not in norms]
    return [
        {"params": weights, "lr": rate * unit, "weight_decay": DECAY / rate},
        {"params": biases, "lr": rate * unit * BIAS_RATE, "weight_decay": DECAY / (rate * BIAS_RATE)},
    ]
