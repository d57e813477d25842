"""The tensors of a model file: as many bytes as their shape says, and no weight that is not a number."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.modelfile.wire_format import Message, Unacceptable, fixed, integers

_TYPES: dict[int, tuple[str, str]] = {
    1: ("<f4", "float_data"),
    2: ("u1", "int32_data"),
    3: ("i1", "int32_data"),
    4: ("<u2", "int32_data"),
    5: ("<i2", "int32_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("?", "int32_data"),
    10: ("<f2", "int32_data"),
    11: ("<f8", "double_data"),
    12: ("<u4", "uint64_data"),
    13: ("<u8", "uint64_data"),
}
"""ONNX's number of an element type → numpy's name, and the field that may hold its values."""

_DATA_FIELDS = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")
_CHUNK = 1 << 20


def check_tensor(tensor: Message) -> None:
    """Refuse a tensor whose data are elsewhere, of another length than its shape, or not numbers.

    Infinity is allowed in a tensor of one element: networks pad and clip with it.
    """
    name = name_of(tensor)
    if tensor.get("data_location", 0) != 0:
        raise Unacceptable(f"the tensor {name} is kept in another file (external data)")
    dims = integers(tensor["dims"])
    if tensor.get("data_type") not in _TYPES:
        raise Unacceptable(
            f"the tensor {name} has element type {tensor.get('data_type')}, which is not allowed"
        )
    if any(side < 0 for side in dims):
        raise Unacceptable(f"the tensor {name} has a negative side")
    values = tensor_values(tensor)
    if values.size != math.prod(dims):
        raise Unacceptable(f"the tensor {name} holds {values.size} values, its shape {dims} says otherwise")
    if values.dtype.kind == "f" and not _finite(values):
        raise Unacceptable(f"the tensor {name} holds values that are not finite numbers")


def tensor_values(tensor: Message) -> NDArray[Any]:
    """The values in one dimension; of raw data a view, not a copy."""
    name = name_of(tensor)
    kind, home = _TYPES[tensor["data_type"]]
    used = [field for field in _DATA_FIELDS if tensor[field]]
    raw = tensor.get("raw_data")
    if len(used) + (raw is not None and len(raw) > 0) > 1 or any(field != home for field in used):
        raise Unacceptable(f"the tensor {name} keeps its data in more than one place or in the wrong one")
    if raw is not None and not used:
        return _from_raw(raw, kind, name)
    if home in ("float_data", "double_data"):
        return np.frombuffer(fixed(tensor[home], home.removesuffix("_data")), kind)
    return _from_integers(integers(tensor[home]), kind, name)


def name_of(message: Message) -> str:
    """A name from the file, made short and plain for a sentence."""
    text = bytes(message.get("name", b"")).decode("utf-8", "replace")
    return repr(text if len(text) <= 60 else text[:60] + "…")


def _from_raw(raw: memoryview, kind: str, name: str) -> NDArray[Any]:
    if len(raw) % np.dtype(kind).itemsize:
        raise Unacceptable(f"the tensor {name} ends within a value")
    return np.frombuffer(raw, kind)


def _from_integers(numbers: list[int], kind: str, name: str) -> NDArray[Any]:
    if kind == "<f2":  # stored as the bit pattern
        return _from_integers(numbers, "<u2", name).view("<f2")
    if kind == "<u8":
        numbers = [number % 2**64 for number in numbers]
    try:
        return np.array(numbers, dtype=np.int64 if kind == "?" else kind)
    except OverflowError as error:
        raise Unacceptable(f"the tensor {name} holds a value that its type does not") from error


def _finite(values: NDArray[Any]) -> bool:
    if values.size == 1:
        return not np.isnan(values[0])
    return all(bool(np.isfinite(values[at : at + _CHUNK]).all()) for at in range(0, values.size, _CHUNK))
