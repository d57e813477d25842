"""Reads files of pretrained weights, name by name, without torch and without unpickling anything."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize, safe_open

from fieldguide.backbones.plain.keras_file import read_keras
from fieldguide.backbones.plain.state_pickle import BFLOAT16
from fieldguide.backbones.plain.torch_file import numbers_of, read_torch
from fieldguide.errors import BackboneError

State = dict[str, NDArray[Any]]


def read_weights(path: Path) -> State:
    """Read a file of named tensors.

    Parameters
    ----------
    path
        A file ending in ``.safetensors``; in ``.pth``, ``.pt`` or ``.bin`` (torch's state dicts, in either of
        its layouts); in ``.h5``, ``.weights.h5`` or ``.keras`` (Keras's, which need the package h5py).

    Returns
    -------
    dict of str to ndarray
        In the order of the file. Floating-point numbers of any width become float32. Tensors of Keras are
        named ``layer.kernel``, ``layer.bias``, ``layer.gamma``, ``layer.beta``, ``layer.moving_mean`` and
        ``layer.moving_variance`` and keep their order of axes.

    Raises
    ------
    BackboneError
        If the file is missing, of another kind, damaged, or holds anything but tensors.
    """
    if not path.is_file():
        raise BackboneError(f"{path}: no such weights file")
    reader = _READERS.get(path.suffix)
    if reader is None:
        allowed = ", ".join(_READERS)
        raise BackboneError(
            f"{path}: a weights file ends in one of {allowed}, got {path.suffix or 'no suffix'}"
        )
    state = reader(path)
    if not state:
        raise BackboneError(f"{path}: holds no tensors")
    return {name: _plain(values) for name, values in state.items()}


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore"):  # what becomes infinite is refused where it is used
        return values.astype(np.float32, copy=False) if values.dtype.kind == "f" else values


def _read_safetensors(path: Path) -> State:
    try:
        with safe_open(path, framework="numpy") as file:
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            for name, kind in kinds.items():
                if kind not in _KINDS:
                    raise BackboneError(
                        f"{path}: tensor {name} is {kind}, allowed are {', '.join(_KINDS)}; convert it"
                    )
            if BFLOAT16 not in (_KINDS[kind] for kind in kinds.values()):
                return {name: file.get_tensor(name) for name in kinds}
        unpack: Callable[[bytes], list[tuple[str, Mapping[str, Any]]]] = deserialize
        return {name: _unpacked(tensor) for name, tensor in unpack(path.read_bytes())}
    except (SafetensorError, OSError) as error:
        raise BackboneError(f"{path}: is not a readable safetensors file ({error})") from error


def _unpacked(tensor: Mapping[str, Any]) -> NDArray[Any]:
    """A tensor of a file with numbers that numpy has no type for."""
    return numbers_of(bytes(tensor["data"]), _KINDS[tensor["dtype"]]).reshape(tensor["shape"])


_KINDS = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": BFLOAT16, "I64": "<i8"}
"""safetensors' names of elements → numpy's."""


_READERS: dict[str, Callable[[Path], State]] = {
    ".safetensors": _read_safetensors,
    ".pth": read_torch,
    ".pt": read_torch,
    ".bin": read_torch,
    ".h5": read_keras,
    ".keras": read_keras,
}
