"""The nodes of a convolutional network: what they compute, and the sizes that are followed along."""

import numpy as np
import onnxruntime
import pytest

from fieldguide.backbones.plain.graph import GraphBuilder, Kernel, Map, Norm
from fieldguide.backbones.plain.tapped import normalised
from fieldguide.errors import BackboneError


def floats(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def run(graph, last, size):
    """The values of a map for one image of noise."""
    graph.node("Identity", [last.name], "features")
    model = graph.model({"features": last.channels})
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(1).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    return session.run(None, {"pixels": pixels})[0]


def begun(size):
    graph = GraphBuilder(size)
    return graph, normalised(graph, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def test_a_batch_norm_is_folded_into_its_convolution():
    norm = Norm(floats(4), floats(4, seed=1), floats(4, seed=2), np.abs(floats(4, seed=3)) + 0.5, 1e-3)
    kernel = Kernel(floats(4, 3, 1, 1), floats(4, seed=4), norm)
    weight, bias = kernel.folded()
    image = floats(3, seed=5)
    plain = kernel.weight[:, :, 0, 0] @ image + kernel.bias
    expected = (plain - norm.mean) / np.sqrt(norm.variance + 1e-3) * norm.scale + norm.shift
    np.testing.assert_allclose(weight[:, :, 0, 0] @ image + bias, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [8, 9, 15])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 2), (1, 1)])
@pytest.mark.parametrize("padding", ["symmetric", "same", "end", "none"])
def test_the_side_that_is_followed_is_the_side_that_comes(size, kernel, stride, padding):
    graph, image = begun(size)
    made = graph.convolution(image, "c", Kernel(floats(2, 3, kernel, kernel)), stride, padding)
    assert run(graph, made, size).shape == (1, 2, made.side, made.side)
    if padding == "same":
        assert made.side == -(-size // stride)


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("none", lambda x: x),
        ("relu", lambda x: np.maximum(x, 0)),
        ("relu6", lambda x: np.clip(x, 0, 6)),
        ("silu", lambda x: x / (1 + np.exp(-x))),
        ("hard_swish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ],
)
def test_activations_are_those_of_the_papers(kind, function):
    values = []
    for one in ("none", kind):
        graph, image = begun(6)
        wide = graph.convolution(image, "c", Kernel(8 * floats(5, 3, 1, 1)))
        values.append(run(graph, graph.activation(wide, one), 6))
    np.testing.assert_allclose(values[1], function(values[0]), rtol=1e-4, atol=1e-5)


def test_what_was_pooled_is_not_pooled_again():
    graph, image = begun(4)
    assert graph.pooled(image, "mean") == graph.pooled(image, "mean")
    assert graph.pooled(image, "max") != graph.pooled(image, "mean")
    assert len([node for node in graph.model({}).graph.node if node.op_type == "ReduceMean"]) == 1


def test_numbers_that_are_not_finite_are_refused_by_name():
    with pytest.raises(BackboneError, match="network/bad: holds values that are not finite"):
        GraphBuilder(4).constant("bad", np.array([1, np.inf], np.float32))


def test_maps_know_channels_and_side_after_pooling():
    graph, _ = begun(9)
    assert graph.max_pool(Map("image", 3, 9), size=3, stride=2, padding=1).side == 5
