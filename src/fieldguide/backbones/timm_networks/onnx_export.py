"""From a tapped torch network to the bytes of an ONNX model: the same every time, checked against torch.

Exporting with a dynamic height and width takes minutes with torch's exporter, with a dynamic batch seconds;
hence one file for each size.
"""

import contextlib
import io
import warnings
from typing import Any, Protocol, cast

import numpy as np
import onnx
import torch
from onnxscript.optimizer import fold_constants

from fieldguide.errors import BackboneError
from fieldguide.modelfile.operators import IR_VERSION, OPSET
from fieldguide.modelfile.session import open_session
from fieldguide.threads import usable_cores

TOLERANCE = 1e-4
_FOLDED = 2**22


class PixelNetwork(Protocol):
    """A torch module, in inference mode, from uint8 pixels to a tuple of outputs."""

    size: int
    """Side of the input."""
    head: bool
    """Whether it gives `logits` before `features`."""

    def __call__(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Map pixels of shape (batch, size, size, 3)."""


def to_onnx(network: PixelNetwork, name: str) -> bytes:
    """Export a network and check that ONNX Runtime computes the same.

    Returns
    -------
    bytes
        A model with input `pixels`, uint8 of shape (batch, size, size, 3), and the outputs `features` and,
        with a head, `logits`; only the batch is dynamic, and everything is in the one file.

    Raises
    ------
    BackboneError
        If torch cannot export this network, or its ONNX answers differ by more than 1e-4; of the usual size
        of its features (the root of their mean square) where that is above 1.
    """
    try:
        proto = _export(network)
    except Exception as error:  # torch's exporter raises many unrelated kinds for what it cannot trace
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BackboneError(
            f"{name}: torch cannot export this network to ONNX ({reason}); choose another"
        ) from error
    _strip(proto)
    model: bytes = proto.SerializeToString(deterministic=True)
    _check(network, model, name)
    return model


def output_names(network: PixelNetwork) -> list[str]:
    """The names of what the network gives, in order."""
    return ["logits", "features"] if network.head else ["features"]


def _export(network: PixelNetwork) -> onnx.ModelProto:
    pixels = _random_pixels(2, network.size)
    # The exporter writes to standard output and warns about its own internals; neither concerns a user.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.inference_mode(False):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            cast(torch.nn.Module, network),
            (pixels,),
            input_names=["pixels"],
            output_names=output_names(network),
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None  # None only for the exporter that dynamo=True replaces
    # Left to the runtime, tables computed from constants (DINOv3's positions) look like a bomb to the reader
    # of a model file, which computes nothing itself.
    fold_constants(program.model, input_size_limit=_FOLDED, output_size_limit=_FOLDED)
    proto: onnx.ModelProto = program.model_proto
    proto.ir_version = min(proto.ir_version, IR_VERSION)
    return proto


def _strip(proto: onnx.ModelProto) -> None:
    """Remove what describes the exporting machine (stack traces, versions) and no part of the computation."""
    graph = proto.graph
    for message in (proto, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        message.ClearField("metadata_props")
        message.ClearField("doc_string")
    graph.ClearField("value_info")
    proto.ClearField("producer_version")
    proto.producer_name = "fieldguide"
    graph.name = "backbone"


def _check(network: PixelNetwork, model: bytes, name: str) -> None:
    session = open_session(model, name, usable_cores())
    for count in (1, 3):
        pixels = _random_pixels(count, network.size)
        with torch.inference_mode():
            expected = network(pixels)
        got = session.run(output_names(network), {"pixels": pixels.numpy()})
        _compare([tensor.numpy() for tensor in expected], got, name)


def _compare(expected: list[Any], got: list[Any], name: str) -> None:
    for wanted, found in zip(expected, got, strict=True):
        if not np.isfinite(wanted).all():
            raise BackboneError(f"{name}: gives values that are not finite; its weights are damaged")
        # A network that has hardly learned may give features of millions, and those near zero are then
        # differences of large numbers, which no two programs round alike.
        scale = max(1.0, float(np.sqrt(np.mean(np.square(wanted, dtype=np.float64)))))
        if wanted.shape != found.shape or not np.allclose(
            wanted, found, rtol=TOLERANCE, atol=TOLERANCE * scale
        ):
            worst = float(np.abs(wanted - found).max()) if wanted.shape == found.shape else float("nan")
            raise BackboneError(
                f"{name}: ONNX and torch differ by {worst:.1e}, allowed is {TOLERANCE:.0e}; choose another"
            )


def _random_pixels(count: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, size, size, 3), generator=generator, dtype=torch.uint8)
