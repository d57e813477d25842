"""How `finetune` sets its dials: presets, and what follows from the size of the images."""

import math
from dataclasses import dataclass, replace

from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.recipes.common import Setting
from fieldguide.recipes.finetune_task import BATCH
from fieldguide.recipes.learned import shorter_sides


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
    rate: float = 1e-3
    """Of the network's last layer, at its highest, for 32 images a step."""
    layer_decay: float = 0.9
    """The rate of each layer is so many times that of the layer above it."""
    head_rate: float = 0.3
    """Of the classifier, as a share of that: it has thousands of inputs and starts at a solution."""
    augmentation: str = "medium"


PRESETS = {
    "fast": Preset("efficientnet_lite0", 224, 0.3, 6, 2, "the last layers only"),
    "balanced": Preset("efficientnet_lite0", 288, 0.4, 10, 4, "the last layers, of larger photos"),
    "best": Preset("efficientnet_lite0", 288, 1.0, 16, 0, "all layers, at several times the time"),
}

SMALLEST, STEP = 96, 32
"""Pixels of small images' networks: at least, and in steps of."""
ENLARGED = 1.25
"""A small image's network is so many times its shorter side."""
SMALL = 0.6
"""Images are small if that gives at most this share of the preset's pixels a side."""
MORE = 1.6
"""Small images are passed over so many times as often as others."""

FEWEST_STEPS, MOST_PASSES = 150, 40
"""In all, where so many passes can take them."""
FEWEST_VARIANTS = 2000
"""Of all images together."""


def preset_of(dataset: Dataset, setting: Setting) -> Preset:
    """Settle what learns, how large and how long, from the preset, what was chosen by hand, and the images.

    Raises
    ------
    OptionError
        If the preset is unknown, or the share of layers out of range.
    """
    if setting.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {setting.preset!r}")
    preset = PRESETS[setting.preset]
    if not own_size(preset, setting):
        preset = _for_small(preset, dataset)
    preset = _for_few(preset, len(dataset))
    layers = float(setting.options.get("layers") or preset.layers)
    if not 0 < layers <= 1:
        raise OptionError(f"layers: must be more than 0 and at most 1, got {layers:g}; 0.4 is usual")
    rate = float(setting.options.get("learning_rate") or preset.rate)
    return replace(preset, layers=layers, rate=rate)


def own_size(preset: Preset, setting: Setting) -> bool:
    """Whether the size, or another backbone with a size of its own, was chosen by hand."""
    other = setting.backbone not in (None, preset.backbone) or setting.weights is not None
    return other or setting.options.get("size") is not None


def _for_small(preset: Preset, dataset: Dataset) -> Preset:
    """Small images are not blown up; for the price of the last layers of large ones all layers learn."""
    sides = shorter_sides(dataset.paths) or [preset.size]
    side = sides[len(sides) // 2]
    size = max(SMALLEST, STEP * round(ENLARGED * side / STEP))
    if size > SMALL * preset.size:
        return preset
    reason = f"for images whose shorter side is usually {side}"
    epochs = round(MORE * preset.epochs)
    # Their first layers have most to learn: what they came with was learned from larger things.
    return replace(
        Preset(preset.backbone, size, 1.0, epochs, 0, reason),
        layer_decay=1.0,
        head_rate=1.0,
        augmentation="light",
    )


def _for_few(preset: Preset, images: int) -> Preset:
    """Few images are passed over more often, in more variants: else training ends before it has begun."""
    steps = max(1, images // BATCH)
    epochs = max(preset.epochs, min(MOST_PASSES, math.ceil(FEWEST_STEPS / steps)))
    variants = max(preset.variants, min(epochs, FEWEST_VARIANTS // max(images, 1)))
    return replace(preset, epochs=epochs, variants=variants if preset.variants else 0)
