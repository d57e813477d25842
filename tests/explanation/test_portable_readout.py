"""What other programs are told of a model's heat maps: enough to compute them, in plain data."""

import json

import numpy as np
import onnxruntime
import pytest

from fieldguide.explanation.contributions import ContributionMapper
from fieldguide.explanation.portable_readout import portable_readout
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.wire_format import with_outputs
from layered_model import write_layered_model
from mapped_model import KINDS, MOVES, write_mapped_model


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_weights_are_the_named_value_times_the_factors(tmp_path, kind):
    file = load_model_file(write_mapped_model(tmp_path / "model.onnx", kind))
    told = json.loads(json.dumps(portable_readout(file)))
    name = told["weights"]["tensor"]
    session = onnxruntime.InferenceSession(with_outputs(file.content, [name]))
    (stated,) = session.run([name], {"image": np.zeros((1, 16, 16, 3), np.uint8)})
    stated = stated.T if told["weights"]["transposed"] else stated
    head = ContributionMapper(file, 1).readout.head
    np.testing.assert_allclose(stated * np.array(told["factors"] or 1), head.weights, rtol=1e-6)
    np.testing.assert_allclose(told["bias"], head.bias)
    assert told["exact"] and told["scores"] == "scores"


def test_parts_and_views_are_told_in_order(tmp_path):
    told = portable_readout(load_model_file(write_mapped_model(tmp_path / "model.onnx", "views")))
    kinds = [(part["map"], part["kind"], part["axes"], part["scale"]) for part in told["parts"]]
    places = [2, 3]
    assert kinds == [
        ("a", "mean", places, 1),
        ("a", "max", places, 1),
        ("b", "mean", places, 1),
        ("b", "max", places, 0.5),
    ]
    moves = [(view["down"], view["across"], view["mirrored"]) for view in told["views"]]
    assert moves == [tuple(move) for move in MOVES]
    np.testing.assert_allclose([view["weight"] for view in told["views"]], [0.4, 0.3, 0.2, 0.1])


def test_one_view_is_the_image_as_it_is(tmp_path):
    told = portable_readout(load_model_file(write_mapped_model(tmp_path / "model.onnx")))
    assert told["views"] == [{"weight": 1.0, "down": 0, "across": 0, "mirrored": False}]
    assert told["factors"] is None


def test_where_scores_do_not_add_up_the_reason_is_told(tmp_path):
    told = portable_readout(load_model_file(write_layered_model(tmp_path / "model.onnx")))
    assert told == {"exact": False, "reason": "MatMul stands between maps and scores"}
