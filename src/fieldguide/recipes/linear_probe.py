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

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbone_export import ExportedBackbone
from fieldguide.backbone_join import export_joined
from fieldguide.dataset import Dataset
from fieldguide.discriminant import Table
from fieldguide.errors import DataError, OptionError
from fieldguide.features import Features, extract
from fieldguide.graph import head_model
from fieldguide.probe import SHRINKAGES, fit_probe
from fieldguide.recipes.common import Fitted, OutOfFold, Setting
from fieldguide.splits import duplicate_groups, fold_groups

SUMMARY = "pretrained network as it is, linear classifier on top: seconds to minutes, the safe choice"
OPTIONS: frozenset[str] = frozenset()

FOLDS = 5
FOLDS_OF_MANY = 3
MANY = 20_000


@dataclass(frozen=True)
class Preset:
    """What a preset means for this recipe."""

    backbone: str
    size: int
    reason: str
    shrinkages: tuple[float, ...] = SHRINKAGES


PRESETS = {
    "fast": Preset("efficientnet_lite0", 160, "half the time for a few points of accuracy", (0.8,)),
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
        Preset, backbone, seed, cache and progress.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    OptionError
        If the preset is unknown.
    BackboneError
        If the backbone's weights cannot be had.
    """
    started = time.perf_counter()
    backbone, chosen = _backbone(setting)
    prepared = time.perf_counter()
    features = extract(dataset.paths, backbone, cache=setting.cache, progress=setting.progress)
    extracted = time.perf_counter()
    setting.progress("head", 0, 1)
    kept = dataset.take(features.rows)
    classes = _classes(kept, features)
    folds, folding = _folds(kept, features, setting.seed)
    numbers = np.searchsorted(np.array(classes), np.array(kept.labels)).astype(np.int64)
    probe = fit_probe(
        Table.of(features.vectors, numbers, folds),
        backbone.depths,
        setting.seed,
        PRESETS[setting.preset].shrinkages,
    )
    setting.progress("head", 1, 1)
    return Fitted(
        body=backbone,
        head=head_model(probe.head),
        preprocessing=backbone.preprocessing,
        classes=classes,
        backbone=_card(backbone),
        set_threshold=probe.set_threshold,
        out_of_fold=OutOfFold(
            features.rows[probe.judged], numbers[probe.judged], probe.probabilities, probe.typicality
        ),
        used=len(kept),
        fingerprint=_fingerprint(features.digests, kept.labels),
        refused=features.refused,
        choices=(chosen, folding, *probe.choices, _shares(kept.labels, probe.uses_shares)),
        seconds={
            "backbone": prepared - started,
            "features": extracted - prepared,
            "head": time.perf_counter() - extracted,
        },
    )


def _backbone(setting: Setting) -> tuple[ExportedBackbone, str]:
    if setting.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {setting.preset!r}")
    preset = PRESETS[setting.preset]
    if setting.backbone in (None, preset.backbone) and setting.weights is None:
        size, reason = preset.size, f"preset {setting.preset}: {preset.reason}"
    else:
        size, reason = None, "chosen by hand, at its own size"
    name = setting.backbone or preset.backbone
    backbone = export_joined(name, size=size, weights=setting.weights, progress=setting.progress)
    side = backbone.preprocessing.size
    return backbone, f"backbone {backbone.name}, {side} × {side} pixels: {reason}"


def _classes(kept: Dataset, features: Features) -> tuple[str, ...]:
    if len(kept.classes) < 2:
        raise DataError(
            f"{kept.root}: need images of two classes that can be read, got {len(kept)} images of "
            f"{len(kept.classes)} after {len(features.refused)} were refused; look at the refusals"
        )
    return kept.classes


def _folds(kept: Dataset, features: Features, seed: int) -> tuple[NDArray[np.int64], str]:
    """Deal images into folds so that near-duplicates and groups stay together."""
    groups = duplicate_groups(len(kept), features.digests, features.signatures, kept.groups)
    separate = int(groups.max()) + 1
    most = FOLDS if len(kept) <= MANY else FOLDS_OF_MANY
    shared = Counter(label for _, label in set(zip(groups.tolist(), kept.labels, strict=True)))
    if max(shared.values()) < 2:
        raise DataError(
            f"{kept.root}: no class has two separate photos, so nothing can be held out to measure by; "
            "add photos (duplicates and images of one group count once)"
        )
    folds = fold_groups(kept.labels, groups, min(most, separate), seed)
    twins = len(kept) - separate
    kept_together = f"; {twins} near-duplicates or group members kept on one side" if twins else ""
    return folds, f"{folds.max() + 1}-fold cross-validation inside the training images{kept_together}"


def _shares(labels: Sequence[str], used: bool) -> str:
    counts = Counter(labels).most_common()
    (most, many), (least, few) = counts[0], counts[-1]
    if many <= 1.5 * few:
        return "class shares: nearly equal, no class is favoured"
    how = "expect the shares of the training images"
    if not used:
        how = "do not expect these shares, since with them more out-of-fold answers were wrong"
    return (
        f"class shares: unequal ({most!r} {many}, {least!r} {few}); every class counts the same when the "
        f"classifier is fitted, and probabilities {how}"
    )


def _fingerprint(digests: Sequence[str], labels: Sequence[str]) -> str:
    lines = sorted(f"{digest} {label}" for digest, label in zip(digests, labels, strict=True))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _card(backbone: ExportedBackbone) -> dict[str, str]:
    return {
        "name": backbone.name,
        "licence": backbone.licence,
        "source": backbone.source,
        "digest": backbone.digest,
    }
