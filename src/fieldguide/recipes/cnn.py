"""`cnn`: a convolutional network from scratch, for images unlike photos, or where no other may be used.

    images → one uint8 array at a size that follows from the data
           → part held out, keeping look-alikes together
           → whitened first layer, few wide blocks; shift, mirror; high rate, short schedule
           → averaged weights → exported, calibrated on the images held out

The dial is the preset; it sets the number of passes and the width of the network. The schedule is that of
Keller Jordan's airbench (https://arxiv.org/abs/2404.00498), which holds a speed record on CIFAR-10:
stochastic gradient descent with Nesterov momentum whose rate and weight decay are set by image, so that one
setting serves all batch sizes.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fieldguide.augment import Augmentation
from fieldguide.cnn_network import WHITENING_IMAGES, Convolutional, widths_for
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError, RefusedInput
from fieldguide.images import open_image
from fieldguide.loop import Plan
from fieldguide.precision import best_precision
from fieldguide.preprocess import Preprocessing
from fieldguide.recipes.augmenting import augmentation_for
from fieldguide.recipes.common import Fitted, Setting
from fieldguide.recipes.learned import (
    MEASURED_ON,
    Batches,
    Classifier,
    FeatureNetwork,
    Images,
    gather,
    promise,
    run,
    run_name,
    validated,
    versions,
)

SUMMARY = "small network trained from scratch: for images unlike photos; needs thousands of them"
OPTIONS = frozenset({"epochs", "batch_size", "learning_rate", "augment", "augment_with", "resume", "size"})
"""`epochs`, `batch_size`, `learning_rate` (the highest, for 1,024 images a step), `augment` and
`augment_with` as in docs/augmentation.md, `resume`, `size` of the network's input in pixels."""

SMALLEST = 16
SIZES = (32, 64, 96, 128)
LOOKED_AT = 200
"""Images whose size is looked at to choose the network's."""
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
AVERAGE = 0.98
MOST_BATCH = 1024


@dataclass(frozen=True)
class Preset:
    """What a preset means for this recipe."""

    passes: int
    """Over 50,000 images of 32 pixels; fewer or smaller images are seen more often."""
    wide: float
    """Multiplies the widths of the network."""
    reason: str


PRESETS = {
    "fast": Preset(6, 1.0, "a third of the passes"),
    "balanced": Preset(16, 1.0, "short schedule"),
    "best": Preset(32, 1.5, "twice the passes, a wider network"),
}
FEWEST_PASSES, MOST_PASSES = 4, 64


def fit(dataset: Dataset, setting: Setting) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    setting
        Preset, seed, folder for checkpoints, progress; the options are :data:`OPTIONS`.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or nothing can be held out.
    OptionError
        If the preset is unknown or an option is out of range.
    TrainingError
        If the loss is no number from the start.
    OutputError
        If another run uses the same folder.
    """
    started = time.perf_counter()
    preset = _preset(setting)
    size, sizing = _size(dataset, setting)
    preprocessing = Preprocessing(size)
    images = gather(dataset, preprocessing, setting)
    augmentation, augmenting = augmentation_for(dataset, setting, "light")
    gathered = time.perf_counter()
    plan, planned = _plan(images, preset, size, setting)
    torch.manual_seed(setting.seed)
    network = _network(images, preprocessing, preset, bool(augmentation.flip))
    task = Task(network, images, plan, augmentation, _rate(setting))
    name = run_name(
        images, asdict(plan), asdict(augmentation), asdict(preset), sizing, _rate(setting), versions()
    )
    trained = run(task, plan, setting, name)
    learned = time.perf_counter()
    promised = promise(network, images, (("final", network.linear.in_features),), setting)
    return Fitted(
        body=promised.body,
        head=promised.head,
        preprocessing=preprocessing,
        classes=images.classes,
        backbone=None,
        set_threshold=promised.set_threshold,
        out_of_fold=promised.out_of_fold,
        used=len(images.learn),
        fingerprint=images.fingerprint,
        refused=images.table.refused,
        choices=(
            sizing,
            images.told,
            *augmenting,
            *planned,
            *trained.notes,
            *promised.choices,
        ),
        seconds={
            "images": gathered - started,
            "training": learned - gathered,
            "calibration": time.perf_counter() - learned,
        },
        history=trained.history,
        measured_on=MEASURED_ON,
        watched_validation=setting.validation is not None,
        kept_epoch=trained.kept_epoch,
        interrupted=trained.interrupted,
    )


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
        self.optimizer: torch.optim.Optimizer = torch.optim.SGD(
            _groups(network, rate, plan.batch_size), momentum=MOMENTUM, nesterov=True
        )
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


def _groups(network: Classifier, rate: float, batch: int) -> list[dict[str, Any]]:
    """Biases learn faster; weight decay does not depend on the rate."""
    unit = batch / (MOST_BATCH * (1 + 1 / (1 - MOMENTUM)))
    learned = [(name, value) for name, value in network.named_parameters() if value.requires_grad]
    biases = [value for name, value in learned if name.endswith("bias")]
    weights = [value for name, value in learned if not name.endswith("bias")]
    return [
        {"params": weights, "lr": rate * unit, "weight_decay": DECAY / rate},
        {"params": biases, "lr": rate * unit * BIAS_RATE, "weight_decay": DECAY / (rate * BIAS_RATE)},
    ]


def _preset(setting: Setting) -> Preset:
    if setting.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {setting.preset!r}")
    return PRESETS[setting.preset]


def _size(dataset: Dataset, setting: Setting) -> tuple[int, str]:
    """The side of the network's input: that of small square images, else the nearest of a few."""
    asked = setting.options.get("size")
    if asked is not None:
        if not 16 <= asked <= 512:
            raise OptionError(f"size: must be 16 to 512 pixels, got {asked}; 32 to 128 is usual")
        return int(asked), f"input {asked} × {asked} pixels: chosen by hand"
    step = max(1, len(dataset) // LOOKED_AT)
    sides = sorted(filter(None, map(_shorter_side, dataset.paths[::step]))) or [SIZES[0]]
    middle = sides[len(sides) // 2]
    if SMALLEST <= middle <= SIZES[0] * 1.5 and sides[0] == sides[-1]:
        return middle, f"input {middle} × {middle} pixels: all images are so small"
    size = min(SIZES, key=lambda side: abs(side - middle / 2))
    return size, f"input {size} × {size} pixels: for images whose shorter side is usually {middle}"


def _shorter_side(path: str) -> int | None:
    try:
        return min(open_image(path).size)
    except RefusedInput:
        return None


def _plan(images: Images, preset: Preset, size: int, setting: Setting) -> tuple[Plan, tuple[str, ...]]:
    count, options = len(images.learn), setting.options
    passes = round(preset.passes * (50_000 / count) ** 0.5 * (32 / size) ** 0.5)
    epochs = options.get("epochs") or min(max(passes, FEWEST_PASSES), MOST_PASSES)
    most = 2 ** int(np.log2(max(count / 16, 16)))
    batch = min(options.get("batch_size") or min(most, MOST_BATCH), count)
    precision, reason = best_precision()
    plan = Plan(
        images=count,
        epochs=epochs,
        batch_size=batch,
        seed=setting.seed,
        precision=precision,
        average=AVERAGE,
        keep="last",
    )
    steps = plan.steps_per_epoch
    return plan, (f"{epochs} passes of {steps} steps of {batch} images: {preset.reason}", reason)


def _network(images: Images, preprocessing: Preprocessing, preset: Preset, mirrored: bool) -> Classifier:
    body = Convolutional(widths_for(preprocessing.size, preset.wide))
    features = FeatureNetwork(body, preprocessing, mirrored=mirrored)
    chosen = np.random.default_rng(0).permutation(images.learn)[:WHITENING_IMAGES]
    pixels = torch.from_numpy(images.table.images[np.sort(chosen)]).permute(0, 3, 1, 2)
    body.set_whitening(features.normalised(pixels))
    linear = nn.Linear(body.features, len(images.classes), bias=False)
    return Classifier(features, linear).to(memory_format=torch.channels_last)


def _rate(setting: Setting) -> float:
    return float(setting.options.get("learning_rate") or RATE)
