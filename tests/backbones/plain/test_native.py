"""What is known of timm's pretrained networks without timm."""

import pytest
import timm

from fieldguide.backbones.catalogue import catalogue
from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.plain.names import NAMES, architecture_of
from fieldguide.backbones.plain.native import native_preprocessing
from fieldguide.backbones.timm_networks.build import native_preprocessing as by_timm


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_every_pretrained_network_is_prepared_as_timm_says(architecture):
    names = timm.list_pretrained(architecture)
    assert names
    for name in names:
        assert architecture_of(name) == architecture
        for head in (False, True):
            assert native_preprocessing(name, 96, head) == by_timm(name, 96, head)


def test_most_convolutional_networks_of_the_catalogue_need_no_torch():
    torchless = {backbone.name for backbone in catalogue() if architecture_of(backbone.timm_name)}
    assert torchless == {
        *(f"efficientnet_lite{level}" for level in range(3)),
        *("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "vgg16"),
        *("resnet18", "resnet34", "resnet50", "inception_v3"),
    }


def test_transformers_do():
    assert architecture_of("vit_small_patch14_dinov2.lvd142m") is None


def test_the_names_are_those_of_the_tables():
    assert set(ARCHITECTURES) == NAMES
