"""The tables of networks fit the tensors of those who publish weights."""

import pytest
import timm

from fieldguide.backbones.plain.build import build
from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from plain_made import in_torch, preprocessing

LARGE = ["resnet101", "resnet152", "wide_resnet50_2"]


@pytest.mark.parametrize(
    "name", ["vgg13", "vgg19", "vgg11_bn", *(pytest.param(name, marks=pytest.mark.long) for name in LARGE)]
)
def test_every_other_table_fits_timms_tensors(saved, name):
    built = build(name, saved(name), preprocessing(32), head=True)
    assert built.depths == in_torch(name, 32, True).depths


def test_the_catalogue_holds_what_timm_knows():
    assert not [name for name in ARCHITECTURES if not timm.is_model(name)]
