"""What a file holds of a network's end."""

import pytest

from fieldguide.backbones.plain.build import build
from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.plain.form import NetworkForm
from fieldguide.images.preprocessing import Preprocessing
from random_weights import NARROW, write_weights


@pytest.mark.parametrize(
    ("architecture", "at", "form"),
    [
        ("resnet18", 0, NetworkForm("timm and torchvision", 7)),
        ("mobilenetv2_100", 1, NetworkForm("torchvision", 7)),
        ("vgg11", 1, NetworkForm("torchvision", 7, NARROW)),
    ],
)
def test_publisher_and_classes_are_told(tmp_path, architecture, at, form):
    path = write_weights(tmp_path / "w", architecture, ARCHITECTURES[architecture][at], classes=7)
    assert build(architecture, path, Preprocessing(64)).form == form
