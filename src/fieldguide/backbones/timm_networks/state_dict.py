"""Reads a file of named tensors and says whether they fit a network.

Nothing is ever unpickled: files are safetensors, or torch's format read with ``weights_only=True``.
"""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from fieldguide.errors import BackboneError

TORCH_SUFFIXES = (".pth", ".pt", ".bin")


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
