"""Weights and activations of 8 bits: the same file but for its network, and close to it."""

import json

import numpy as np
import onnx
import pytest

import fieldguide
from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports.activations import round_activations
from layered_model import write_layered_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory, paint_classes):
    folder = tmp_path_factory.mktemp("trained")
    photos = paint_classes(folder / "photos", {"red": 20, "green": 20, "blue": 20})
    fieldguide.train(photos, out=folder / "model.onnx", preset="fast", progress=False)
    return folder / "model.onnx"


@pytest.fixture(scope="module")
def squares(trained):
    model = fieldguide.load(trained)
    return [model.prepare(path) for path in sorted((trained.parent / "photos").rglob("*.png"))]


@pytest.fixture(scope="module")
def rounded(trained, squares, tmp_path_factory):
    path = tmp_path_factory.mktemp("rounded") / "small.onnx"
    path.write_bytes(round_activations(load_model_file(trained), squares[::2]))
    return path


def test_answers_are_nearly_the_same(trained, rounded, squares):
    before, after = (fieldguide.load(path).run(np.stack(squares[1::2])) for path in (trained, rounded))
    assert (before.probabilities.argmax(1) == after.probabilities.argmax(1)).mean() > 0.9
    assert np.abs(before.probabilities - after.probabilities).mean() < 0.05
    assert not np.array_equal(before.probabilities, after.probabilities)


def test_photos_of_any_size_are_still_taken(trained, rounded):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 300, 200, 3), dtype=np.uint8)
    (before,), (after,) = (fieldguide.load(path).predict(list(pixels)) for path in (trained, rounded))
    np.testing.assert_allclose(before.probabilities, after.probabilities, atol=0.2)


def test_convolutions_see_whole_numbers_and_the_classifier_does_not(rounded):
    graph = onnx.load(rounded).graph
    made = {name: node for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    for node in convolutions:
        assert made[node.input[0]].op_type == made[node.input[1]].op_type == "DequantizeLinear"
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    weights = [made[node.input[1]].input[0] for node in convolutions]
    assert {types[name] for name in weights} == {onnx.TensorProto.INT8}
    head = [name for name in types if name.startswith("head/") and types[name] == onnx.TensorProto.FLOAT]
    assert head


def test_the_card_says_what_it_was_made_from(trained, rounded):
    before, after = load_model_file(trained), load_model_file(rounded)
    assert after.card["exported"] == {"to": "int8", "from": before.digest, "activations": True}
    assert "ranges from 30 photos" in after.card["choices"][-1]
    kept = {name: value for name, value in after.card.items() if name not in ("exported", "choices")}
    assert kept == {name: value for name, value in before.card.items() if name != "choices"}
    assert json.dumps(after.card["choices"][:-1]) == json.dumps(before.card["choices"])
    assert rounded.stat().st_size < 0.5 * trained.stat().st_size


def test_the_same_photos_give_the_same_bytes(trained, squares, rounded):
    assert round_activations(load_model_file(trained), squares[::2]) == rounded.read_bytes()


def test_a_model_without_such_a_network_says_so(tmp_path):
    model = load_model_file(write_layered_model(tmp_path / "layered.onnx"))
    with pytest.raises(OptionError, match="--calibrate needs a network of convolutions"):
        round_activations(model, [np.zeros((8, 8, 3), np.uint8)])
