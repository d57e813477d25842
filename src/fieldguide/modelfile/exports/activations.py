"""What passes between layers as whole numbers of 8 bits, too: faster where a processor has units for these.

Photos tell how large the numbers between layers become. ONNX Runtime's quantiser (`quantize_static`, in QDQ
form, one scale for each output channel of weights; Krishnamoorthi 2018, https://arxiv.org/abs/1806.08342,
section 3) rounds the network; preprocessing, classifier and calibration stay as they are.
"""

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import CARD_KEY, ModelFile, seal
from fieldguide.modelfile.card import written
from fieldguide.modelfile.exports.core import INPUT
from fieldguide.modelfile.exports.int8 import refuse_rounded
from fieldguide.modelfile.graph import name_operators_once

OUTPUT = "features"
ROUNDED = ("Conv", "Gemm", "MatMul", "Add", "Clip", "Relu")
"""Operators whose inputs and outputs are rounded; others, as in attention, keep 32 bits."""
Pixels = NDArray[np.uint8]


def round_activations(model: ModelFile, squares: Sequence[Pixels]) -> bytes:
    """Write a model file anew with weights and activations of 8 bits.

    Parameters
    ----------
    model
        Checked by :func:`fieldguide.modelfile.artifact.load_model_file`.
    squares
        Photos as the network sees them, each of shape (size, size, 3); a hundred are enough.

    Returns
    -------
    bytes
        The whole file, sealed. Its card says what it was exported from.

    Raises
    ------
    OptionError
        If the file has no network of its own between preprocessing and classifier, or was rounded before.
    """
    refuse_rounded(model, "int8")
    proto = onnx.load_model_from_string(model.content)
    network = _network(proto, model)
    rounded = _rounded(network, squares)
    _put_in(proto, network, rounded)
    _tell(proto, model, len(squares))
    onnx.checker.check_model(proto)
    return seal(proto.SerializeToString(deterministic=True))


def _network(proto: onnx.ModelProto, model: ModelFile) -> onnx.ModelProto:
    """What lies between the square of pixels and the features, with a name for each node."""
    made = {name for node in proto.graph.node for name in node.output}
    convolves = any(node.op_type == "Conv" for node in proto.graph.node)
    if not {INPUT, OUTPUT} <= made or not convolves:
        raise OptionError(
            f"{model.path}: to int8: --calibrate needs a network of convolutions, this "
            f"{model.card.get('recipe')} model has none; leave it out"
        )
    name_operators_once(proto)  # older files name them several times, which the quantiser does not read
    for number, node in enumerate(proto.graph.node):
        node.name = f"{node.op_type}/{number}"
    size = model.preprocessing.size
    shape: list[str | int | None] = ["batch", size, size, 3]
    proto.graph.value_info.append(onnx.helper.make_tensor_value_info(INPUT, onnx.TensorProto.UINT8, shape))
    width = onnx.helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, ["batch", None])
    if OUTPUT not in {value.name for value in proto.graph.value_info}:
        proto.graph.value_info.append(width)
    network = onnx.utils.Extractor(proto).extract_model([INPUT], [OUTPUT])
    del network.metadata_props[:]
    return network


def _rounded(network: onnx.ModelProto, squares: Sequence[Pixels]) -> onnx.ModelProto:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder, _silent():
        before, after = Path(folder) / "network.onnx", Path(folder) / "rounded.onnx"
        onnx.save(network, before)
        quantize_static(
            before,
            after,
            _Photos(squares),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(ROUNDED),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Its other methods hold what passes between all layers for all photos: gigabytes.
            calibrate_method=CalibrationMethod.MinMax,
        )
        return onnx.load(after)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """The quantiser advises steps that a network in this form has behind it, and prints as it goes."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(None), warnings.catch_warnings():
            # Channels that are always 0 have a scale of 0, by which older versions divide.
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    finally:
        logging.disable(before)


class _Photos:
    """Photos one after the other, as the quantiser asks for them."""

    def __init__(self, squares: Sequence[Pixels]) -> None:
        self._left = iter(squares)

    def get_next(self) -> dict[str, Any] | None:
        """The next input; None after the last."""
        square = next(self._left, None)
        return None if square is None else {INPUT: square[None]}


def _put_in(proto: onnx.ModelProto, network: onnx.ModelProto, rounded: onnx.ModelProto) -> None:
    """Put the rounded network where the other was; it needs the pixels alone, which are made before it."""
    graph, old = proto.graph, {node.name for node in network.graph.node}
    place = next(number for number, node in enumerate(graph.node) if node.name in old)
    before, behind = graph.node[:place], [node for node in graph.node[place:] if node.name not in old]
    nodes = [*before, *rounded.graph.node, *behind]
    used = {name for node in nodes for name in node.input} - {name for node in nodes for name in node.output}
    tensors = {tensor.name: tensor for tensor in (*graph.initializer, *rounded.graph.initializer)}
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensor for name, tensor in tensors.items() if name in used)


def _tell(proto: onnx.ModelProto, model: ModelFile, photos: int) -> None:
    sentence = (
        f"exported to int8: weights and what passes between layers rounded to 8 bits, ranges from {photos} "
        "photos; metrics and thresholds are those of the model it came from"
    )
    card = {
        **model.card,
        "exported": {"to": "int8", "from": model.digest, "activations": True},
        "choices": [*model.card.get("choices", ()), sentence],
    }
    del proto.metadata_props[:]  # the old seal with it
    proto.metadata_props.add(key=CARD_KEY, value=written(card))
