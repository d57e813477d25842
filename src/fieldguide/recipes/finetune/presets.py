"""How `finetune` sets its dials: presets, and what follows from the size of the images."""

import math
from dataclasses import dataclass, replace
from typing import Any

from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.recipes.common import Options, number_option
from fieldguide.recipes.finetune.task import RATED_BATCH
from fieldguide.recipes.networks.images import shorter_sides


@dataclass(frozen=True)
class FinetunePreset:
    """What a preset means for this recipe."""

    backbone: str
    size: int
    layers: float | None
    """Share of the network that learns; None: as much as there is time for."""
    epochs: int
    """Passes, at most."""
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
    batch_norm: float = 0.0
    """Share of the photos' own statistics in those of batch normalisation; 0: the pretrained ones."""


PRESETS = {
    "fast": FinetunePreset("efficientnet_lite0", 224, None, 6, 2, "smaller photos"),
    "balanced": FinetunePreset("efficientnet_lite0", 288, None, 12, 4, "larger photos"),
    "best": FinetunePreset("efficientnet_lite0", 288, None, 20, 4, "larger photos, more passes"),
}

SMALLEST, STEP = 96, 32
"""Pixels of small images' networks: at least, and in steps of."""
ENLARGED = 1.25
"""A small image's network is so many times its shorter side."""
SMALL = 0.6
"""Images are small if that gives at most this share of the preset's pixels a side."""
MORE = 1.6
"""Small images are passed over so many times as often as others."""

MOST_HEAD_RATE = 100.0

FEWEST_STEPS, MOST_PASSES = 150, 40
"""In all, where so many passes can take them."""
FEWEST_VARIANTS = 2000
"""Of all images together."""


def preset_of(dataset: Dataset, options: Options) -> FinetunePreset:
    """Settle what learns, how large and how long, from the preset, what was chosen by hand, and the images.

    Raises
    ------
    OptionError
        If the preset is unknown, or a number out of its range.
    """
    if options.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {options.preset!r}")
    preset = PRESETS[options.preset]
    if not own_size(preset, options):
        preset = _for_small(preset, dataset)
    preset = _for_few(preset, len(dataset))
    layers = number_option(options, "layers", least=0.0, most=1.0)
    rate = float(options.settings.get("learning_rate") or preset.rate)
    own = replace(preset, layers=preset.layers if layers is None else layers, rate=rate)
    return replace(own, **_by_hand(options))


def _by_hand(options: Options) -> dict[str, Any]:
    """Rates and statistics that a person gave."""
    given = {
        "layer_decay": number_option(options, "layer_decay", least=0.0, most=1.0),
        "head_rate": number_option(options, "head_rate", least=0.0, most=MOST_HEAD_RATE),
        "batch_norm": number_option(options, "batch_norm", least=0.0, most=1.0, least_is_allowed=True),
    }
    return {name: value for name, value in given.items() if value is not None}


def own_size(preset: FinetunePreset, options: Options) -> bool:
    """Whether the size, or another backbone with a size of its own, was chosen by hand."""
    other = options.backbone not in (None, preset.backbone) or options.weights is not None
    return other or options.settings.get("size") is not None


def _for_small(preset: FinetunePreset, dataset: Dataset) -> FinetunePreset:
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
        FinetunePreset(preset.backbone, size, 1.0, epochs, 0, reason),
        layer_decay=1.0,
        head_rate=1.0,
        augmentation="light",
    )


def _for_few(preset: FinetunePreset, images: int) -> FinetunePreset:
    """Few images are passed over more often, in more variants: else training ends before it has begun."""
    steps = max(1, images // RATED_BATCH)
    epochs = max(preset.epochs, min(MOST_PASSES, math.ceil(FEWEST_STEPS / steps)))
    variants = max(preset.variants, min(epochs, FEWEST_VARIANTS // max(images, 1)))
    return replace(preset, epochs=epochs, variants=variants if preset.variants else 0)
