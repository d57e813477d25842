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
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fieldguide.data.dataset import Dataset
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn import architectures, presets, shared
from fieldguide.recipes.cnn.layers import check_architecture, check_size, is_name
from fieldguide.recipes.cnn.network import WHITENING_IMAGES
from fieldguide.recipes.cnn.presets import CnnPreset, preset_of
from fieldguide.recipes.cnn.run import CnnRun
from fieldguide.recipes.common import Fitted, Options, Run
from fieldguide.recipes.networks.augmentation import augmentation_for, write_preview
from fieldguide.recipes.networks.budget import TimeBudget
from fieldguide.recipes.networks.images import Images, gather, shorter_sides
from fieldguide.recipes.networks.network import NetworkClassifier
from fieldguide.recipes.networks.run import (
    LIBRARIES,
    MEASURED_ON,
    calibrated_network,
    check_devices,
)
from fieldguide.recipes.rate_sweep import RateSweep
from fieldguide.tasks.task import EITHER, Task
from fieldguide.training.plan import Plan
from fieldguide.training.precision import best_precision

SUMMARY = "small network trained from scratch: for images unlike photos; needs hundreds per class"
OPTIONS = frozenset(
    {
        "epochs",
        "batch_size",
        "learning_rate",
        "augment",
        "augment_with",
        "resume",
        "restart",
        "size",
        "architecture",
        "minutes",
        "devices",
    }
)
"""`epochs`, `batch_size`, `learning_rate` (the highest, for 1,024 images a step), `augment` and
`augment_with` as in docs/augmentation.md, `resume`, `restart`, `size` of the network's input in pixels,
`architecture` as in :mod:`fieldguide.recipes.cnn.layers` (layers, a name such as `resnet18`, or a module),
`minutes` from the photos to the model (the preset's own, unless `epochs` are given), `devices`: how many
processes train together, each on a GPU or on its share of the cores."""
SEARCH: dict[str, dict[str, Any]] = {
    "learning_rate": {"low": 0.06, "high": 1.0, "log": True},
    "augment": {"choices": ("none", "light", "medium")},
}
"""What :func:`fieldguide.experiments.tune.tune` may vary, by the names of settings."""

SMALLEST = 16
SIZES = (32, 64, 96, 128)
AVERAGE = 0.98
"""Decay of the running average of weights."""


PRESETS = presets.PRESETS
TASKS = EITHER
"""What it learns: one label a photo, or any number of tags."""
LEAST_DEVIATION = 0.05
"""Of a colour; less would blow up the noise of images that hardly differ in it."""
USUAL_BATCH = 512
"""Images a step where there are enough; twice as many looked worse in the first passes (docs/log.md)."""
FEWEST_PASSES, MOST_PASSES = 4, 64
FEWEST_FROM_SCRATCH = 2000
FEW_PHOTOS = (
    f"fewer than {FEWEST_FROM_SCRATCH} photos: a network that was pretrained on others usually does better; "
    "`fieldguide compare DATA --recipes linear-probe,cnn` measures by how much"
)


def fit(dataset: Dataset, options: Options, run: Run) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    options
        Preset and seed; the settings are :data:`OPTIONS`.
    run
        Cache, folder for checkpoints, validation images, preview, progress and report.

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
    run_of, said = _prepared(dataset, options, run, started)
    images, preprocessing = run_of.images, run_of.preprocessing
    gathered = time.perf_counter()
    made = run_of.train(options, run)
    network, trained = made.network, made.trained
    learned = time.perf_counter()
    depths = (("final", network.linear.in_features),)
    promised = calibrated_network(network, images, depths, options, run)
    choices = (
        said.sizing, *_network_choice(options, network), images.summary, *_few(images), *_shares(images),
        *said.augmenting, *said.planned, *made.planned, *trained.notes, made.outcome.summary(),
    )  # fmt: skip
    return Fitted(
        body=promised.body,
        made_with=LIBRARIES,
        head=promised.head,
        preprocessing=preprocessing,
        classes=images.classes,
        backbone=None,
        set_threshold=promised.set_threshold,
        class_set_thresholds=promised.class_set_thresholds,
        tag_thresholds=promised.tag_thresholds,
        out_of_fold=promised.out_of_fold,
        used=len(images.learn),
        fingerprint=images.fingerprint,
        digests=images.own_digests,
        refused=images.table.refused,
        choices=(*choices, *promised.choices),
        seconds={
            "images": gathered - started,
            "training": learned - gathered,
            "calibration": time.perf_counter() - learned,
        },
        history=trained.history,
        measured_on=MEASURED_ON,
        watched_validation=run.validation is not None,
        kept_epoch=trained.kept_epoch,
        outcome=made.outcome,
        interrupted=trained.interrupted,
    )


@dataclass(frozen=True)
class _Said:
    """Sentences on what was chosen before training."""

    sizing: str
    augmenting: tuple[str, ...]
    planned: tuple[str, ...]


def _prepared(dataset: Dataset, options: Options, run: Run, started: float) -> tuple[CnnRun, _Said]:
    """Decode the images, and decide all that the clock does not."""
    budget = TimeBudget.of(options, started)
    check_devices(options)
    shared.check(options)
    size, sizing = _size(dataset, options)
    _check_architecture(options, size)
    images = gather(dataset, Preprocessing(size), options, run)
    preprocessing = _normalising(Preprocessing(size), images)
    augmentation, augmenting = augmentation_for(dataset, options, run, "light", pretrained=False)
    write_preview(images.table.images, augmentation, options, run)
    plan, planned = _plan(images, preset_of(options), size, options)
    made = CnnRun(images, preprocessing, plan, augmentation, budget)
    return made, _Said(sizing, tuple(augmenting), planned)


def find_rate(dataset: Dataset, options: Options, run: Run) -> RateSweep:
    """Try growing learning rates on the images that :func:`fit` would learn from; raises what that does."""
    return _prepared(dataset, options, run, time.perf_counter())[0].find_rate(options, run)


def _check_architecture(options: Options, size: int) -> None:
    """Stop before the images are decoded, not after it."""
    own = options.settings.get("architecture")
    if own is not None:
        check_architecture(own, size)


def _few(images: Images) -> tuple[str, ...]:
    return (FEW_PHOTOS,) if len(images.learn) < FEWEST_FROM_SCRATCH else ()


def _network_choice(options: Options, network: NetworkClassifier) -> tuple[str, ...]:
    name = options.settings.get("architecture")
    if not isinstance(name, str) or not is_name(name):
        return ()
    found = architectures.find(name)
    parameters = sum(value.numel() for value in network.parameters())
    return (f"network: {found.name} of {found.library}, untrained, {parameters:,} parameters",)


def _shares(images: Images) -> tuple[str, ...]:
    if images.task is Task.MULTIPLE:
        return ("loss: binary cross-entropy, in which every tag counts the same",)
    counts = np.bincount(images.numbers[images.learn], minlength=len(images.classes))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] <= 1.5 * counts[least]:
        return ("class shares: nearly equal, no class is favoured",)
    said = (
        f"class shares: unequal ({images.classes[most]!r} {counts[most]}, {images.classes[least]!r} "
        f"{counts[least]}); every image counts the same, so probabilities expect these shares"
    )
    return (said,)


def _size(dataset: Dataset, options: Options) -> tuple[int, str]:
    """The side of the network's input: that of small square images, else the nearest of a few."""
    asked = options.settings.get("size")
    if asked is not None:
        check_size(asked)
        return int(asked), f"input {asked} × {asked} pixels: chosen by hand"
    size, reason = _size_of(dataset)
    least, name = size, options.settings.get("architecture")
    if isinstance(name, str) and is_name(name):
        size = architectures.next_size(name.strip(), least)
    larger = (
        f"; {name} does not take {least} × {least}, this is the next that it takes" if size > least else ""
    )
    return size, f"input {size} × {size} pixels: {reason}{larger}"


def _size_of(dataset: Dataset) -> tuple[int, str]:
    """The side that follows from the images, and why."""
    sides = shorter_sides(dataset.paths) or [SIZES[0]]
    middle = sides[len(sides) // 2]
    if SMALLEST <= middle <= SIZES[0] * 1.5 and sides[0] == sides[-1]:
        return middle, "all images are so small"
    size = min(SIZES, key=lambda side: abs(side - middle / 2))
    return size, f"for images whose shorter side is usually {middle}"


def _normalising(preprocessing: Preprocessing, images: Images) -> Preprocessing:
    """Mean and deviation of each colour over the images learned from, some thousands of them."""
    chosen = np.random.default_rng(0).permutation(images.learn)[:WHITENING_IMAGES]
    pixels = images.table.images[np.sort(chosen)].reshape(-1, 3).astype(np.float64) / 255
    red, green, blue = (round(float(value), 3) for value in pixels.mean(0))
    widths = (max(round(float(value), 3), LEAST_DEVIATION) for value in pixels.std(0))
    return replace(preprocessing, mean=(red, green, blue), std=(next(widths), next(widths), next(widths)))


def _plan(images: Images, preset: CnnPreset, size: int, options: Options) -> tuple[Plan, tuple[str, ...]]:
    count, settings = len(images.learn), options.settings
    passes = round(preset.passes * (50_000 / count) ** 0.5 * (32 / size) ** 0.5)
    epochs = settings.get("epochs") or min(max(passes, FEWEST_PASSES), MOST_PASSES)
    most = 2 ** int(np.log2(max(count / 16, 16)))
    batch = min(settings.get("batch_size") or min(most, USUAL_BATCH), count)
    precision, reason = best_precision()
    plan = Plan(
        images=count,
        epochs=epochs,
        batch_size=batch,
        seed=options.seed,
        precision=precision,
        average=AVERAGE,
        keep="last",
    )
    steps = plan.steps_per_epoch
    return plan, (f"at most {epochs} passes of {steps} steps of {batch} images: {preset.reason}", reason)
