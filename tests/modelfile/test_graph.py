"""The graph of a model file computes what the numbers say, and is a file that is accepted."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import tiny_model
from fieldguide.errors import ModelFileError
from fieldguide.heads.calibration import typicality
from fieldguide.heads.out_of_distribution import MahalanobisDistance
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.graph import (
    Distance,
    Head,
    head_model,
    join,
    model_file,
    pretrained_head_model,
    read_model,
    scored_head_model,
)

FEATURES, CLASSES = 12, 4


@pytest.fixture(scope="module")
def head():
    random = np.random.default_rng(0)

    def floats(*shape):
        return random.normal(size=shape).astype(np.float32)

    return Head(
        weights=floats(FEATURES, CLASSES),
        bias=floats(CLASSES),
        columns=np.array([2, 3, 7, 8, 9]),
        mean=floats(5),
        scale=np.abs(floats(5)) + 0.5,
        directions=floats(5, 3),
        evenness=0.2,
        centres=floats(CLASSES, 5),
        reference=np.sort(random.gamma(3, size=50).astype(np.float32)),
    )


def run(model, **inputs):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def features(count=200, seed=1):
    return np.random.default_rng(seed).normal(size=(count, FEATURES)).astype(np.float32)


def network():
    """From `pixels` to `features`: the first pixels, counted."""
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["pixels"], ["flat"]),
            helper.make_node("Cast", ["flat"], ["features"], to=TensorProto.FLOAT),
        ],
        "network",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", 2, 2, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", FEATURES])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_the_head_computes_what_numpy_does(head):
    given = features()
    got = run(head_model(head), features=given)
    logits = given.astype(float) @ head.weights + head.bias
    odds = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(got["probabilities"], odds / odds.sum(1, keepdims=True), atol=1e-6)
    distance = MahalanobisDistance(
        np.arange(5), head.directions, head.evenness, head.centres, np.ones(5, np.float32)
    )
    distances = distance.distances((given[:, head.columns] - head.mean) / head.scale)
    np.testing.assert_allclose(got["typicality"], typicality(head.reference, distances), atol=1e-6)
    assert len(np.unique(got["typicality"])) > 10
    assert got["typicality"].min() == pytest.approx(1 / 51)
    np.testing.assert_array_equal(got["embedding"], given)


def test_scores_of_any_classifier_become_tempered_probabilities(head):
    scores, given = features(50, seed=2)[:, :CLASSES], features(50)
    log_priors = np.log([0.7, 0.1, 0.1, 0.1])
    distance = Distance(
        **{name: value for name, value in vars(head).items() if name not in ("weights", "bias")}
    )
    got = run(scored_head_model(distance, FEATURES, 2.5, log_priors), scores=scores, features=given)
    odds = np.exp(scores / 2.5 + log_priors)
    np.testing.assert_allclose(got["probabilities"], odds / odds.sum(1, keepdims=True), atol=1e-6)
    linear = run(head_model(head), features=given)
    np.testing.assert_array_equal(got["typicality"], linear["typicality"])
    np.testing.assert_array_equal(got["embedding"], given)


def test_an_image_as_far_as_a_held_out_one_counts_it(head):
    """On its own class mean the distance is 0, which is as near as anything can be; equal ones count."""
    plain = Head(
        **{**vars(head), "reference": np.array([0, 0, 5], np.float32), "mean": np.zeros(5, np.float32)}
    )
    plain = Head(
        **{**vars(plain), "scale": np.ones(5, np.float32), "centres": np.zeros((CLASSES, 5), np.float32)}
    )
    got = run(head_model(plain), features=np.zeros((1, FEATURES), np.float32))
    assert got["typicality"].tolist() == [1]


def test_a_network_with_its_own_classes_is_never_surprised():
    logits = features(6)[:, :CLASSES] * 50
    got = run(pretrained_head_model(CLASSES, FEATURES), logits=logits, features=features(6))
    np.testing.assert_allclose(got["probabilities"].sum(1), 1, atol=1e-6)
    np.testing.assert_array_equal(got["probabilities"].argmax(1), logits.argmax(1))
    assert got["typicality"].tolist() == [1] * 6


def test_joined_models_run_one_after_the_other(head):
    pixels = np.random.default_rng(3).integers(0, 256, (5, 2, 2, 3), dtype=np.uint8)
    whole = join(network(), head_model(head), ("features",))
    onnx.checker.check_model(whole, full_check=True)
    apart = run(head_model(head), features=run(network(), pixels=pixels)["features"])
    for name, value in run(whole, pixels=pixels).items():
        np.testing.assert_array_equal(value, apart[name])
    assert {output.name for output in whole.graph.output} == {"probabilities", "typicality", "embedding"}


@pytest.fixture(scope="module")
def content(head):
    return written(head)


PREPROCESSING = tiny_model.Preprocessing(2)


def written(head, names=("ä", "b", "c", "d"), **changes):
    card = tiny_model.card(names, preprocessing=PREPROCESSING.as_dict(), **changes)
    return model_file(join(network(), head_model(head), ("features",)), PREPROCESSING, card)


def test_each_set_of_operators_is_named_once(content):
    named = [entry.domain for entry in onnx.load_model_from_string(content).opset_import]
    assert named == sorted(set(named))


def test_the_file_is_sealed_and_accepted(content, head, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    opened = load_model_file(path)
    assert opened.classes == ("ä", "b", "c", "d")
    assert opened.preprocessing == PREPROCESSING
    for place in (100, len(content) // 2, len(content) - 10):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ModelFileError):
            load_model_file(path)


def test_the_file_computes_from_images_of_any_size(content, head, tmp_path):
    image = np.random.default_rng(4).integers(0, 256, (1, 9, 5, 3), dtype=np.uint8)
    got = run(onnx.ModelProto.FromString(content), image=image)
    pixels = PREPROCESSING.resize(tiny_model_image(image[0]))[None]
    np.testing.assert_array_equal(got["embedding"], pixels.reshape(1, FEATURES).astype(np.float32))
    expected = run(head_model(head), features=got["embedding"])
    np.testing.assert_array_equal(got["probabilities"], expected["probabilities"])


def tiny_model_image(pixels):
    from PIL import Image

    return Image.fromarray(pixels)


def test_the_same_bytes_every_time_whatever_the_cards_order(content, head):
    assert written(head) == content
    card = tiny_model.card(("ä", "b", "c", "d"), preprocessing=PREPROCESSING.as_dict())
    backwards = dict(reversed(card.items()))
    again = model_file(join(network(), head_model(head), ("features",)), PREPROCESSING, backwards)
    assert again == content
    assert written(head, seed=1) != content


def test_names_that_are_no_utf8_are_written_and_read_as_they_are(head, tmp_path):
    """A folder named by another encoding, such as latin-1, gives such names."""
    names = ("caf\udce9", "ä", "c", "d")
    path = tmp_path / "model.onnx"
    path.write_bytes(written(head, names))
    assert load_model_file(path).classes == names


def test_a_card_that_no_json_can_hold_is_not_written(head):
    with pytest.raises(ValueError, match="JSON"):
        written(head, metrics={"accuracy": float("nan")})


def test_a_graph_of_the_cache_is_read(tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(network().SerializeToString())
    assert read_model(path) == network()
