"""Several backbones as one: the same pixels through each, features side by side."""

import dataclasses
from pathlib import Path

import onnx
import onnx.compose
from onnx import TensorProto, helper

from fieldguide.backbones.encoders.files import is_encoder
from fieldguide.backbones.export import export
from fieldguide.backbones.exported import ExportedBackbone, kept
from fieldguide.errors import BackboneError, OptionError
from fieldguide.progress import Progress, silent

JOINT = "+"
"""Stands between the names of backbones that work side by side."""


def export_joined(
    names: str, *, size: int | None = None, weights: Path | None = None, progress: Progress = silent
) -> ExportedBackbone:
    """Return one or several backbones as one ONNX file.

    Parameters
    ----------
    names
        A backbone, or several joined by "+".
    size
        Side of the input in pixels; None takes the first backbone's own.
    weights
        A local weights file; for a single backbone only.
    progress
        Callback for progress: downloads and exports.

    Returns
    -------
    ExportedBackbone
        For several: `parts` holds each, and the parts of its features are named after them.

    Raises
    ------
    BackboneError
        If one cannot be had, is named twice, or resizes images differently from the first.
    OptionError
        If weights are given for several.
    """
    single = [names] if is_encoder(names) else names.split(JOINT)
    if len(single) == 1:
        return export(names, size=size, weights=weights, progress=progress)
    if weights is not None:
        raise OptionError(f"weights: go with a single backbone, got {names}; name one")
    if len(set(single)) < len(single):
        raise BackboneError(f"{names}: backbones that work side by side must differ; name each once")
    first = export(single[0], size=size, progress=progress)
    others = [export(name, size=first.preprocessing.size, progress=progress) for name in single[1:]]
    parts = (first, *others)
    for part in others:
        if part.preprocessing.resize_as() != first.preprocessing.resize_as():
            raise BackboneError(
                f"{names}: {part.name} resizes images differently from {first.name}; name one"
            )
    return joined(names, parts)


def joined(names: str, parts: tuple[ExportedBackbone, ...]) -> ExportedBackbone:
    """Put exported backbones side by side.

    Parameters
    ----------
    names
        What the whole is called.
    parts
        At least one, each with a name of its own, all of one input size and way of resizing.
    """
    path, digest = kept(_merged(parts))
    return dataclasses.replace(
        parts[0],
        path=path,
        digest=digest,
        name=names,
        licence=", ".join(dict.fromkeys(part.licence for part in parts)),
        source=", ".join(dict.fromkeys(part.source for part in parts)),
        features=sum(part.features for part in parts),
        depths=tuple((f"{part.name}/{name}", width) for part in parts for name, width in part.depths),
        parts=parts,
        made_with=tuple(dict.fromkeys(name for part in parts for name in part.made_with)),
    )


def _merged(parts: tuple[ExportedBackbone, ...]) -> bytes:
    models = [onnx.load_model(part.path, load_external_data=False) for part in parts]
    graphs = [
        onnx.compose.add_prefix_graph(model.graph, f"{part.name}/")
        for part, model in zip(parts, models, strict=True)
    ]
    pixels = models[0].graph.input[0]
    nodes = [helper.make_node("Identity", ["pixels"], [graph.input[0].name]) for graph in graphs]
    for graph in graphs:
        nodes.extend(graph.node)
    nodes.append(helper.make_node("Concat", [graph.output[0].name for graph in graphs], ["features"], axis=1))
    width = sum(part.features for part in parts)
    output = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", width])
    initializers = [tensor for graph in graphs for tensor in graph.initializer]
    graph = helper.make_graph(nodes, "joined", [pixels], [output], initializers)
    merged = helper.make_model(graph, opset_imports=models[0].opset_import, ir_version=models[0].ir_version)
    onnx.checker.check_model(merged)
    content: bytes = merged.SerializeToString(deterministic=True)
    return content
