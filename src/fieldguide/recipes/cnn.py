"""`cnn`: a convolutional network from scratch, for images unlike photos, or where no other may be used.

    images → one uint8 array at a size that follows from the data
           → part held out, keeping look-alikes together
           → whitened first layer, few wide blocks; shift, mirror; high rate, short schedule; the first
             passes through windows, the last over whole images
           → averaged weights → exported, calibrated on the images held out

The dial is the preset; it sets the number of passes and the width of the network. The schedule is that of
Keller Jordan's airbench (https://arxiv.org/abs/2404.00498), which holds a speed record on CIFAR-10:
high rates, few passes.
"""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from fieldguide.augment import Augmentation
from fieldguide.cnn_layers import own_network
from fieldguide.cnn_network import WHITENING_IMAGES, Convolutional, widths_for
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.loop import Plan, Trained
from fieldguide.precision import best_precision
from fieldguide.preprocess import Preprocessing
from fieldguide.recipes.augmenting import augmentation_for, write_preview
from fieldguide.recipes.cnn_task import OWN_RATE, RATE, Task
from fieldguide.recipes.common import Fitted, Setting
from fieldguide.recipes.learned import (
    MEASURED_ON,
    Classifier,
    FeatureNetwork,
    Images,
    gather,
    promise,
    run,
    run_name,
    shorter_sides,
    versions,
)

SUMMARY = "small network trained from scratch: for images unlike photos; needs hundreds a class"
OPTIONS = frozenset(
    {
        "epochs",
        "batch_size",
        "learning_rate",
        "augment",
        "augment_with",
        "resume",
        "size",
        "architecture",
    }
)
"""`epochs`, `batch_size`, `learning_rate` (the highest, for 1,024 images a step), `augment` and
`augment_with` as in docs/augmentation.md, `resume`, `size` of the network's input in pixels, `architecture`
as in :mod:`fieldguide.cnn_layers`."""
SEARCH: dict[str, dict[str, Any]] = {
    "learning_rate": {"low": 0.06, "high": 1.0, "log": True},
    "augment": {"choices": ("none", "light", "medium")},
}
"""What :func:`fieldguide.tune.tune` may vary, by the names of options."""

SMALLEST = 16
SIZES = (32, 64, 96, 128)
AVERAGE = 0.98
"""Decay of the running average of weights."""


@dataclass(frozen=True)
class Preset:
    """What a preset means for this recipe."""

    passes: int
    """Over 50,000 images of 32 pixels; fewer or smaller images are seen more often."""
    wide: float
    """Multiplies the widths of the network."""
    shifted: bool
    """Whether the written network looks at two shifted copies of an image too."""
    reason: str


PRESETS = {
    "fast": Preset(7, 1.0, False, "a third of the passes"),
    "balanced": Preset(19, 1.0, True, "short schedule"),
    "best": Preset(38, 1.5, True, "twice the passes, a wider network"),
}
LEAST_DEVIATION = 0.05
"""Of a colour; less would blow up the noise of images that hardly differ in it."""
USUAL_BATCH = 512
"""Images a step where there are enough; twice as many looked worse in the first passes (docs/log.md)."""
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
    size, sizing = _size(dataset, setting)
    _check_architecture(setting, size)
    images = gather(dataset, Preprocessing(size), setting)
    preprocessing = _normalising(Preprocessing(size), images)
    augmentation, augmenting = augmentation_for(dataset, setting, "light")
    write_preview(images.table.images, augmentation, setting)
    gathered = time.perf_counter()
    plan, planned = _plan(images, _preset(setting), size, setting)
    network, trained = _trained(images, preprocessing, plan, augmentation, setting)
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
            _shares(images),
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


def _trained(
    images: Images, preprocessing: Preprocessing, plan: Plan, augmentation: Augmentation, setting: Setting
) -> tuple[Classifier, Trained]:
    torch.manual_seed(setting.seed)
    network = _network(images, preprocessing, setting, bool(augmentation.flip))
    rate = _rate(setting)

    def task(of: Plan) -> Task:
        return Task(network, images, of, augmentation, rate)

    name = run_name(images, asdict(plan), asdict(augmentation), preprocessing, rate, str(network), versions())
    return network, run(task(plan), plan, setting, name, task)


def _shares(images: Images) -> str:
    counts = np.bincount(images.numbers[images.learn], minlength=len(images.classes))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] <= 1.5 * counts[least]:
        return "class shares: nearly equal, no class is favoured"
    return (
        f"class shares: unequal ({images.classes[most]!r} {counts[most]}, {images.classes[least]!r} "
        f"{counts[least]}); every image counts the same, so probabilities expect these shares"
    )


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
    sides = shorter_sides(dataset.paths) or [SIZES[0]]
    middle = sides[len(sides) // 2]
    if SMALLEST <= middle <= SIZES[0] * 1.5 and sides[0] == sides[-1]:
        return middle, f"input {middle} × {middle} pixels: all images are so small"
    size = min(SIZES, key=lambda side: abs(side - middle / 2))
    return size, f"input {size} × {size} pixels: for images whose shorter side is usually {middle}"


def _normalising(preprocessing: Preprocessing, images: Images) -> Preprocessing:
    """Mean and deviation of each colour over the images learned from, some thousands of them."""
    chosen = np.random.default_rng(0).permutation(images.learn)[:WHITENING_IMAGES]
    pixels = images.table.images[np.sort(chosen)].reshape(-1, 3).astype(np.float64) / 255
    red, green, blue = (round(float(value), 3) for value in pixels.mean(0))
    widths = (max(round(float(value), 3), LEAST_DEVIATION) for value in pixels.std(0))
    return replace(preprocessing, mean=(red, green, blue), std=(next(widths), next(widths), next(widths)))


def _check_architecture(setting: Setting, size: int) -> None:
    """Stop before the images are decoded, not after it."""
    own = setting.options.get("architecture")
    if own is not None:
        own_network(own, size)


def _plan(images: Images, preset: Preset, size: int, setting: Setting) -> tuple[Plan, tuple[str, ...]]:
    count, options = len(images.learn), setting.options
    passes = round(preset.passes * (50_000 / count) ** 0.5 * (32 / size) ** 0.5)
    epochs = options.get("epochs") or min(max(passes, FEWEST_PASSES), MOST_PASSES)
    most = 2 ** int(np.log2(max(count / 16, 16)))
    batch = min(options.get("batch_size") or min(most, USUAL_BATCH), count)
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


def _network(images: Images, preprocessing: Preprocessing, setting: Setting, mirrored: bool) -> Classifier:
    own = setting.options.get("architecture")
    if own is None:
        body, width = _convolutional(images, preprocessing, _preset(setting).wide)
    else:
        body, width = own_network(own, preprocessing.size)
    linear = nn.Linear(width, len(images.classes), bias=own is not None)
    shifted = _preset(setting).shifted
    features = FeatureNetwork(body, preprocessing, mirrored=mirrored, shifted=shifted)
    return Classifier(features, linear).to(memory_format=torch.channels_last)


def _convolutional(images: Images, preprocessing: Preprocessing, wide: float) -> tuple[nn.Module, int]:
    body = Convolutional(widths_for(preprocessing.size, wide))
    chosen = np.random.default_rng(0).permutation(images.learn)[:WHITENING_IMAGES]
    pixels = torch.from_numpy(images.table.images[np.sort(chosen)]).permute(0, 3, 1, 2)
    body.set_whitening(FeatureNetwork(body, preprocessing).normalised(pixels))
    return body, body.features


def _rate(setting: Setting) -> float:
    usual = RATE if setting.options.get("architecture") is None else OWN_RATE
    return float(setting.options.get("learning_rate") or usual)
