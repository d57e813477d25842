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

import numpy as np
from numpy.typing import NDArray

from fieldguide.augment import Augmentation
from fieldguide.backbone_export import ExportedBackbone, export
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.loop import Plan, Trained
from fieldguide.precision import best_precision
from fieldguide.recipes import linear_probe
from fieldguide.recipes.augmenting import augmentation_for, write_preview
from fieldguide.recipes.common import Fitted, Setting
from fieldguide.recipes.finetune_cache import Keep
from fieldguide.recipes.finetune_network import FineTuned
from fieldguide.recipes.finetune_start import Start, compare, network_of, probe_of, source_of, way_of
from fieldguide.recipes.finetune_task import BATCH, Task, Way
from fieldguide.recipes.learned import (
    MEASURED_ON,
    Images,
    Promised,
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
    write_preview(images.table.images, augmentation, setting)
    gathered = time.perf_counter()
    plan, planned = _plan(images, preset, setting)
    tuned = _Job(images, start, backbone, preset, augmentation, plan).run(setting)
    learned = time.perf_counter()
    classifier, shares = tuned.network.classifier(backbone.preprocessing), tuned.way.shares()
    promised = promise(classifier, images, backbone.depths, setting, shares)
    better, judged = compare(tuned.before, promised, shares)
    seconds = {
        "images": gathered - started,
        "training": learned - gathered,
        "calibration": time.perf_counter() - learned,
    }
    told = (chosen, images.told, *tuned.told, *augmenting, *planned, *tuned.trained.notes, judged)
    if better:
        fitted = _fitted(promised, images, backbone)
    else:
        options = {"size": backbone.preprocessing.size}
        fitted = linear_probe.fit(dataset, replace(setting, backbone=backbone.name, options=options))
    return replace(
        fitted,
        choices=(*told, *fitted.choices),
        seconds={**seconds, **fitted.seconds},
        history=tuned.trained.history,
        interrupted=tuned.trained.interrupted,
    )


@dataclass(frozen=True)
class _Tuned:
    """What came of training."""

    network: FineTuned
    way: Way
    before: NDArray[np.float64]
    """Scores of the images held out before training: the probe's."""
    trained: Trained

    @property
    def told(self) -> tuple[str, str]:
        """Sentences on what learned and how the classes were weighed."""
        return self.network.body.told(), self.way.told()


@dataclass(frozen=True)
class _Job:
    """What a training run is given."""

    images: Images
    start: Start
    backbone: ExportedBackbone
    preset: Preset
    augmentation: Augmentation
    plan: Plan

    def run(self, setting: Setting) -> _Tuned:
        """Train."""
        way = way_of(self.images, self.augmentation, self.plan, setting)
        network = network_of(self.start, self.backbone, self.preset.layers, way)
        keep = Keep(self.augmentation, self.preset.variants, setting.cache, setting.progress)
        source = source_of(network, self.images, self.backbone, self.plan, keep)

        def task_of(plan: Plan) -> Task:
            return Task(network, source, plan, way_of(self.images, self.augmentation, plan, setting))

        task = task_of(self.plan)
        before = task.answers(network)[0].double().numpy()
        trained = run(task, self.plan, setting, self._name(way), task_of)
        return _Tuned(network, way, before, trained)

    def _name(self, way: Way) -> str:
        settings = (asdict(part) for part in (self.plan, self.augmentation, self.preset))
        facts = (self.backbone.digest, way.rate, way.weights.tolist())
        return run_name(self.images, *settings, facts, versions())


def _fitted(promised: Promised, images: Images, backbone: ExportedBackbone) -> Fitted:
    """The fine-tuned network."""
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
        choices=promised.choices,
        seconds={},
        measured_on=MEASURED_ON,
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
