"""A network in torch with a file of any publisher is the one that is built without torch."""

import numpy as np
import onnxruntime
import pytest
import torch

from fieldguide.backbones.plain.build import build
from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.taps import DEFAULT_TAPS
from fieldguide.backbones.timm_networks.build import build_tapped
from fieldguide.backbones.timm_networks.published import build_published, create_published
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import Preprocessing
from random_weights import layouts, write_weights

_SMALL = "mobilenetv1_100 mobilenetv2_100 mobilenetv3_large_100 efficientnet_b0 inception_v3 resnet50 vgg11"
LIGHT = frozenset(_SMALL.split())
CASES = [
    pytest.param(architecture, at, marks=() if architecture in LIGHT else pytest.mark.long)
    for architecture in ARCHITECTURES
    for at in range(len(layouts(architecture)))
]


@pytest.mark.parametrize(("architecture", "at"), CASES)
def test_torch_computes_what_the_table_says(tmp_path, architecture, at):
    if (published := layouts(architecture)[at]).layout.publisher == "Keras":
        pytest.importorskip("h5py")
    path = write_weights(tmp_path / "w", architecture, published, classes=7)
    how = Preprocessing(107)  # sides that halve to odd ones, where publishers pad differently
    built = build(architecture, path, how, head=True)
    tapped = build_tapped(architecture, built.preprocessing, path, taps=DEFAULT_TAPS, head=True)
    images = np.random.default_rng(1).integers(0, 256, (2, 107, 107, 3), dtype=np.uint8)
    wanted = onnxruntime.InferenceSession(built.model).run(["logits", "features"], {"pixels": images})
    with torch.inference_mode():
        found = tapped(torch.from_numpy(images))
    assert tapped.depths == built.depths
    assert wanted[0].shape == (2, 7)
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.abs(ours.numpy() - theirs).max() <= 1e-4 * np.abs(theirs).max()


@pytest.mark.parametrize("architecture", ["mobilenetv2_100", "vgg11"])
def test_another_process_can_make_the_same_network_without_the_file(tmp_path, architecture):
    published = layouts(architecture)[1]
    path = write_weights(tmp_path / "w", architecture, published, classes=7)
    form = build(architecture, path, Preprocessing(96)).form
    assert (form.publisher, form.classes) == ("torchvision", 7)
    whole, empty = build_published(architecture, path), create_published(architecture, form)
    empty.load_state_dict(whole.state_dict())


def test_a_file_of_another_network_is_called_by_its_name(tmp_path):
    path = write_weights(tmp_path / "w", "resnet18", layouts("resnet18")[0])
    with pytest.raises(BackboneError, match=r"does not fit resnet34 .*looks like resnet18: give that name"):
        build_published("resnet34", path)
