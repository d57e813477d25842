"""The tables of networks fit the tensors of those who publish weights."""

from pathlib import Path

import numpy as np
import pytest
import timm

from fieldguide.backbones.plain.build import build
from fieldguide.backbones.plain.catalogue import ARCHITECTURES, stated_normalisation
from fieldguide.errors import BackboneError
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


IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.mark.parametrize(
    ("mean", "variance", "wanted"),
    [
        (*IMAGENET, IMAGENET),  # as published: standard deviations, by whose root is divided twice
        ((0.0,) * 3, (1.0,) * 3, ((0.0,) * 3, (1.0,) * 3)),  # of a network that began without weights
        ((0.5,) * 3, (0.04,) * 3, ((0.5,) * 3, (0.2,) * 3)),  # adapted to other photos
    ],
)
@pytest.mark.parametrize("before", ["normalization", "layers/normalization"])
def test_keras_efficientnet_says_how_pixels_are_standardised(mean, variance, wanted, before):
    state = {f"{before}.mean": np.array(mean), f"{before}.variance": np.array(variance)}
    found = stated_normalisation(state, Path("w.h5"))
    np.testing.assert_allclose((found.mean, found.std), wanted, atol=1e-6)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"normalization.mean": np.zeros(3)},
        {"normalization.mean": np.zeros(3), "normalization.variance": np.zeros(3)},
        {"normalization.mean": np.zeros(1), "normalization.variance": np.ones(1)},
        {"normalization.mean": np.full(3, np.nan), "normalization.variance": np.ones(3)},
    ],
)
def test_a_file_that_does_not_say_it_is_refused(state):
    with pytest.raises(BackboneError, match=r"w\.h5: holds no layer 'normalization' with mean and variance"):
        stated_normalisation(state, Path("w.h5"))
