"""`finetune`: a pretrained network adapted to the photos, from the linear probe's solution on.

    photos → part held out, keeping look-alikes together
           → linear probe of the others: where the classifier starts
           → frozen layers' output, once for a few augmented variants of each photo
           → the other layers and the classifier learn: earlier layers more slowly
           → averaged weights of the best epoch → exported, calibrated on the images held out
           → compared with the probe there; the better one is handed back

The dial is the preset; it sets the size of the photos and how much of the network learns.
"""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from fieldguide.backbone_export import ExportedBackbone, export
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.loop import Plan, Trained
from fieldguide.precision import best_precision
from fieldguide.recipes import linear_probe
from fieldguide.recipes.augmenting import augmentation_for
from fieldguide.recipes.common import Fitted, Setting
from fieldguide.recipes.finetune_cache import Keep
from fieldguide.recipes.finetune_start import compare, network_of, probe_of, source_of, way_of
from fieldguide.recipes.finetune_task import BATCH, Task
from fieldguide.recipes.learned import (
    MEASURED_ON,
    Images,
    gather,
    promise,
    run,
    run_name,
    versions,
)
from fieldguide.recipes.material import card_of

SUMMARY = "pretrained network adapted to the photos, where that beats linear-probe; minutes to hours"
OPTIONS = frozenset(
    {"epochs", "batch_size", "learning_rate", "augment", "augment_with", "resume", "size", "layers"}
)
"""`epochs` at most, `batch_size`, `learning_rate` (the highest, of the network's last layer, for 32 images a
step), `augment` and `augment_with` as in docs/augmentation.md, `resume`, `size` of the network's input in
pixels, `layers`: share of the network that learns, more than 0 and at most 1."""
SEARCH: dict[str, dict[str, Any]] = {
    "learning_rate": {"low": 2e-5, "high": 2e-3, "log": True},
    "layers": {"choices": (0.25, 0.4, 0.6, 1.0)},
    "augment": {"choices": ("light", "medium", "strong")},
}
"""What :func:`fieldguide.tune.tune` may vary, by the names of options."""

AVERAGE = 0.99
CLIP = 1.0
PATIENCE = 4
"""Epochs without a lower validation loss after which training stops."""


@dataclass(frozen=True)
class Preset:
    """What a preset means for this recipe."""

    backbone: str
    size: int
    layers: float
    """Share of the network that learns."""
    epochs: int
    variants: int
    """Augmented variants of each image that the frozen layers are run on."""
    reason: str


PRESETS = {
    "fast": Preset("efficientnet_lite0", 224, 0.3, 6, 2, "the last layers only"),
    "balanced": Preset("efficientnet_lite0", 288, 0.4, 10, 4, "the last layers, of larger photos"),
    "best": Preset("efficientnet_lite0", 288, 1.0, 16, 0, "all layers, at several times the time"),
}


def fit(dataset: Dataset, setting: Setting) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    setting
        Preset, backbone, seed, cache, folder for checkpoints, progress; the options are :data:`OPTIONS`.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or nothing can be held out.
    OptionError
        If the preset is unknown or an option is out of range.
    BackboneError
        If the backbone's weights cannot be had.
    TrainingError
        If the loss is no number from the start.
    OutputError
        If another run uses the same folder.
    """
    started = time.perf_counter()
    preset = _preset(setting)
    backbone, chosen = _backbone(preset, setting)
    images = gather(dataset, backbone.preprocessing, setting)
    start = probe_of(dataset, images, backbone, setting)
    augmentation, augmenting = augmentation_for(dataset, setting, "medium")
    gathered = time.perf_counter()
    plan, planned = _plan(images, preset, setting)
    way = way_of(images, augmentation, plan, setting)
    network = network_of(start, backbone, preset.layers, way)
    keep = Keep(augmentation, preset.variants, setting.cache, setting.progress)
    task = Task(network, source_of(network, images, backbone, plan, keep), plan, way)
    before = task.answers(network)[0]
    facts = (backbone.digest, way.rate, way.weights.tolist())
    name = run_name(images, asdict(plan), asdict(augmentation), asdict(preset), facts, versions())
    trained = run(task, plan, setting, name)
    learned = time.perf_counter()
    promised = promise(
        network.classifier(backbone.preprocessing), images, backbone.depths, setting, way.shares()
    )
    better, judged = compare(before.double().numpy(), promised, way.shares())
    choices = (
        chosen,
        images.told,
        network.body.told(),
        way.told(),
        *augmenting,
        *planned,
        *trained.notes,
        judged,
    )
    seconds = {
        "images": gathered - started,
        "training": learned - gathered,
        "calibration": time.perf_counter() - learned,
    }
    if not better:
        return _probe_instead(dataset, setting, backbone, trained, (choices, seconds))
    return Fitted(
        body=promised.body,
        head=promised.head,
        preprocessing=backbone.preprocessing,
        classes=images.classes,
        backbone=card_of(backbone),
        set_threshold=promised.set_threshold,
        out_of_fold=promised.out_of_fold,
        used=len(images.learn),
        fingerprint=images.fingerprint,
        refused=images.table.refused,
        choices=(*choices, *promised.choices),
        seconds=seconds,
        history=trained.history,
        measured_on=MEASURED_ON,
        interrupted=trained.interrupted,
    )


def _probe_instead(
    dataset: Dataset,
    setting: Setting,
    backbone: ExportedBackbone,
    trained: Trained,
    told: tuple[tuple[str, ...], dict[str, float]],
) -> Fitted:
    """The linear probe of all images, with what was tried."""
    options = {"size": backbone.preprocessing.size}
    probe = linear_probe.fit(dataset, replace(setting, backbone=backbone.name, options=options))
    return replace(
        probe,
        choices=(*told[0], *probe.choices),
        seconds={**told[1], **probe.seconds},
        history=trained.history,
        interrupted=trained.interrupted,
    )


def _preset(setting: Setting) -> Preset:
    if setting.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {setting.preset!r}")
    preset = PRESETS[setting.preset]
    layers = float(setting.options.get("layers") or preset.layers)
    if not 0 < layers <= 1:
        raise OptionError(f"layers: must be more than 0 and at most 1, got {layers:g}; 0.4 is usual")
    return replace(preset, layers=layers)


def _backbone(preset: Preset, setting: Setting) -> tuple[ExportedBackbone, str]:
    name, size = setting.backbone or preset.backbone, setting.options.get("size")
    if "+" in name:
        raise OptionError(f"backbone: finetune trains one, got {name!r}; linear-probe takes several")
    reason = "size chosen by hand"
    if size is None:
        own = setting.backbone not in (None, preset.backbone) or setting.weights is not None
        size = None if own else preset.size
        reason = "chosen by hand, at its own size" if own else f"preset {setting.preset}: {preset.reason}"
    backbone = export(name, size=size, weights=setting.weights, progress=setting.progress)
    side = backbone.preprocessing.size
    return backbone, f"backbone {backbone.name}, {side} × {side} pixels: {reason}"


def _plan(images: Images, preset: Preset, setting: Setting) -> tuple[Plan, tuple[str, ...]]:
    count, options = len(images.learn), setting.options
    precision, reason = best_precision()
    plan = Plan(
        images=count,
        epochs=options.get("epochs") or preset.epochs,
        batch_size=min(options.get("batch_size") or BATCH, count),
        seed=setting.seed,
        precision=precision,
        clip=CLIP,
        average=AVERAGE,
        patience=PATIENCE,
    )
    steps = plan.steps_per_epoch
    return plan, (f"at most {plan.epochs} passes of {steps} steps of {plan.batch_size} images", reason)
