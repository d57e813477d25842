"""`linear-probe`: one forward pass an image, then a linear classifier in closed form on what the network
saw.

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

from fieldguide.backbone_export import ExportedBackbone
from fieldguide.backbone_join import export_joined
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.graph import head_model
from fieldguide.probe import SHRINKAGES, fit_probe
from fieldguide.recipes.common import Fitted, OutOfFold, Setting
from fieldguide.recipes.material import card_of, learn_from, told_shares

SUMMARY = "pretrained network as it is, linear classifier on top: seconds to minutes, the safe choice"
OPTIONS = frozenset({"size", "shrinkage"})
"""`size`: side of the network's input in pixels, instead of the preset's or the backbone's own; `shrinkage`:
of the covariance, more than 0 and less than 1, instead of the best of a few."""
SEARCH: dict[str, dict[str, Any]] = {
    "backbone": {
        "choices": ("efficientnet_lite0", "efficientnet_lite2", "efficientnet_lite0+efficientnet_lite2")
    },
    "size": {"choices": (160, 224, 288, 320)},
    "shrinkage": {"low": 0.2, "high": 0.95},
}
"""What :func:`fieldguide.tune.tune` may vary, by the names of settings and options."""


@dataclass(frozen=True)
class Preset:
    """What a preset means for this recipe."""

    backbone: str
    size: int
    reason: str
    shrinkages: tuple[float, ...] = SHRINKAGES


PRESETS = {
    "fast": Preset("efficientnet_lite0", 144, "half the time for a few points of accuracy", (0.8,)),
    "balanced": Preset("efficientnet_lite0", 288, "one pass of a small network, large enough for detail"),
    "best": Preset(
        "efficientnet_lite0+efficientnet_lite2", 320, "two networks side by side, three times the time"
    ),
}


def fit(dataset: Dataset, setting: Setting) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    setting
        Preset, backbone, seed, cache and progress; the options are :data:`OPTIONS`.

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
    shrinkages = _shrinkages(setting)
    backbone, chosen = _backbone(setting)
    prepared = time.perf_counter()
    learned = learn_from(dataset, backbone, setting)
    extracted = time.perf_counter()
    setting.progress("head", 0, 1)
    table = learned.table()
    probe = fit_probe(table, backbone.depths, setting.seed, shrinkages)
    setting.progress("head", 1, 1)
    return Fitted(
        body=backbone,
        head=head_model(probe.head),
        preprocessing=backbone.preprocessing,
        classes=learned.classes,
        backbone=card_of(backbone),
        set_threshold=probe.set_threshold,
        out_of_fold=OutOfFold(
            learned.features.rows[probe.judged],
            learned.numbers[probe.judged],
            probe.probabilities,
            probe.typicality,
        ),
        used=len(learned.kept),
        fingerprint=learned.fingerprint,
        refused=learned.features.refused,
        side=learned.side(),
        choices=(
            chosen,
            learned.folding,
            *probe.choices,
            told_shares(learned.kept.labels, probe.uses_shares),
        ),
        seconds={
            "backbone": prepared - started,
            "features": extracted - prepared,
            "head": time.perf_counter() - extracted,
        },
    )


def body(setting: Setting) -> ExportedBackbone:
    """The network whose features this recipe learns from, before anything is learned.

    Raises
    ------
    OptionError
        If the preset is unknown, or the size out of range.
    BackboneError
        If the backbone's weights cannot be had.
    """
    return _backbone(setting)[0]


def _preset(setting: Setting) -> Preset:
    if setting.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {setting.preset!r}")
    return PRESETS[setting.preset]


def _shrinkages(setting: Setting) -> tuple[float, ...]:
    chosen = setting.options.get("shrinkage")
    if chosen is None:
        return _preset(setting).shrinkages
    if not 0 < chosen < 1:
        raise OptionError(f"shrinkage: must be more than 0 and less than 1, got {chosen}; 0.8 is usual")
    return (float(chosen),)


def _backbone(setting: Setting) -> tuple[ExportedBackbone, str]:
    preset = _preset(setting)
    side = setting.options.get("size")
    if side is not None:
        if not 32 <= side <= 1024:
            raise OptionError(f"size: must be 32 to 1024 pixels, got {side}; 288 is usual")
        size, reason = int(side), "size chosen by hand"
    elif setting.backbone in (None, preset.backbone) and setting.weights is None:
        size, reason = preset.size, f"preset {setting.preset}: {preset.reason}"
    else:
        size, reason = None, "chosen by hand, at its own size"
    name = setting.backbone or preset.backbone
    backbone = export_joined(name, size=size, weights=setting.weights, progress=setting.progress)
    side = backbone.preprocessing.size
    return backbone, f"backbone {backbone.name}, {side} × {side} pixels: {reason}"
