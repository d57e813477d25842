"""What passes between layers as whole numbers of 8 bits, in a LiteRT file: all that small boards run.

Google's ai-edge-quantizer rounds the network, with one scale for each output channel of weights and one for
what each layer gives (Jacob et al., 2018, https://arxiv.org/abs/1712.05877); the classifier, its calibration
and typicality keep their 32 bits.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_quantizer import qtyping, quantizer
from numpy.typing import NDArray

from fieldguide.modelfile.exports.litert.builder import IDENTIFIER
from fieldguide.modelfile.exports.litert.standard_error import caught

SIGNATURE = "serving_default"
ROUNDED = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "ADD",
    "MUL",
    "AVERAGE_POOL_2D",
    "MAX_POOL_2D",
    "MEAN",
    "CONCATENATION",
    "RESHAPE",
    "PADV2",
    "MIRROR_PAD",
    "SLICE",
    "SUM",
    "GELU",
    "HARD_SWISH",
    "LOGISTIC",
    "RELU",
)
"""Operators of a network; others keep 32 bits."""
NETWORK = r"^(?!head/|probabilities|typicality|embedding).*"
"""Names of values that are rounded: not those of the classifier."""
BITS, LARGEST_PIXEL = 8, 255.0
"""Pixels that are rounded are so exactly: the number less 128."""

Pixels = NDArray[np.uint8]


def rounded(content: bytes, squares: Sequence[Pixels], *, pixels: bool) -> bytes:
    """Round a network in a LiteRT file.

    Parameters
    ----------
    content
        With weights of 32 bits.
    squares
        Photos as the network sees them, each of shape (size, size, 3), which tell how large numbers become.
    pixels
        Whether the file takes its pixels as whole numbers with a sign, each less 128.

    Returns
    -------
    bytes
        The file; input and outputs keep their names.
    """
    with _silent():
        made = quantizer.Quantizer(content)
        for kind in (*ROUNDED, "INPUT") if pixels else ROUNDED:
            name = qtyping.TFLOperationName[kind]
            made.add_static_config(
                regex=NETWORK, operation_name=name, activation_num_bits=BITS, weight_num_bits=BITS
            )
        ranges = _ranges(made, squares, np.float32 if pixels else np.uint8)
        if pixels:
            ranges["pixels"] = _like(ranges["pixels"], 0.0, LARGEST_PIXEL)
        return _whole(bytes(made.quantize(ranges).quantized_model))


def _whole(content: bytes) -> bytes:
    """Put weights into the FlatBuffer: the quantiser writes large ones behind it; boards overlook these."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.offset:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _ranges(made: Any, squares: Sequence[Pixels], type_: Any) -> dict[str, dict[str, Any]]:
    """The smallest and largest number of each value over all photos; the quantiser's own is a moving mean."""
    found: dict[str, dict[str, Any]] = {}
    for square in squares:
        one = made.calibrate({SIGNATURE: [{"pixels": square[None].astype(type_)}]})
        for name, limits in one.items():
            found[name] = _wider(found[name], limits) if name in found else limits
    return found


def _wider(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    if not {"min", "max"} <= set(first) & set(second):
        return dict(first)
    low, high = np.minimum(first["min"], second["min"]), np.maximum(first["max"], second["max"])
    return {**first, "min": low, "max": high}


def _like(limits: Mapping[str, Any], low: float, high: float) -> dict[str, Any]:
    return {**limits, "min": np.full_like(limits["min"], low), "max": np.full_like(limits["max"], high)}


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """The quantiser prints bars and sizes as it goes, and warns of how it looks into LiteRT."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            caught(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        logging.disable(before)
