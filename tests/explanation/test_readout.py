"""What is read off a graph: every way of writing a linear head, and nothing that is none."""

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest

from fieldguide.explanation.readout import NotLinear, logits_of, read_out
from fieldguide.modelfile.wire_format import read_model, with_outputs

HEAD = """
<ir_version: 10, opset_import: ["" : 18]>
model (float[b, 4, 6, 6] maps) => (float[b, 3] probabilities)
<float[4, 3] weights = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2},
 float[3, 4] turned = {0.1, 0.4, 0.7, 1.0, 0.2, 0.5, 0.8, 1.1, 0.3, 0.6, 0.9, 1.2},
 float[3] bias = {1, 2, 3}, float two = {2}, float[4] each = {1, 2, 3, 4},
 int8[4, 3] rows = {1, 2, 3, 8, 10, 12, 7, 8, 9, 10, 11, 12}, float[4] by_row = {0.1, 0.05, 0.1, 0.1},
 int8[4, 3] columns = {2, 2, 3, 8, 5, 6, 14, 8, 9, 20, 11, 12}, float[3] by_column = {0.05, 0.1, 0.1},
 int8[4, 3] counted = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, float tenth = {0.1}, int8 no = {0},
 int64[2] space = {2, 3}, int64[2] ends = {-2, -1}, int64[1] width = {1}, int64[2] flat = {0, -1}>
{
BODY
    probabilities = Softmax <axis = 1> (logits)
}
"""
MEAN = "features = ReduceMean <keepdims = 0> (maps, space)\n"


def built(body):
    model = onnx.parser.parse_model(HEAD.replace("BODY", body))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def restored(parts, axis):
    """A head whose weights are stored as whole numbers."""
    return f"w = DequantizeLinear <axis = {axis}> ({parts})\n logits = Gemm (features, w, bias)"


@pytest.mark.parametrize(
    ("head", "factor", "shift"),
    [
        ("logits = Gemm (features, weights, bias)", 1, [1, 2, 3]),
        ("logits = Gemm <transB = 1> (features, turned, bias)", 1, [1, 2, 3]),
        ("logits = Gemm <alpha = 3.0, beta = 0.5> (features, weights, bias)", 3, [0.5, 1, 1.5]),
        ("logits = Gemm (features, weights)", 1, [0, 0, 0]),
        (restored("rows, by_row", 0), 1, [1, 2, 3]),
        (restored("columns, by_column", 1), 1, [1, 2, 3]),
        (restored("columns, by_column", -1), 1, [1, 2, 3]),
        (restored("counted, tenth", 1), 1, [1, 2, 3]),
        ("m = MatMul (features, weights)\n logits = Add (m, bias)", 1, [1, 2, 3]),
        ("m = MatMul (features, weights)\n logits = Add (bias, m)", 1, [1, 2, 3]),
        (
            "m = Gemm (features, weights, bias)\n t = Div (m, two)\n logits = Sub (t, bias)",
            0.5,
            [-0.5, -1, -1.5],
        ),
        ("m = Gemm (features, weights, bias)\n t = Mul (two, m)\n logits = Identity (t)", 2, [2, 4, 6]),
    ],
)
def test_a_linear_head_is_read_however_it_is_written(head, factor, shift):
    content = built(MEAN + head)
    found = read_out(read_model(content))
    np.testing.assert_allclose(found.head.weights, factor * np.arange(1, 13).reshape(4, 3) / 10, rtol=1e-6)
    np.testing.assert_allclose(found.head.bias, shift)
    assert (found.logits, found.head.features, found.stacked) == ("logits", "features", None)
    assert [(part.map, part.kind, part.axes) for part in found.parts] == [("maps", "mean", (2, 3))]


@pytest.mark.parametrize(
    ("pool", "kind", "scale"),
    [
        ("features = ReduceMax <keepdims = 0> (maps, space)", "max", 1),
        ("features = ReduceMean <keepdims = 0> (maps, ends)", "mean", 1),
        ("p = GlobalAveragePool (maps)\n features = Flatten (p)", "mean", 1),
        ("p = GlobalMaxPool (maps)\n q = Reshape (p, flat)\n features = Mul (q, two)", "max", 2),
        ("p = ReduceMax (maps, space)\n q = Div (p, two)\n features = Squeeze (q, space)", "max", 0.5),
    ],
)
def test_pools_are_read_however_they_are_written(pool, kind, scale):
    (part,) = read_out(read_model(built(pool + "\n logits = Gemm (features, weights, bias)"))).parts
    assert (part.map, part.kind, part.axes, part.scale) == ("maps", kind, (2, 3), scale)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (MEAN + "r = Relu (features)\n logits = Gemm (r, weights, bias)", "Relu stands between maps"),
        (MEAN + "m = Gemm (features, weights, bias)\n logits = Tanh (m)", "Tanh stands between maps"),
        (MEAN + "w = DequantizeLinear (counted, tenth, no)\n logits = Gemm (features, w, bias)", "computed"),
        (MEAN + restored("rows, by_row", 1), "computed"),
        (MEAN + "m = Mul (features, each)\n logits = Gemm (m, weights, bias)", "multiplied one by one"),
        (MEAN + "m = Mul (features, features)\n logits = Gemm (m, weights, bias)", "Mul stands between"),
        (("p = ReduceMean <keepdims = 0> (maps, width)\n f = Flatten (p)\n g = Identity (f)\n"
         "logits = Gemm (g, weights, bias)"), "nothing makes|pooled"),
        ("f = Flatten (maps)\n logits = Gemm (f, weights, bias)", "nothing makes the features 'maps'"),
    ],
)  # fmt: skip
def test_what_is_not_linear_is_not_taken_for_it(body, reason):
    if "width" in body:  # channels are averaged, not places: (1,) stands for rows of tokens alone
        (part,) = read_out(read_model(built(body))).parts
        assert part.axes == (1,)
        return
    with pytest.raises(NotLinear, match=reason):
        read_out(read_model(built(body)))


def test_without_a_softmax_or_a_sigmoid_there_are_no_scores():
    text = HEAD.replace("BODY", MEAN + "logits = Gemm (features, weights, bias)").replace(
        "Softmax <axis = 1>", "Relu"
    )
    model = read_model(onnx.parser.parse_model(text).SerializeToString())
    assert logits_of(model) is None
    with pytest.raises(NotLinear, match="neither a softmax nor a sigmoid"):
        read_out(model)


def test_values_inside_a_graph_become_outputs_and_the_rest_stays():
    content = built(MEAN + "logits = Gemm (features, weights, bias)")
    more = with_outputs(content, ["features", "logits"])
    assert more.startswith(content)
    session = onnxruntime.InferenceSession(more)
    assert [output.name for output in session.get_outputs()] == ["probabilities", "features", "logits"]
    maps = np.random.default_rng(0).random((2, 4, 6, 6), dtype=np.float32)
    probabilities, features, _ = session.run(None, {"maps": maps})
    np.testing.assert_allclose(features, maps.mean((2, 3)), rtol=1e-6)
    (alone,) = onnxruntime.InferenceSession(content).run(None, {"maps": maps})
    np.testing.assert_array_equal(probabilities, alone)
    assert onnx.load_model_from_string(more).graph.output[2].name == "logits"
