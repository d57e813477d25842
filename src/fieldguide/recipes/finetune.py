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

from fieldguide.augment import Augmentation
from fieldguide.backbone_export import ExportedBackbone, export
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.loop import Plan, Trained
from fieldguide.precision import best_precision
from fieldguide.recipes import finetune_presets, linear_probe
from fieldguide.recipes.augmenting import augmentation_for, write_preview
from fieldguide.recipes.common import Fitted, Setting
from fieldguide.recipes.finetune_cache import Keep
from fieldguide.recipes.finetune_network import FineTuned
from fieldguide.recipes.finetune_presets import Preset, own_size, preset_of
from fieldguide.recipes.finetune_start import (
    Start,
    compare,
    network_of,
    probe_of,
    rival_of,
    source_of,
    way_of,
)
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
PRESETS = finetune_presets.PRESETS

AVERAGE = 0.99
CLIP = 1.0
PATIENCE = 0.5
"""Training stops after this share of its epochs without a lower validation loss: the loss often falls again
once the rate does."""

FEW_HELD_OUT = 100
"""With fewer the last epoch is kept: choosing among dozens by so few would be luck, and these images also
choose between the network and the probe."""


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
    preset = preset_of(dataset, setting)
    backbone, chosen = _backbone(preset, setting)
    images = gather(dataset, backbone.preprocessing, setting)
    start = probe_of(dataset, images, backbone, setting)
    augmentation, augmenting = augmentation_for(dataset, setting, preset.augmentation)
    write_preview(images.table.images, augmentation, setting)
    gathered = time.perf_counter()
    plan, planned = _plan(images, preset, setting)
    tuned = _Job(images, start, preset, augmentation, plan).run(setting)
    learned = time.perf_counter()
    classifier, shares = tuned.network.classifier(backbone.preprocessing), tuned.way.shares()
    promised = promise(classifier, images, backbone.depths, setting, shares)
    rival = rival_of(dataset, images, start, setting)
    better, judged = compare(rival, promised)
    seconds = {
        "images": gathered - started,
        "training": learned - gathered,
        "calibration": time.perf_counter() - learned,
    }
    told = (chosen, images.told, *tuned.told, *augmenting, *planned, *tuned.trained.notes, judged)
    if better:
        fitted = _fitted(promised, images, backbone)
    else:
        fitted = linear_probe.fit(dataset, rival.setting)
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
    preset: Preset
    augmentation: Augmentation
    plan: Plan

    def run(self, setting: Setting) -> _Tuned:
        """Train."""
        way = way_of(self.images, self.augmentation, self.plan, self.preset)
        network = network_of(self.start, self.preset.layers, way)
        variants = min(self.preset.variants, self.plan.epochs)
        keep = Keep(self.augmentation, variants, setting.cache, setting.progress)
        source = source_of(network, self.images, self.start, self.plan, keep)

        def task_of(plan: Plan) -> Task:
            return Task(network, source, plan, way_of(self.images, self.augmentation, plan, self.preset))

        trained = run(task_of(self.plan), self.plan, setting, self._name(way), task_of)
        return _Tuned(network, way, trained)

    def _name(self, way: Way) -> str:
        settings = (asdict(part) for part in (self.plan, self.augmentation, self.preset))
        facts = (self.start.backbone.digest, way.rate, way.weights.tolist())
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


def _backbone(preset: Preset, setting: Setting) -> tuple[ExportedBackbone, str]:
    name, size = setting.backbone or preset.backbone, setting.options.get("size")
    if "+" in name:
        raise OptionError(f"backbone: finetune trains one, got {name!r}; linear-probe takes several")
    if not own_size(preset, setting):
        size, reason = preset.size, f"preset {setting.preset}: {preset.reason}"
    elif size is None:
        reason = "chosen by hand, at its own size"
    else:
        reason = "size chosen by hand"
    backbone = export(name, size=size, weights=setting.weights, progress=setting.progress)
    side = backbone.preprocessing.size
    return backbone, f"backbone {backbone.name}, {side} × {side} pixels: {reason}"


def _plan(images: Images, preset: Preset, setting: Setting) -> tuple[Plan, tuple[str, ...]]:
    count, options = len(images.learn), setting.options
    epochs = options.get("epochs") or preset.epochs
    few = len(images.held) < FEW_HELD_OUT
    precision, reason = best_precision()
    plan = Plan(
        images=count,
        epochs=epochs,
        batch_size=min(options.get("batch_size") or BATCH, count),
        seed=setting.seed,
        precision=precision,
        clip=CLIP,
        average=AVERAGE,
        patience=None if few else max(1, round(PATIENCE * epochs)),
        keep="last" if few else "best",
    )
    steps = plan.steps_per_epoch
    return plan, (f"at most {plan.epochs} passes of {steps} steps of {plan.batch_size} images", reason)
