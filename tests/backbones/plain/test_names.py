"""Which networks are built without torch, by name."""

import subprocess
import sys

import pytest

from fieldguide.backbones.plain.names import NAMES, architecture_of


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("resnet18.a1_in1k", "resnet18"),
        ("vgg16_bn", "vgg16_bn"),
        ("resnet18d.ra2_in1k", None),
        ("vit_base_patch16_224", None),
        ("", None),
    ],
)
def test_the_architecture_is_what_stands_before_the_dot(name, architecture):
    assert architecture_of(name) == architecture


def test_no_name_has_a_tag():
    assert not [name for name in NAMES if "." in name]


def test_asking_loads_nothing():
    code = "import sys, fieldguide.backbones.plain.names; assert not {'numpy', 'onnx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
