"""Models that are not here yet, without the app."""

import json

import numpy as np
import pytest
from PIL import Image

from fieldguide.backbones.plain.weights import _READERS
from fieldguide.data.catalogue.preparation import MARKER
from fieldguide.errors import BackboneError
from fieldguide.prediction.predictor import load
from fieldguide.workspace import offered_models
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.models import imagenet_file
from fieldguide.workspace.offered_models import CIFAR, MOBILENET, WEIGHT_SUFFIXES, make_from_weights
from random_weights import layouts, write_weights


def test_every_file_that_is_read_may_be_given():
    assert tuple(_READERS) == WEIGHT_SUFFIXES


@pytest.mark.parametrize("at", range(3), ids=["timm", "torchvision", "Keras"])
def test_a_file_of_weights_becomes_a_model(tmp_path, at):
    published = layouts("mobilenetv2_100")[at]
    if published.layout.publisher == "Keras":
        pytest.importorskip("h5py")
    weights = write_weights(tmp_path / "given", "mobilenetv2_100", published)
    made = make_from_weights(MOBILENET, (weights.name, weights.read_bytes()), tmp_path)
    assert made == tmp_path / "mobilenet_v2.onnx"
    answer = load(made).predict([Image.fromarray(np.full((40, 30, 3), 120, np.uint8))])[0]
    assert len(answer.probabilities) == 1000


def test_a_file_that_does_not_fit_is_called_by_its_own_name(tmp_path):
    weights = write_weights(tmp_path / "given", "resnet18", layouts("resnet18")[0])
    with pytest.raises(BackboneError, match=r"^mine\.safetensors: does not fit .*looks like resnet18"):
        make_from_weights(MOBILENET, ("../mine.safetensors", weights.read_bytes()), tmp_path)
    assert not (tmp_path / "mobilenet_v2.onnx").exists()


def test_what_is_at_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(offered_models, "usable_offline", lambda backbone: False)
    assert not offered_models.at_hand(MOBILENET, tmp_path)
    file = imagenet_file(tmp_path, MOBILENET.name)
    file.parent.mkdir()
    file.write_bytes(b"x")
    assert offered_models.at_hand(MOBILENET, tmp_path)


def test_photos_count_as_there_once_all_are_written(tmp_path):
    space = Workspace(tmp_path)
    assert not offered_models.cifar_written(space)
    folder = offered_models.cifar_photos(space)
    folder.mkdir()
    for finished in (False, True):
        (folder / MARKER).write_text(json.dumps({"dataset": CIFAR.name, "finished": finished}))
        assert offered_models.cifar_written(space) is finished
