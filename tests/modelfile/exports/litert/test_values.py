"""What is known of a graph: shapes of one photo in LiteRT's order, and activations that go with a layer."""

import pytest

pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")

from ai_edge_litert import schema_py_generated as schema

from fieldguide.modelfile.exports.litert.builder import Graph
from fieldguide.modelfile.exports.litert.translation import translated
from fieldguide.modelfile.exports.litert.values import known_of
from litert_made import SIDE, model_of

LAYER = "c = Conv <kernel_shape: ints = [3, 3]> (image, w3, b8)"


def test_maps_are_in_the_order_of_litert():
    known = known_of(model_of(f"{LAYER} out = Relu (c)"), Graph())
    assert known.shape("c") == (1, SIDE - 2, SIDE - 2, 8)
    assert known.shape("pixels") == (1, SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        ("out = Relu (c)", ["CAST", "CONV_2D"]),
        ("out = Clip (c, zero, six)", ["CAST", "CONV_2D"]),
        ("out = Clip (c, zero, hundred)", ["CAST", "CONV_2D", "MAXIMUM", "MINIMUM"]),
        ("r = Relu (c) out = Add (r, c)", ["CAST", "CONV_2D", "RELU", "ADD"]),
    ],
)
def test_an_activation_goes_with_its_layer_unless_the_layer_is_seen_by_others(after, kinds):
    graph = Graph()
    translated(model_of(f"{LAYER} {after}"), graph)
    codes = [code for code, _ in graph._codes]
    assert [codes[one.opcodeIndex] for one in graph.operators] == [
        getattr(schema.BuiltinOperator, kind) for kind in kinds
    ]
