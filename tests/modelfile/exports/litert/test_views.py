"""Views of a photo, as networks from scratch average them, give in LiteRT what they give in ONNX Runtime."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")

from fieldguide.modelfile.exports.litert.builder import Graph
from fieldguide.modelfile.exports.litert.translation import translated
from fieldguide.modelfile.exports.litert.values import Untranslatable
from litert_made import both, model_of

MIRRORED = "out = Slice (image, minus_one, to_begin, wide, minus_one)"
PIECES = {
    "margins": 'out = Pad <mode: string = "reflect"> (image, frame)',
    "mirrored": MIRRORED,
    "from the second row on": "out = Slice (image, plus_two, to_end, high, plus_one)",
    "up to the last column but two": "out = Slice (image, nothing, minus_two, wide, plus_one)",
    "the last two columns": "out = Slice (image, minus_two, to_end, wide, plus_one)",
    "averaged": """
        mirrored = Slice (image, minus_one, to_begin, wide, minus_one)
        batch = Concat <axis: int = 0> (image, mirrored)
        padded = Conv <kernel_shape: ints = [5, 5], pads: ints = [0, 1, 2, 3]> (batch, w5, b8)
        row_of = ReduceMax <keepdims: int = 0> (padded, places)
        views2 = Reshape (row_of, two_views)
        out = Einsum <equation: string = "v,vbf->bf"> (shares, views2)""",
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_a_view_is_what_it_is_in_onnx(piece):
    expected, found = both(model_of(piece))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        ('out = Pad <mode: string = "edge"> (image, frame)', "margins that are not mirrored"),
        ("out = Slice (image, plus_one, to_end, wide, plus_two)", "a Slice along several axes or with steps"),
        ("out = Slice (image, minus_two, to_begin, wide, minus_one)", "a part of a map backwards"),
        ('out = Einsum <equation: string = "abcd->ab"> (image)', "an Einsum that is no weighted mean"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(piece, said):
    with pytest.raises(Untranslatable, match=said):
        translated(model_of(piece), Graph())


def test_small_boards_are_given_one_view():
    with pytest.raises(Untranslatable, match=r"a mean of several views .*--preset fast --augment none"):
        translated(model_of(MIRRORED), Graph(rounds=True, micro=True))
