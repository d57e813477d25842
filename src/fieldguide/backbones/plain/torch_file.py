"""Reads torch's files of weights, in the zip layout and in the older one, without torch.

The zip layout (torch 1.6 and later) holds a pickle, ``data.pkl``, that says what there is, and a member for
each storage. The older one is five pickles one after the other (a magic number, a version, facts on the
machine, what there is, the keys of the storages), then the storages, each after its number of elements.
"""

import io
import math
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.plain.state_pickle import (
    BFLOAT16,
    Damaged,
    NotTensors,
    Pickled,
    StoredTensor,
    itemsize,
    read_pickle,
)
from fieldguide.errors import BackboneError

_ZIP = b"PK\x03\x04"
_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
Arrays = dict[str, NDArray[Any]]

WRAPPERS = ("state_dict", "model")
"""Under which training scripts put the weights among other things."""


def read_torch(path: Path) -> Arrays:
    """Read a state dict.

    Returns
    -------
    dict of str to ndarray
        In the order of the file; bfloat16 as float32, other elements as they are.

    Raises
    ------
    BackboneError
        If the file holds anything but tensors, is damaged, or says more than it holds.
    """
    try:
        with path.open("rb") as file:
            in_zip = file.read(len(_ZIP)) == _ZIP
            file.seek(0)
            return (_read_zip if in_zip else _read_old)(file, path)
    except NotTensors as reason:
        raise BackboneError(
            f"{path}: holds objects other than tensors ({reason}), which are never loaded; "
            "save it as .safetensors"
        ) from reason
    except Damaged as reason:
        raise BackboneError(f"{path}: is not a readable torch weights file ({reason})") from reason
    except (OSError, zipfile.BadZipFile, ValueError, EOFError, RuntimeError, struct.error) as error:
        raise BackboneError(
            f"{path}: is not a readable torch weights file ({type(error).__name__})"
        ) from error


def _read_zip(file: IO[bytes], path: Path) -> Arrays:
    with zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        folder = next(iter(members), "").partition("/")[0]
        # Members are not compressed: together they fit into the file, unless they overlap or lie.
        if sum(info.file_size for info in members.values()) > path.stat().st_size:
            raise Damaged("its members are larger than the file")
        if f"{folder}/constants.pkl" in members:
            raise NotTensors("a TorchScript program")

        def content(name: str) -> bytes:
            info = members.get(f"{folder}/{name}")
            if info is None:
                raise Damaged(f"its member {name} is missing")
            if info.compress_type != zipfile.ZIP_STORED:
                raise Damaged(f"its member {name} is compressed")
            return archive.read(info)

        if f"{folder}/byteorder" in members and content("byteorder") != b"little":
            raise Damaged("its numbers are not in little-endian order")
        tensors = _tensors(read_pickle(io.BytesIO(content("data.pkl"))), path)
        storages = {key: content(f"data/{key}") for key in _keys(tensors)}
    return _arrays(tensors, storages, path.stat().st_size)


def _read_old(file: IO[bytes], path: Path) -> Arrays:
    size = path.stat().st_size
    if [read_pickle(file).value, read_pickle(file).value] != [_MAGIC, _VERSION]:
        raise Damaged("it does not begin with torch's number")
    facts = read_pickle(file).value
    if not isinstance(facts, dict) or facts.get("little_endian") is not True:
        raise Damaged("its numbers are not in little-endian order")
    pickled = read_pickle(file)
    tensors, order = _tensors(pickled, path), read_pickle(file).value
    # Nothing is made text here: lists within lists that share their parts would fill the memory.
    named = isinstance(order, list) and all(isinstance(key, str) for key in order)
    if not named or sorted(order) != sorted(pickled.storages):
        raise Damaged("its list of storages is another than its tensors have")
    wanted, storages = _keys(tensors), {}
    for key in order:
        (elements,) = struct.unpack("<q", file.read(8))
        length = elements * itemsize(pickled.storages[key].kind)
        if elements != pickled.storages[key].elements or length > size - file.tell():
            raise Damaged(f"its storage {key!r} is shorter or longer than it says")
        if key in wanted:
            storages[key] = file.read(length)
        else:
            file.seek(length, io.SEEK_CUR)
    return _arrays(tensors, storages, size)


def _tensors(pickled: Pickled, path: Path) -> dict[str, StoredTensor]:
    """The mapping from names to tensors that a file holds, bare or among other things."""
    state = pickled.value
    for wrapper in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    named = isinstance(state, dict) and state and all(isinstance(name, str) for name in state)
    if not named or not all(isinstance(value, StoredTensor) for value in state.values()):
        raise BackboneError(
            f"{path}: must hold one mapping from names to tensors, as the hub's files do; save the network's "
            "state dict alone"
        )
    tensors: dict[str, StoredTensor] = state
    return tensors


def _keys(tensors: Mapping[str, StoredTensor]) -> dict[str, None]:
    return {tensor.storage.key: None for tensor in tensors.values()}


def _arrays(tensors: Mapping[str, StoredTensor], storages: Mapping[str, bytes], size: int) -> Arrays:
    # Every number takes at least a byte, so only views of views can be more than the file is long.
    if sum(math.prod(tensor.shape) for tensor in tensors.values()) > size:
        raise Damaged("its tensors hold more numbers than it is long")
    numbers: dict[str, NDArray[Any]] = {}
    for storage in {tensor.storage for tensor in tensors.values()}:
        if len(storages[storage.key]) != storage.elements * itemsize(storage.kind):
            raise Damaged(f"its storage {storage.key!r} is shorter or longer than it says")
        numbers[storage.key] = numbers_of(storages[storage.key], storage.kind)
    return {name: _view(numbers[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def numbers_of(content: bytes, kind: str) -> NDArray[Any]:
    """Bytes as numbers in one dimension: of a type of numpy's, or bfloat16, which becomes float32."""
    if kind != BFLOAT16:
        return np.frombuffer(content, kind)
    # bfloat16 is the upper half of a float32.
    return (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")


def _view(numbers: NDArray[Any], tensor: StoredTensor) -> NDArray[Any]:
    """No tensor reaches beyond its storage: the reader of the pickle has seen to that."""
    steps = tuple(stride * numbers.itemsize for stride in tensor.strides)
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps, writeable=False)
