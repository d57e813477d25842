"""How `cnn` learns: the steps, rates and mirror images of Keller Jordan's airbench.

"94% on CIFAR-10 in 3.29 Seconds on a Single A100" (https://arxiv.org/abs/2404.00498), whose rates and weight
decay are set by image, so that one setting serves all batch sizes. Added to it: the first passes see an image
through a window smaller than itself, another one each time. That costs less and varies more (Touvron et al.,
"Fixing the train-test resolution discrepancy", 2019; Tan and Le, "EfficientNetV2", 2021).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from timm.optim._optim_factory import create_optimizer_v2
from torch import Tensor, nn

from fieldguide.recipes.cnn.network import Convolutional
from fieldguide.recipes.cnn.optimizer import FilterOptimizer
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.network import (
    Batches,
    NetworkClassifier,
    binary_loss,
    known_count,
    tag_targets,
    validated,
)
from fieldguide.tasks.task import Task
from fieldguide.training.augment.geometry import window
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan
from fieldguide.training.share import WHOLE, BatchPart, BatchShare

RATE = 0.24
"""Of filters, the highest, at 1,024 images a step; a step's length relative to the filters'."""
MOMENTUM = 0.85
OTHER_RATE = 11.5
"""Of all else, for 1,024 images a step; divided by 1 + 1 / (1 - momentum), as the paper has it."""
DECAY = 0.0153
"""Of weights that are no filters, in the same units, and independent of the rate."""
BIAS_RATE = 64.0
"""Biases of norms learn so many times faster than the last layer."""
SMOOTHING = 0.2
WARM_UP, FIRST, LAST = 0.2, 0.2, 0.07
"""All rates but the filters' rise from a fifth to the whole over a fifth of the steps, then fall to 7 %, in
straight lines; that of filters falls in one from the whole to nothing."""
WHITENING_EPOCHS = 3
"""Passes in which the first layer's bias is learned."""
WINDOWS = ((0.4, 0.75), (0.7, 0.875))
"""Up to which share of the passes a window of which share of the side is seen; after that whole images."""
RATED_BATCH = 1024
"""Images a step that the rates are given for."""
OWN_RATE, OWN_DECAY = 2e-3, 0.05
"""Rate and weight decay of AdamW (Loshchilov and Hutter, 2019), for architectures of a person's own."""


class CnnTask:
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
        self, network: NetworkClassifier, images: Images, plan: Plan, augmentation: Augmentation, rate: float
    ) -> None:
        self.network: nn.Module = network
        self._tags: bool = images.task is Task.MULTIPLE
        self.measure: str = "map" if self._tags else "accuracy"
        self._classifier, self._plan = network, plan
        # Mirroring every image in every other pass beats tossing a coin each time (the paper, section 3.6).
        self._alternates = augmentation.flip > 0
        self._augmentation = replace(augmentation, flip=0.0)
        self._coins = torch.randint(
            0, 2, (len(images.learn),), generator=torch.Generator().manual_seed(plan.seed)
        )
        self._batches = Batches(images)
        self.optimizer: torch.optim.Optimizer = _optimizer(
            network, rate, plan.batch_size, len(images.classes) if self._tags else 1
        )
        self._highest = [group["lr"] for group in self.optimizer.param_groups]
        self._side = network.features.size
        self.share: BatchShare = WHOLE

    def loss(
        self, network: Callable[..., Any], rows: Tensor, epoch: int, generator: torch.Generator
    ) -> Tensor:
        """Cross-entropy with smoothed labels; of tags the binary one, as they are."""
        if isinstance(body := self._classifier.features.body, Convolutional):
            body.train_whitening(epoch < WHITENING_EPOCHS)
        device, own = self._classifier.linear.weight.device, self.share.rows(len(rows))
        part = BatchPart(len(rows), slice(None) if self._augmentation.needs_neighbours else own)
        images = self._images(rows[part.rows], part, epoch, generator)
        labels = self._batches.labels(rows, device)
        one_hot, count = nn.functional.one_hot, self._classifier.linear.out_features
        targets = tag_targets(labels) if self._tags else one_hot(labels, count).float()
        normalised = self._classifier.features.normalised(images)
        mixed, targets = self._augmentation.mix(normalised, targets, generator)
        if part.rows != own:
            mixed = mixed[own]
        scores = network(mixed.contiguous(memory_format=torch.channels_last))
        if self._tags:
            loss = binary_loss(scores, targets[own])
            return self.share.scaled(loss, known_count(targets[own]), known_count(targets))
        loss = nn.functional.cross_entropy(scores, targets[own], label_smoothing=SMOOTHING)
        return self.share.scaled(loss, len(scores), len(rows))

    def _images(self, rows: Tensor, part: BatchPart, epoch: int, generator: torch.Generator) -> Tensor:
        """Augmented images, of shape (batch, 3, side, side)."""
        images, _ = self._batches.learn(rows, self._classifier.linear.weight.device)
        if self._alternates:
            mirrored = ((self._coins[rows] + epoch) % 2 == 1).to(images.device)
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        images = self._augmentation.images(images, generator, part)
        if self._side < images.shape[-1]:
            images = window(images, self._side, generator, part)
        return images

    def side(self, at_end_of_pass: float) -> int:
        """Side in pixels of what the network sees in a pass, by the share of training done at its end.

        A network of a person's own may be made for one size, and always sees whole images.
        """
        size = self._classifier.features.size
        if not isinstance(self._classifier.features.body, Convolutional):
            return size
        return round(size * next((share for until, share in WINDOWS if at_end_of_pass <= until), 1.0))

    def price(self, at_end_of_pass: float) -> float:
        """Pixels that the network sees of an image."""
        return float(self.side(at_end_of_pass) ** 2)

    def set_rates(self, share: float, at_end_of_pass: float) -> None:
        """Rise and fall in straight lines."""
        self._side = self.side(at_end_of_pass)
        others = float(np.interp(share, (0, WARM_UP, 1), (FIRST, 1.0, LAST)))
        for group, highest in zip(self.optimizer.param_groups, self._highest, strict=True):
            group["lr"] = highest * (1 - share if group.get("filters") else others)

    def validate(self, network: nn.Module) -> tuple[float, float]:
        """Mean loss and `measure` on the images held out."""
        assert isinstance(network, NetworkClassifier)
        return validated(network, self._batches, self._plan.precision)


def _optimizer(network: NetworkClassifier, rate: float, batch: int, tags: int) -> torch.optim.Optimizer:
    if isinstance(network.features.body, Convolutional):
        return FilterOptimizer(_groups(network, rate, batch, tags))
    # The paper's rates suit its own network; this optimiser forgives more.
    adam: torch.optim.Optimizer = create_optimizer_v2(network, "adamw", lr=rate, weight_decay=OWN_DECAY)
    return adam


def _groups(network: NetworkClassifier, rate: float, batch: int, tags: int) -> list[dict[str, Any]]:
    """Biases of norms learn faster; weight decay does not depend on the rate.

    The loss is the mean over `tags`, so the gradient of each is so many times smaller.
    """
    other = OTHER_RATE * rate / RATE * tags
    unit = batch / (RATED_BATCH * (1 + 1 / (1 - MOMENTUM)))
    blocks = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
    filters = [b.weight for b in blocks if isinstance(b, nn.Conv2d) and b.weight.requires_grad]
    biases = [layer.bias for layer in blocks if isinstance(layer, nn.BatchNorm2d)]
    named = {id(value) for value in (*filters, *biases)}
    rest = [v for v in network.parameters() if v.requires_grad and id(v) not in named]
    # Smaller batches give noisier directions, and Muon's steps do not shrink with the gradient.
    length = rate * min(1.0, batch / RATED_BATCH) ** 0.5
    plain = {"momentum": MOMENTUM, "filters": False}
    return [
        {"params": filters, "lr": length, "filters": True},
        {"params": rest, "lr": other * unit, "weight_decay": DECAY / other, **plain},
        {
            "params": biases,
            "lr": other * unit * BIAS_RATE,
            "weight_decay": DECAY / (other * BIAS_RATE),
            **plain,
        },
    ]
