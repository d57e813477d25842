"""A published encoder becomes a backbone: uint8 pixels in, features out, in one file.

The graph is taken as it is, with its weights folded in. Before it stand the publisher's mean and deviation,
behind it what becomes of its outputs: an image embedding or pooled output as it is, a row of tokens as the
class token and the mean of the patches, a map as its mean and its largest values.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, version_converter

from fieldguide.errors import BackboneError, ModelFileError
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.operators import IR_VERSION, OPERATORS, OPSET
from fieldguide.modelfile.session import open_session

MOST_BYTES = 1_900_000_000
"""Of graph and weights; protobuf ends at two gigabytes."""
PREFERRED = ("image_embeds", "pooler_output", "last_hidden_state")
"""Outputs by the names that transformers gives them, what is looked at first; else all outputs are."""
PREFIX = "encoder/"
DEFAULT_SIZE = 224


@dataclass(frozen=True)
class EncoderPart:
    """One vector that an output gives."""

    output: str
    kind: str
    """`vector`, `class`, `patches`, `mean` or `max`."""
    width: int


def read_graph(path: Path) -> onnx.ModelProto:
    """Read an encoder's graph, external weights folded in, in fieldguide's version of the operators.

    Raises
    ------
    BackboneError
        If it cannot be read, is too large, takes anything but one image, or uses an operator that no model
        file may hold.
    """
    weights = [path, *path.parent.glob(f"{path.name}_data*"), *path.parent.glob(f"{path.name}.data")]
    if sum(one.stat().st_size for one in weights) > MOST_BYTES:
        raise BackboneError(
            f"{path}: is larger than {MOST_BYTES / 1e9:.1f} GB; take a smaller variant, such as fp16"
        )
    try:
        model = onnx.load_model(path)
        for tensor in model.graph.initializer:
            tensor.ClearField("external_data")
            tensor.data_location = TensorProto.DEFAULT
    except (DecodeError, OSError, ValueError, onnx.checker.ValidationError) as error:
        raise BackboneError(
            f"{path}: cannot be read as an ONNX graph with its weights ({_line(error)})"
        ) from error
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in held]
    if len(inputs) != 1 or len(inputs[0].type.tensor_type.shape.dim) != 4:
        names = ", ".join(value.name for value in inputs) or "none"
        raise BackboneError(
            f"{path}: an image encoder takes one input of shape (batch, 3, height, width), got {names}; of a "
            "network for images and text, take the image part (vision_model.onnx)"
        )
    _check_operators(model, path)
    return _converted(model, path)


def _check_operators(model: onnx.ModelProto, path: Path) -> None:
    foreign = sorted(
        {f"{node.domain or 'ai.onnx'}.{node.op_type}" for node in model.graph.node if not _allowed(node)}
    )
    if foreign:
        raise BackboneError(
            f"{path}: uses operators that a model file may not hold: {', '.join(foreign[:5])}; take an "
            "export without fused operators (such as onnx/model.onnx)"
        )


def _allowed(node: Any) -> bool:
    return node.domain in ("", "ai.onnx") and node.op_type in OPERATORS


def _converted(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    version = next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 0)
    if version == OPSET:
        return model
    try:
        return version_converter.convert_version(model, OPSET)
    except Exception as error:  # the converter raises kinds of its own, by operator
        raise BackboneError(
            f"{path}: cannot be brought from opset {version} to {OPSET} ({_line(error)})"
        ) from error


def size_of(model: onnx.ModelProto, said: int | None) -> int:
    """Side of the input in pixels: the graph's own where it is fixed, else the publisher's, else 224."""
    height = _input(model).type.tensor_type.shape.dim[2]
    return height.dim_value or said or DEFAULT_SIZE


def assembled(
    model: onnx.ModelProto, preprocessing: Preprocessing, path: Path
) -> tuple[bytes, tuple[EncoderPart, ...]]:
    """Put pixels before an encoder and features behind it.

    Returns
    -------
    bytes, tuple of Part
        The backbone, input `pixels`, uint8 of shape (batch, size, size, 3), output `features`; and what these
        are of.

    Raises
    ------
    BackboneError
        If the encoder does not run at that size, or gives nothing that can become features.
    """
    inner = _fixed(model, preprocessing.size)
    outputs = _looked_at(inner, preprocessing.size, path)
    parts = tuple(part for name, values in outputs.items() for part in _parts(name, values))
    if not parts:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in outputs.items())
        raise BackboneError(f"{path}: none of its outputs can become features: {shapes or 'none'}")
    whole = _with_pixels(inner, preprocessing)
    _add_features(whole, parts)
    onnx.checker.check_model(whole)
    content: bytes = whole.SerializeToString(deterministic=True)
    _check_batches(content, preprocessing.size, path)
    return content, parts


def _input(model: onnx.ModelProto) -> Any:
    held = {tensor.name for tensor in model.graph.initializer}
    return next(value for value in model.graph.input if value.name not in held)


def _fixed(model: onnx.ModelProto, size: int) -> onnx.ModelProto:
    """A copy with names of its own, a free batch, a fixed size, and only the outputs that are used."""
    copy = onnx.compose.add_prefix(model, PREFIX)
    dims = _input(copy).type.tensor_type.shape.dim
    dims[0].ClearField("dim_value")
    dims[0].dim_param = "batch"
    for dim, extent in zip(dims[1:], (3, size, size), strict=True):
        dim.ClearField("dim_param")
        dim.dim_value = extent
    names = [value.name.removeprefix(PREFIX) for value in copy.graph.output]
    pooled = [name for name in PREFERRED[:2] if name in names][:1]
    wanted = pooled + [name for name in PREFERRED[2:] if name in names]
    kept = [value for value in copy.graph.output if value.name.removeprefix(PREFIX) in (wanted or names)]
    del copy.graph.output[:]
    for value in kept:  # shapes as the exporter wrote them may name another size
        copy.graph.output.append(helper.make_empty_tensor_value_info(value.name))
        copy.graph.output[-1].type.tensor_type.elem_type = value.type.tensor_type.elem_type
    del copy.graph.value_info[:]
    del copy.metadata_props[:]
    copy.doc_string, copy.producer_name, copy.producer_version = "", "fieldguide", ""
    copy.graph.name, copy.ir_version = "backbone", IR_VERSION
    return copy


def _looked_at(model: onnx.ModelProto, size: int, path: Path) -> dict[str, NDArray[Any]]:
    """What the outputs give for one grey image."""
    kind = helper.tensor_dtype_to_np_dtype(_input(model).type.tensor_type.elem_type)
    names = [value.name for value in model.graph.output]
    image = np.zeros((1, 3, size, size), kind)
    try:
        session = open_session(model.SerializeToString(), str(path), 1)
        return dict(zip(names, session.run(names, {_input(model).name: image}), strict=True))
    except ModelFileError as error:
        raise BackboneError(str(error)) from error
    except Exception as error:  # ONNX Runtime's own kinds of exceptions have no common base
        raise BackboneError(f"{path}: does not run on an image of {size} pixels ({_line(error)})") from error


def _parts(name: str, values: NDArray[Any]) -> list[EncoderPart]:
    shape = values.shape
    if values.dtype.kind != "f" or shape[:1] != (1,):
        return []
    if len(shape) == 2:
        return [EncoderPart(name, "vector", shape[1])]
    if len(shape) == 3:
        return [EncoderPart(name, "class", shape[2]), EncoderPart(name, "patches", shape[2])]
    if len(shape) == 4 and shape[2:] == (1, 1):
        return [EncoderPart(name, "mean", shape[1])]
    return [EncoderPart(name, kind, shape[1]) for kind in ("mean", "max")] if len(shape) == 4 else []


def _with_pixels(inner: onnx.ModelProto, preprocessing: Preprocessing) -> onnx.ModelProto:
    given = _input(inner)
    kind = given.type.tensor_type.elem_type
    whole = onnx.ModelProto()
    whole.CopyFrom(inner)
    graph = whole.graph
    nodes = list(graph.node)
    del graph.node[:], graph.input[:], graph.output[:]
    size = preprocessing.size
    graph.input.append(helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", size, size, 3]))
    mean, std = (np.array(values, np.float64) for values in (preprocessing.mean, preprocessing.std))
    constants = {"scale": 1 / (255 * std), "shift": -mean / std}
    for name, values in constants.items():  # of shape (3,): the channels are still last
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), f"pixels/{name}"))
    graph.node.extend(
        [
            helper.make_node("Cast", ["pixels"], ["pixels/float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["pixels/float", "pixels/scale"], ["pixels/scaled"]),
            helper.make_node("Add", ["pixels/scaled", "pixels/shift"], ["pixels/normalised"]),
            helper.make_node(
                "Transpose", ["pixels/normalised"], ["pixels/channels_first"], perm=[0, 3, 1, 2]
            ),
            helper.make_node("Cast", ["pixels/channels_first"], [given.name], to=kind),
            *nodes,
        ]
    )
    return whole


def _add_features(whole: onnx.ModelProto, parts: tuple[EncoderPart, ...]) -> None:
    graph, vectors = whole.graph, []
    for number, part in enumerate(parts):
        made = f"features/{number}"
        floats = f"{made}/float"
        graph.node.append(helper.make_node("Cast", [part.output], [floats], to=TensorProto.FLOAT))
        graph.node.extend(_pooled(part, floats, made, graph))
        vectors.append(made)
    graph.node.append(helper.make_node("Concat", vectors, ["features"], axis=1))
    width = sum(part.width for part in parts)
    graph.output.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", width]))


def _pooled(part: EncoderPart, floats: str, made: str, graph: Any) -> list[Any]:
    """The nodes from an output to a vector of shape (batch, width)."""
    if part.kind == "vector":
        return [helper.make_node("Identity", [floats], [made])]
    if part.kind in ("mean", "max"):  # of a map of shape (batch, width, height, width)
        axes = _constant(graph, f"{made}/axes", [2, 3])
        return [helper.make_node(f"Reduce{part.kind.capitalize()}", [floats, axes], [made], keepdims=0)]
    # of tokens of shape (batch, tokens, width): the first one, or the mean of the others
    first, end = ([0], [1]) if part.kind == "class" else ([1], [2**31])
    ends = [
        _constant(graph, f"{made}/{name}", value)
        for name, value in (("from", first), ("to", end), ("axis", [1]))
    ]
    axis = ends[2]
    return [
        helper.make_node("Slice", [floats, *ends], [f"{made}/tokens"]),
        helper.make_node("ReduceMean", [f"{made}/tokens", axis], [made], keepdims=0),
    ]


def _constant(graph: Any, name: str, values: list[int]) -> str:
    graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
    return name


def _check_batches(content: bytes, size: int, path: Path) -> None:
    """Two images together must give what each gives alone; graphs with a fixed batch do not."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    try:
        session = open_session(content, str(path), 1)
        together = session.run(["features"], {"pixels": pixels})[0]
        alone = np.concatenate([session.run(["features"], {"pixels": one[None]})[0] for one in pixels])
    except Exception as error:  # ONNX Runtime's own kinds of exceptions have no common base
        raise BackboneError(f"{path}: does not take several images at once ({_line(error)})") from error
    if not np.isfinite(together).all():
        raise BackboneError(
            f"{path}: gives values that are not finite; take another variant, such as float32"
        )
    if not np.allclose(together, alone, rtol=1e-2, atol=1e-2 * float(np.abs(alone).max())):
        raise BackboneError(
            f"{path}: gives an image another answer when another image is in its batch; its graph mixes "
            "the batch"
        )


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
