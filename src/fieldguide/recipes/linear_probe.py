"""`linear-probe`: one forward pass an image, then a linear classifier in closed form.

The dial is the preset; it sets the backbone and the input size, everything else follows from the data:

    photos → features of several depths (mean and largest value of each map)
           → groups of near-duplicates → folds that keep groups together
           → shrinkage by cross-validation → out-of-fold scores
           → temperature, prediction-set threshold and reference distances from these
           → head fitted to all images

The price is one pass of decoding and of the network; the head adds less than half of that.
"""

import time
from dataclasses import dataclass
from typing import Any

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.side_by_side import export_joined
from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.heads.linear_head import SHRINKAGES, fit_probe
from fieldguide.heads.tag_probe import fit_tag_probe
from fieldguide.modelfile.graph import head_model
from fieldguide.recipes.common import Fitted, LearnedHead, Options, OutOfFold, Run
from fieldguide.recipes.labelled_features import LabelledFeatures, card_of, learn_from, shares_summary
from fieldguide.recipes.tagged_features import TaggedFeatures, learn_tags_from, tags_summary
from fieldguide.tasks.task import EITHER, Task

SUMMARY = "pretrained network as it is, linear classifier on top: seconds to minutes, the safe choice"
OPTIONS = frozenset({"size", "shrinkage"})
"""`size`: side of the network's input in pixels, instead of the preset's or the backbone's own; `shrinkage`:
of the covariance, more than 0 and less than 1, instead of the best of a few."""
TASKS = EITHER
"""What it learns: one label a photo, or any number of tags."""
SEARCH: dict[str, dict[str, Any]] = {
    "backbone": {
        "choices": ("efficientnet_lite0", "efficientnet_lite2", "efficientnet_lite0+efficientnet_lite2")
    },
    "size": {"choices": (160, 224, 288, 320)},
    "shrinkage": {"low": 0.2, "high": 0.95},
}
"""What :func:`fieldguide.experiments.tune.tune` may vary, by the names of options and settings."""


@dataclass(frozen=True)
class LinearProbePreset:
    """What a preset means for this recipe."""

    backbone: str
    size: int
    reason: str
    shrinkages: tuple[float, ...] = SHRINKAGES


PRESETS = {
    "fast": LinearProbePreset(
        "efficientnet_lite0", 144, "half the time for a few points of accuracy", (0.8,)
    ),
    "balanced": LinearProbePreset(
        "efficientnet_lite0", 288, "one pass of a small network, large enough for detail"
    ),
    "best": LinearProbePreset(
        "efficientnet_lite0+efficientnet_lite2", 320, "two networks side by side, three times the time"
    ),
}


def fit(dataset: Dataset, options: Options, run: Run) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    options
        Preset, backbone and seed; the settings are :data:`OPTIONS`.
    run
        Cache and progress.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    OptionError
        If the preset is unknown, or an option out of range.
    BackboneError
        If the backbone's weights cannot be had.
    """
    started = time.perf_counter()
    shrinkages = _shrinkages(options)
    backbone, chosen = _backbone(options, run)
    prepared = time.perf_counter()
    learn = learn_tags_from if dataset.task is Task.MULTIPLE else learn_from
    learned = learn(dataset, backbone, options, run)
    extracted = time.perf_counter()
    run.progress("head", 0, 1)
    found = _head(learned, backbone, options.seed, shrinkages)
    run.progress("head", 1, 1)
    return Fitted(
        body=backbone,
        head=found.head,
        preprocessing=backbone.preprocessing,
        classes=learned.classes,
        backbone=card_of(backbone),
        set_threshold=found.set_threshold,
        class_set_thresholds=found.class_set_thresholds,
        tag_thresholds=found.tag_thresholds,
        out_of_fold=found.out_of_fold,
        used=len(learned.kept),
        fingerprint=learned.fingerprint,
        digests=learned.features.digests,
        refused=learned.features.refused,
        side=learned.side(),
        made_with=backbone.made_with,
        choices=(chosen, learned.folding, *found.choices),
        seconds={
            "backbone": prepared - started,
            "features": extracted - prepared,
            "head": time.perf_counter() - extracted,
        },
    )


def _head(
    learned: LabelledFeatures | TaggedFeatures,
    backbone: ExportedBackbone,
    seed: int,
    shrinkages: tuple[float, ...],
) -> LearnedHead:
    if isinstance(learned, TaggedFeatures):
        return _tag_head(learned, backbone, seed, shrinkages)
    probe = fit_probe(learned.table(), backbone.depths, seed, shrinkages)
    promises = probe.promises
    rows, truth = learned.features.rows[probe.judged], learned.numbers[probe.judged]
    return LearnedHead(
        head_model(probe.head, ranking=probe.ranking),
        promises.set_threshold,
        OutOfFold(rows, truth, promises.probabilities, promises.typicality),
        (*probe.choices, shares_summary(learned.kept.labels, promises.uses_shares)),
        class_set_thresholds=promises.class_thresholds,
    )


def _tag_head(
    learned: TaggedFeatures, backbone: ExportedBackbone, seed: int, shrinkages: tuple[float, ...]
) -> LearnedHead:
    probe = fit_tag_probe(learned.table(), backbone.depths, seed, shrinkages)
    promises = probe.promises
    rows, truth = learned.features.rows[probe.judged], learned.tags[probe.judged]
    return LearnedHead(
        head_model(probe.head, Task.MULTIPLE),
        promises.set_threshold,
        OutOfFold(rows, truth, promises.probabilities, promises.typicality),
        (*probe.choices, tags_summary(learned.tags, learned.classes)),
        promises.thresholds,
    )


def body(options: Options, run: Run) -> ExportedBackbone:
    """The network whose features this recipe learns from, before anything is learned.

    Raises
    ------
    OptionError
        If the preset is unknown, or the size out of range.
    BackboneError
        If the backbone's weights cannot be had.
    """
    return _backbone(options, run)[0]


def _preset(options: Options) -> LinearProbePreset:
    if options.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {options.preset!r}")
    return PRESETS[options.preset]


def _shrinkages(options: Options) -> tuple[float, ...]:
    chosen = options.settings.get("shrinkage")
    if chosen is None:
        return _preset(options).shrinkages
    if not 0 < chosen < 1:
        raise OptionError(f"shrinkage: must be more than 0 and less than 1, got {chosen}; 0.8 is usual")
    return (float(chosen),)


def _backbone(options: Options, run: Run) -> tuple[ExportedBackbone, str]:
    preset = _preset(options)
    side = options.settings.get("size")
    if side is not None:
        if not 32 <= side <= 1024:
            raise OptionError(f"size: must be 32 to 1024 pixels, got {side}; 288 is usual")
        size, reason = int(side), "size chosen by hand"
    elif options.backbone in (None, preset.backbone) and options.weights is None:
        size, reason = preset.size, f"preset {options.preset}: {preset.reason}"
    else:
        size, reason = None, "chosen by hand, at its own size"
    name = options.backbone or preset.backbone
    backbone = run.body or export_joined(name, size=size, weights=options.weights, progress=run.progress)
    side = backbone.preprocessing.size
    return backbone, f"backbone {backbone.name}, {side} × {side} pixels: {reason}"
