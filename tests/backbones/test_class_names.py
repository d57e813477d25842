"""Short, unique names for ImageNet's classes."""

import pytest

from fieldguide.backbones.class_names import class_names
from fieldguide.errors import BackboneError


def test_imagenets_classes_get_short_unique_names():
    names = class_names("x", 1000)
    assert len(set(names)) == len(names) == 1000
    assert names[0] == "tench"
    assert names[281] == "tabby"
    assert names[134].startswith("crane (large long-necked wading bird")
    assert names[517].startswith("crane (lifts and moves heavy objects")
    assert names[638:640] == ("maillot", "maillot, tank suit")


@pytest.mark.parametrize("count", [11821, 21841])
def test_larger_lists_of_classes_are_unique_too(count):
    assert len(set(class_names("x", count))) == count


@pytest.mark.parametrize("count", [0, 10, 512])
def test_a_network_without_imagenet_classes_says_so(count):
    with pytest.raises(BackboneError, match="no ImageNet classes"):
        class_names("clip_base", count)
