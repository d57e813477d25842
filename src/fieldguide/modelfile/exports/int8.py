"""Large weights as whole numbers of 8 bits: about a third of the size, answers nearly the same.

Each output channel of a layer gets a scale of its own, the largest of its weights being 127 (symmetric,
without calibration images; Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference",
https://arxiv.org/abs/1806.08342, section 3). Only weights are stored so. A runtime turns them back into
numbers of 32 bits and computes with these. Small layers and those that look at one channel at a time stay
as they are: few bytes, but most of the error.
"""

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import CARD_KEY, ModelFile, seal
from fieldguide.modelfile.card import written

SUMMARY = "weights of 8 bits: about a third of the size, nearly the same answers and speed"
SUFFIX = "-int8.onnx"
"""Added to the name of the model where a person did not choose another."""

SMALLEST = 16_384
"""Weights of a layer; smaller ones stay as they are."""
HEAD = "head/"
"""Names of what fieldguide itself fitted begin so: the classifier and its calibration belong together."""
LARGEST = 127


def convert(model: ModelFile) -> bytes:
    """Write a model file anew with large weights of 8 bits.

    Parameters
    ----------
    model
        Checked by :func:`fieldguide.modelfile.artifact.load_model_file`.

    Returns
    -------
    bytes
        The whole file, sealed: the same for the same model. Its card says what it was exported from.

    Raises
    ------
    OptionError
        If the model has no large weights, as those on classical features and those exported already.
    """
    proto = onnx.load_model_from_string(model.content)
    chosen = list(_large_weights(proto.graph))
    if not chosen:
        raise OptionError(
            f"{model.path}: to int8: must hold a layer of at least {SMALLEST:,} weights of 32 bits, this "
            f"{model.card.get('recipe')} model has none; use the file as it is"
        )
    restoring = [_shrink(proto.graph, weights, axis) for weights, axis in chosen]
    nodes = [*restoring, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    _tell(proto, model, len(chosen))
    onnx.checker.check_model(proto)
    return seal(proto.SerializeToString(deterministic=True))


def refuse_rounded(model: ModelFile, form: str) -> None:
    """Refuse to round an export to ``int8`` again, in whatever form.

    Raises
    ------
    OptionError
        If the model is one.
    """
    if model.card.get("exported", {}).get("to") == "int8":
        raise OptionError(
            f"{model.path}: to {form}: must be a model that was not rounded before; got an export to int8; "
            "give the model that it was made from"
        )


def _large_weights(graph: onnx.GraphProto) -> Iterator[tuple[onnx.TensorProto, int]]:
    """Tensors that one layer multiplies by, each with the axis of its output channels."""
    uses: dict[str, list[tuple[onnx.NodeProto, int]]] = {}
    for node in graph.node:
        for place, name in enumerate(node.input):
            uses.setdefault(name, []).append((node, place))
    for tensor in list(graph.initializer):
        large = int(np.prod(tensor.dims)) >= SMALLEST and tensor.data_type == onnx.TensorProto.FLOAT
        if large and not tensor.name.startswith(HEAD) and len(uses.get(tensor.name, ())) == 1:
            axis = _output_axis(*uses[tensor.name][0], len(tensor.dims))
            if axis is not None:
                yield tensor, axis


def _output_axis(node: onnx.NodeProto, place: int, sides: int) -> int | None:
    """Which axis of the weights counts the layer's outputs; None where they are no weights of a layer."""
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    if place != 1:
        return None
    if node.op_type == "Conv" and attributes.get("group", 1) == 1:
        return 0
    if node.op_type == "Gemm":
        return 0 if attributes.get("transB", 0) else 1
    return 1 if node.op_type == "MatMul" and sides == 2 else None


def _shrink(graph: onnx.GraphProto, tensor: onnx.TensorProto, axis: int) -> onnx.NodeProto:
    """Replace a tensor by whole numbers and scales; the node gives it back under its old name."""
    numbers, scales = _rounded(numpy_helper.to_array(tensor), axis)
    name = tensor.name
    graph.initializer.remove(tensor)
    parts = [f"{name}/int8", f"{name}/scale"]
    graph.initializer.append(numpy_helper.from_array(numbers, parts[0]))
    graph.initializer.append(numpy_helper.from_array(scales, parts[1]))
    return onnx.helper.make_node("DequantizeLinear", parts, [name], name=f"{name}/restored", axis=axis)


def _rounded(weights: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    others = tuple(other for other in range(weights.ndim) if other != axis)
    largest = np.abs(weights).max(others)
    scales = np.where(largest > 0, largest / LARGEST, 1).astype(np.float32)
    along = scales.reshape([-1 if side == axis else 1 for side in range(weights.ndim)])
    return np.clip(np.rint(weights / along), -LARGEST, LARGEST).astype(np.int8), scales


def _tell(proto: onnx.ModelProto, model: ModelFile, layers: int) -> None:
    """Write into the card what the file came from; what was measured was measured on that."""
    sentence = (
        f"exported to int8: weights of {layers} layers rounded to 8 bits; metrics and thresholds are those "
        "of the model it came from"
    )
    card = {
        **model.card,
        "exported": {"to": "int8", "from": model.digest},
        "choices": [*model.card.get("choices", ()), sentence],
    }
    del proto.metadata_props[:]  # the old seal with it
    proto.metadata_props.add(key=CARD_KEY, value=written(card))
