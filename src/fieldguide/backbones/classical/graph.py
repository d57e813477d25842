"""Edges, texture and colour side by side: one ONNX graph from pixels to features."""

from typing import NamedTuple

import onnx
import onnx.checker
import onnx.numpy_helper
import onnx.parser

from fieldguide.backbones.classical.cells import FeaturePart, grey_levels, joined, with_numbers
from fieldguide.backbones.classical.colour import colour_histograms, colour_moments
from fieldguide.backbones.classical.edges import gradient_histograms, oriented_gradients
from fieldguide.backbones.classical.texture import binary_patterns
from fieldguide.modelfile.operators import IR_VERSION, OPSET

_GRAPH = """
<ir_version: {ir_version}, opset_import: ["" : {opset}], producer_name: "fieldguide">
backbone (uint8[batch, {size}, {size}, 3] pixels) => (float[batch, {width}] features) {{
    planes_of_bytes = Transpose <perm: ints = [0, 3, 1, 2]> (pixels)
    planes = Cast <to: int = 1> (planes_of_bytes)
{nodes}
    features = Concat <axis: int = 1> ({features})
}}
"""


class ClassicalGraph(NamedTuple):
    """What computes classical features."""

    model: onnx.ModelProto
    """From `pixels`, uint8 of shape (batch, size, size, 3), to `features`, float32, (batch, width)."""
    depths: tuple[tuple[str, int], ...]
    """Name and width of each part of the features, in order."""


def classical_graph(size: int) -> ClassicalGraph:
    """Build the graph of all classical features.

    Histograms of oriented gradients in cells of two sizes, binary patterns at two radii, colours and their
    moments.

    Parameters
    ----------
    size
        Side of the images in pixels, a multiple of 16.
    """
    # The fine edges stand first: typicality looks at the last 2,560 features, and where exactly an edge runs
    # says least of what is usual.
    parts = (
        oriented_gradients("fine", size, cells=8),
        oriented_gradients("coarse", size, cells=4),
        binary_patterns(size, points=8, radius=2, cells=4),
        binary_patterns(size, points=16, radius=3, cells=4),
        colour_histograms(size, cells=2),
        colour_moments(size, cells=4),
    )
    return ClassicalGraph(_model(size, parts), tuple(part.depth for part in parts))


def _model(size: int, parts: tuple[FeaturePart, ...]) -> onnx.ModelProto:
    piece = joined(gradient_histograms(size), grey_levels(), *parts)
    numbered = with_numbers(piece.nodes)
    text = _GRAPH.format(
        ir_version=IR_VERSION,
        opset=OPSET,
        size=size,
        width=sum(part.depth[1] for part in parts),
        nodes=numbered.nodes,
        features=", ".join(part.features for part in parts),
    )
    model = onnx.parser.parse_model(text)
    for name, value in {**numbered.constants, **piece.constants}.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    onnx.checker.check_model(model)
    return model
