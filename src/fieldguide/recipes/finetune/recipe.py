"""`finetune`: a pretrained network adapted to the photos, from the linear probe's solution on.

    photos → part held out, keeping look-alikes together
           → linear probe of the others: where the classifier starts
           → a step is timed: all layers learn, over growing photos, or only the last ones, on what the
             frozen ones make of a few augmented variants of each photo
           → evidence of how unlike the photos are to what the network knows, and where it contradicts the
             usual rates a short trial: earlier layers learn more slowly, or all alike
           → averaged weights of the best epoch → the best point between these and the probe
           → exported, calibrated on the images held out

The dial is the preset; it sets the size of the photos and the minutes. What learns, how often, at which sizes
and at which rates follows from the photos, the minutes and from how fast this machine is.
"""

import time
from dataclasses import replace
from typing import Any

from fieldguide.backbones.catalogue import find
from fieldguide.backbones.encoders.files import is_encoder
from fieldguide.backbones.export import export
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Fitted, Options, Run
from fieldguide.recipes.finetune import presets
from fieldguide.recipes.finetune.job import FinetuneRun
from fieldguide.recipes.finetune.presets import FinetunePreset, own_size, preset_of
from fieldguide.recipes.finetune.start import (
    baseline_of,
    nothing_to_gain,
    probe_of,
)
from fieldguide.recipes.labelled_features import card_of
from fieldguide.recipes.networks.augmentation import augmentation_for, write_preview
from fieldguide.recipes.networks.budget import TimeBudget
from fieldguide.recipes.networks.images import Images, gather
from fieldguide.recipes.networks.run import (
    LIBRARIES,
    MEASURED_ON,
    CalibratedNetwork,
    calibrated_network,
    check_devices,
)
from fieldguide.recipes.rate_sweep import RateSweep
from fieldguide.recipes.training_outcome import TrainingOutcome
from fieldguide.tasks.task import EITHER

SUMMARY = (
    "pretrained network adapted to the photos, within minutes that you give; never worse than linear-probe"
)
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
        "layers",
        "layer_decay",
        "head_rate",
        "batch_norm",
        "minutes",
        "devices",
    }
)
"""`epochs` at most, `batch_size`, `learning_rate` (the highest, of the network's last layer, for 32 images a
step), `augment` and `augment_with` as in docs/augmentation.md, `resume`, `restart`, `size` of the network's
input in pixels, `layers`: share of the network that learns, more than 0 and at most 1, `layer_decay`: the
rate of each layer, as a share of that of the layer above it, more than 0 and at most 1, `head_rate`: the
classifier's, as a share of the last layer's, `batch_norm`: share of the photos' own means and variances in
those of batch normalisation, from 0 to 1, `minutes` from the photos to the model (the preset's own, unless
`epochs` are given), `devices`: how many processes train together, each on a GPU or on its share of the
cores."""
SEARCH: dict[str, dict[str, Any]] = {
    "learning_rate": {"low": 2e-5, "high": 2e-3, "log": True},
    "layers": {"choices": (0.25, 0.4, 0.6, 1.0)},
    "layer_decay": {"choices": (0.8, 0.9, 1.0)},
    "augment": {"choices": ("light", "medium", "strong")},
}
"""What :func:`fieldguide.experiments.tune.tune` may vary, by the names of settings."""
PRESETS = presets.PRESETS
TASKS = EITHER
"""What it learns: one label a photo, or any number of tags."""


def fit(dataset: Dataset, options: Options, run: Run) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    options
        Preset, backbone and seed; the settings are :data:`OPTIONS`.
    run
        Cache, folder for checkpoints, validation images, preview, progress and report.

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
    budget = TimeBudget.of(options, started)
    check_devices(options)
    preset = preset_of(dataset, options)
    backbone, chosen = _backbone(preset, options, run)
    images = gather(dataset, backbone.preprocessing, options, run)
    start = probe_of(dataset, images, backbone, options, run)
    baseline = baseline_of(dataset, images, start, options, run)
    enough = nothing_to_gain(start)
    if enough is not None and not _is_told_how(options):
        fitted = linear_probe.fit(dataset, baseline.options, run)
        return replace(fitted, choices=(chosen, images.summary, enough, *fitted.choices))
    augmentation, augmenting = augmentation_for(dataset, options, run, preset.augmentation)
    write_preview(images.table.images, augmentation, options, run)
    gathered = time.perf_counter()
    job = FinetuneRun(images, start, preset, augmentation, budget)
    tuned = job.train(options, run)
    learned = time.perf_counter()
    choice = tuned.choose(images, baseline, refit=images.own == len(images.numbers))
    outcome = TrainingOutcome(tuned.stages, choice.handed_back())
    notes = (*tuned.trained.notes, outcome.summary(), choice.sentence)
    summary = (chosen, images.summary, *tuned.summary, *augmenting, *notes)
    if choice.point.way == 0:
        fitted = linear_probe.fit(dataset, baseline.options, run)
    else:
        classifier = tuned.classifier(choice, backbone.preprocessing)
        depths = backbone.depths * (1 if choice.point.weight == 1 else 2)
        promised = calibrated_network(classifier, images, depths, options, run, tuned.way.shares())
        fitted = _fitted(promised, images, backbone)
    seconds = {
        "images": gathered - started,
        "training": learned - gathered,
        "calibration": time.perf_counter() - learned,
    }
    return replace(
        fitted,
        choices=(*summary, *fitted.choices),
        seconds={**seconds, **fitted.seconds},
        history=tuned.trained.history,
        outcome=outcome,
        interrupted=tuned.trained.interrupted,
    )


def find_rate(dataset: Dataset, options: Options, run: Run) -> RateSweep:
    """Try growing learning rates on the images that :func:`fit` would learn from; raises what that does."""
    budget = TimeBudget.of(options, time.perf_counter())
    preset = preset_of(dataset, options)
    backbone, _ = _backbone(preset, options, run)
    images = gather(dataset, backbone.preprocessing, options, run)
    start = probe_of(dataset, images, backbone, options, run)
    augmentation, _ = augmentation_for(dataset, options, run, preset.augmentation)
    return FinetuneRun(images, start, preset, augmentation, budget).find_rate(options, run)


def _is_told_how(options: Options) -> bool:
    """Whether a person wants training, whatever the probe has reached."""
    return bool({"epochs", "minutes"} & {name for name, value in options.settings.items() if value})


def _fitted(promised: CalibratedNetwork, images: Images, backbone: ExportedBackbone) -> Fitted:
    """The fine-tuned network."""
    return Fitted(
        body=promised.body,
        made_with=LIBRARIES,
        head=promised.head,
        preprocessing=backbone.preprocessing,
        classes=images.classes,
        backbone=card_of(backbone),
        set_threshold=promised.set_threshold,
        class_set_thresholds=promised.class_set_thresholds,
        tag_thresholds=promised.tag_thresholds,
        out_of_fold=promised.out_of_fold,
        used=len(images.learn),
        fingerprint=images.fingerprint,
        digests=images.own_digests,
        refused=images.table.refused,
        choices=promised.choices,
        seconds={},
        measured_on=MEASURED_ON,
    )


def _backbone(preset: FinetunePreset, options: Options, run: Run) -> tuple[ExportedBackbone, str]:
    name, size = options.backbone or preset.backbone, options.settings.get("size")
    if "+" in name:
        raise OptionError(f"backbone: finetune trains one, got {name!r}; linear-probe takes several")
    if not own_size(preset, options):
        size, reason = preset.size, f"preset {options.preset}: {preset.reason}"
    elif size is None:
        reason = "chosen by hand, at its own size"
    else:
        reason = "size chosen by hand"
    if is_encoder(name) or not find(name).can_learn:
        raise OptionError(
            f"backbone: {name} is a graph that cannot learn; take linear-probe with it, or a name of timm"
        )
    backbone = export(name, size=size, weights=options.weights, progress=run.progress)
    side = backbone.preprocessing.size
    return backbone, f"backbone {backbone.name}, {side} × {side} pixels: {reason}"
