"""Tensors of the Open Inference Protocol: from a request's to images, from rows to an answer's.

A body is JSON alone, or JSON of the length that `Inference-Header-Content-Length` states and then the bytes
of the tensors in order. In binary, BYTES elements are each preceded by their length, 32 bits, little-endian.
"""

import math
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.prediction.predictor import ImageSource
from fieldguide.server.batching import OutputRow
from fieldguide.server.bodies import checked, from_base64
from fieldguide.server.inference_protocol.schemas import OUTPUTS, InferRequest, InputTensor
from fieldguide.server.problems import Problem, encoded

LENGTH_HEADER = "Inference-Header-Content-Length"
MOST_ITEMS = 2_000_000
"""Numbers and lists in JSON: ten images of 224 by 224 pixels. Each takes ten times its digits in memory."""
WEIGHT_OF_JSON = 25
"""What a byte of JSON numbers costs, measured in bytes of files."""


def request_in(body: bytes, json_length: str | None, most: int) -> tuple[InferRequest, list[ImageSource]]:
    """Take a body apart.

    Parameters
    ----------
    body
        All of it.
    json_length
        The header `Inference-Header-Content-Length`; None where all is JSON.
    most
        Images that one request may have.

    Raises
    ------
    Problem
        ``malformed``.
    """
    if json_length is None:
        split = len(body)
    elif json_length.isascii() and json_length.isdigit() and int(json_length[:12]) <= len(body):
        split = int(json_length[:12])
    else:
        raise Problem("malformed", f"the {LENGTH_HEADER} header must be a number of bytes of the body")
    request = checked(InferRequest, body[:split], MOST_ITEMS)
    return request, _images(request.inputs[0], body[split:], most)


def answer_of(
    request: InferRequest, rows: list[OutputRow], labels: Callable[[OutputRow], str], model: tuple[str, str]
) -> tuple[bytes, int | None]:
    """Write an answer.

    Parameters
    ----------
    request
        Says which outputs are wanted, and how.
    rows
        One an image.
    labels
        Gives the label of a row.
    model
        Name and version.

    Returns
    -------
    tuple
        The body, and the length of its JSON where binary tensors follow.
    """
    outputs, binary = [], []
    for name, is_binary in _wanted(request):
        datatype, values = _values(name, rows, labels)
        output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(_shape(values))}
        if is_binary:
            binary.append(_as_bytes(values))
            output["parameters"] = {"binary_data_size": len(binary[-1])}
        else:
            output["data"] = values if isinstance(values, list) else values.ravel().tolist()
        outputs.append(output)
    whole: dict[str, Any] = {"model_name": model[0], "model_version": model[1], "outputs": outputs}
    if request.id is not None:
        whole["id"] = request.id
    head = encoded(whole)
    return head + b"".join(binary), len(head) if binary else None


def _wanted(request: InferRequest) -> Iterator[tuple[str, bool]]:
    """Names of outputs, and whether they are wanted in binary."""
    everywhere = bool(request.parameters and request.parameters.binary_data_output)
    if not request.outputs:
        yield from ((name, everywhere) for name in OUTPUTS)
        return
    for output in request.outputs:
        own = output.parameters.binary_data if output.parameters else None
        yield output.name, everywhere if own is None else own


def _values(
    name: str, rows: list[OutputRow], labels: Callable[[OutputRow], str]
) -> tuple[str, NDArray[np.float32] | list[str]]:
    if name == "label":
        return "BYTES", [labels(row) for row in rows]
    return "FP32", np.stack([getattr(row, name) for row in rows]).astype("<f4", copy=False)


def _shape(values: NDArray[np.float32] | list[str]) -> tuple[int, ...]:
    return (len(values),) if isinstance(values, list) else values.shape


def _as_bytes(values: NDArray[np.float32] | list[str]) -> bytes:
    if not isinstance(values, list):
        return values.tobytes()
    texts = [text.encode("utf-8", "surrogateescape") for text in values]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def _images(tensor: InputTensor, binary: bytes, most: int) -> list[ImageSource]:
    if not 1 <= tensor.shape[0] <= most:
        raise Problem("malformed", f"a request has 1 to {most} images; its shape says {tensor.shape[0]}")
    size = tensor.parameters.binary_data_size if tensor.parameters else None
    if (size is None) == (tensor.data is None):
        raise Problem("malformed", "a tensor has either data or the parameter binary_data_size")
    if len(binary) != (size or 0):
        raise Problem(
            "malformed", f"{len(binary)} bytes follow the JSON, but the tensor says that it has {size or 0}"
        )
    if tensor.datatype == "BYTES":
        return _files(tensor, binary if tensor.data is None else None)
    return _pixels(tensor, binary if tensor.data is None else None)


def _files(tensor: InputTensor, binary: bytes | None) -> list[ImageSource]:
    count = tensor.shape[0]
    if len(tensor.shape) != 1:
        raise Problem("malformed", f"image files are BYTES of shape [n]; got {tensor.shape}")
    if binary is not None:
        files = list(_elements(binary, count))
    else:
        texts = tensor.data or []
        if not all(isinstance(text, str) for text in texts):
            raise Problem("malformed", "image files in JSON are texts, each an image in base64")
        files = [from_base64(text, f"inputs.0.data.{place}") for place, text in enumerate(texts)]
    if len(files) != count:
        raise Problem("malformed", f"the shape says {count} images, and there are {len(files)}")
    return list(files)


def _elements(binary: bytes, most: int) -> Iterator[bytes]:
    place = 0
    for _ in range(most + 1):
        if place == len(binary):
            return
        if place + 4 > len(binary):
            break
        (length,) = struct.unpack_from("<I", binary, place)
        if place + 4 + length > len(binary):
            break
        yield binary[place + 4 : place + 4 + length]
        place += 4 + length
    raise Problem("malformed", "the lengths inside the BYTES tensor do not add up to its size and shape")


def _pixels(tensor: InputTensor, binary: bytes | None) -> list[ImageSource]:
    shape = tensor.shape
    if len(shape) != 4 or shape[3] != 3:
        raise Problem("malformed", f"pixels are UINT8 of shape [n, height, width, 3]; got {shape}")
    flat = np.frombuffer(binary, np.uint8) if binary is not None else _numbers(tensor.data or [])
    if len(flat) != math.prod(shape):
        raise Problem("malformed", f"the shape {shape} means {math.prod(shape):,} numbers; got {len(flat):,}")
    return list(flat.reshape(shape))


def _numbers(data: list[Any]) -> NDArray[np.uint8]:
    """Numbers of a tensor in JSON, flat, however they are nested."""
    while data and isinstance(data[0], list):  # at most as deep as the parser lets JSON be
        if not all(isinstance(item, list) for item in data):
            raise _not_uint8()
        data = [number for item in data for number in item]
    if not all(type(number) is int and 0 <= number <= 255 for number in data):
        raise _not_uint8()
    return np.array(data, np.uint8)


def _not_uint8() -> Problem:
    return Problem(
        "malformed", "UINT8 data are whole numbers from 0 to 255, nested as the shape says or flat"
    )
