"""Inception V3 without torch: its blocks, its smallest image, its second classifier."""

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file

from fieldguide.backbones.plain.build import build
from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.plain.inception import BLOCKS, InceptionV3
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import Preprocessing
from random_weights import invented, write_weights

TIMM = ARCHITECTURES["inception_v3"][0]


def test_keras_lists_every_convolution_once():
    for block in BLOCKS:
        assert sorted(block.listed) == list(range(len(block.units)))
    network = InceptionV3()
    assert sorted(network.listed()) == sorted(network.places())
    assert len(set(network.places())) == 94


def test_too_small_an_image_is_refused(tmp_path):
    path = write_weights(tmp_path / "w", "inception_v3", TIMM)
    with pytest.raises(BackboneError, match="takes images of 75 pixels or more, got 74; choose a larger"):
        build("inception_v3", path, Preprocessing(74))
    assert build("inception_v3", path, Preprocessing(75)).depths[-1][0] == "Mixed_7c:max"


def test_the_classifier_that_helps_training_alone_is_left_out(tmp_path):
    state = invented("inception_v3", TIMM)
    save_file(state, tmp_path / "without.safetensors")
    aux = {"AuxLogits.fc.weight": np.ones((1000, 768), np.float32)}
    save_file({**state, **aux}, tmp_path / "with.safetensors")
    first, second = (
        build("inception_v3", tmp_path / f"{name}.safetensors", Preprocessing(75))
        for name in ("without", "with")
    )
    assert first.model == second.model


@pytest.mark.parametrize(("publisher", "counts"), [(0, 1), (1, 0)])
def test_margins_count_in_means_or_not(tmp_path, publisher, counts):
    if publisher:
        pytest.importorskip("h5py")
    path = write_weights(tmp_path / "w", "inception_v3", ARCHITECTURES["inception_v3"][publisher])
    model = onnx.load_from_string(build("inception_v3", path, Preprocessing(75)).model)
    pools = [node for node in model.graph.node if node.op_type == "AveragePool"]
    assert len(pools) == 9
    for pool in pools:
        assert {a.name: a.i for a in pool.attribute}["count_include_pad"] == counts
