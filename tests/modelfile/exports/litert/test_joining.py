"""Steps that LiteRT has as one operator are joined, and only these."""

import numpy as np
import onnx.numpy_helper
import pytest

pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")

from fieldguide.modelfile.exports.litert.joining import join_gelu, join_scales
from litert_made import GELU, both, model_of

SMALL = "x = Div (image, hundred)"
SCALED = "m = Mul (image, scales) out = Add (m, shifts)"


def kinds_after(join, piece):
    graph = model_of(piece).graph
    join(graph, {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer})
    return [node.op_type for node in graph.node][2:]


@pytest.mark.parametrize(
    "chain",
    [GELU, GELU.replace("Mul (half, f)", "Mul (f, half)"), GELU.replace("Mul (x, g)", "Mul (g, x)")],
    ids=["as torch writes it", "half last", "value last"],
)
def test_gelu_is_one_operator_and_gives_the_same(chain):
    assert kinds_after(join_gelu, SMALL + chain) == ["Div", "Gelu"]
    expected, found = both(model_of(SMALL + chain))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        ("Mul (half, f)", "Mul (one, f)"),
        ("Add (e, one)", "Add (e, half)"),
        ("Div (x, root2)", "Div (x, hundred)"),
        ("Mul (x, g)", "Mul (image, g)"),
        ("Mul (x, g)", "Mul (f, g)"),
    ],
)
def test_what_only_looks_like_it_stays(change):
    assert "Gelu" not in kinds_after(join_gelu, SMALL + GELU.replace(*change))


def test_a_step_that_others_see_stays():
    chain = GELU.replace("out = Mul (x, g)", "y = Mul (x, g) out = Add (y, e)")
    assert "Gelu" not in kinds_after(join_gelu, SMALL + chain)


def test_gelu_of_small_boards_is_near():
    expected, found = both(model_of(SMALL + GELU), rounds=True, micro=True)
    assert 0 < np.abs(found - expected).max() < 0.021


def test_a_scale_and_a_shift_become_a_layer_only_where_numbers_are_rounded():
    assert kinds_after(join_scales, SCALED) == ["ScaleShift"]
    for options in ({}, {"rounds": True}):
        expected, found = both(model_of(SCALED), **options)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "piece",
    [
        "m = Mul (image, half) out = Add (m, shifts)",
        "m = Mul (image, scales) out = Add (m, image)",
        "m = Mul (image, scales) a = Add (m, shifts) out = Add (a, m)",
    ],
    ids=["one number", "another map", "seen by others"],
)
def test_other_products_and_sums_stay(piece):
    assert "ScaleShift" not in kinds_after(join_scales, piece)
