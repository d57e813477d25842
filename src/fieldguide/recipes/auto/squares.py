"""A network that sees a smaller square than others, behind the square of these and a resize of its own.

A model file has one square of pixels, from which all its parts must be fed. What the smaller network sees is
the photo resized twice; it learns from features that were computed in this very way, so nothing is promised
of one and answered by another.
"""

import dataclasses

import onnx
import onnx.checker
import onnx.compose
from onnx import TensorProto, helper

from fieldguide.backbones.exported import ExportedBackbone, kept
from fieldguide.modelfile.graph import read_model
from fieldguide.modelfile.preprocessing_graph import preprocessing_model


def from_square(part: ExportedBackbone, size: int) -> ExportedBackbone:
    """Return the same network with an input of `size` × `size` pixels, which it resizes to its own.

    Parameters
    ----------
    part
        Any exported backbone.
    size
        Side of the new input in pixels; its own gives the backbone as it is.
    """
    if size == part.preprocessing.size:
        return part
    content: bytes = _behind_resize(part, size).SerializeToString(deterministic=True)
    path, digest = kept(content)
    preprocessing = dataclasses.replace(part.preprocessing, size=size)
    return dataclasses.replace(
        part, path=path, digest=digest, preprocessing=preprocessing, timm_name="", parts=()
    )


def _behind_resize(part: ExportedBackbone, size: int) -> onnx.ModelProto:
    # The square is whole, whatever the mode: only its sides change.
    own = dataclasses.replace(part.preprocessing, mode="squash")
    resize = onnx.compose.add_prefix_graph(preprocessing_model(own).graph, "resize/")
    network = read_model(part.path)
    inner = onnx.compose.add_prefix_graph(network.graph, "inner/")
    graph = helper.make_graph(
        [
            helper.make_node("Identity", ["pixels"], [resize.input[0].name]),
            *resize.node,
            helper.make_node("Identity", [resize.output[0].name], [inner.input[0].name]),
            *inner.node,
            helper.make_node("Identity", [inner.output[0].name], ["features"]),
        ],
        "backbone",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", size, size, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", part.features])],
        [*resize.initializer, *inner.initializer],
    )
    model = helper.make_model(graph, opset_imports=network.opset_import, ir_version=network.ir_version)
    onnx.checker.check_model(model)
    return model
