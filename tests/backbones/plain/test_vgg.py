"""VGG: its places, and maps that are enlarged."""

import numpy as np
import pytest

from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.plain.vgg import Vgg, shares


@pytest.mark.parametrize(
    ("name", "layers"), [("vgg11", 11), ("vgg13_bn", 13), ("vgg16", 16), ("vgg19_bn", 19)]
)
def test_a_network_has_the_layers_that_its_name_counts(name, layers):
    assert len(list(ARCHITECTURES[name][0].network.places())) + 3 == layers


def test_places_have_the_numbers_of_torchvisions_modules():
    """Convolution and activation, or a norm between them; then the pooling of the stage."""
    stages = ((64, 64), (128,))
    assert dict(Vgg(stages).places()) == {"stage1.1": 0, "stage1.2": 2, "stage2.1": 5}
    assert dict(Vgg(stages, batch_norm=True).places()) == {"stage1.1": 0, "stage1.2": 3, "stage2.1": 7}


@pytest.mark.parametrize("given", [1, 3, 5, 7, 14])
def test_averages_are_over_neighbours_and_sum_to_one(given):
    table = shares(given, 7)
    assert table.shape == (7, given)
    np.testing.assert_allclose(table.sum(1), 1, rtol=1e-6)
    first = [row.nonzero()[0].tolist() for row in table]
    assert all(places == list(range(places[0], places[-1] + 1)) for places in first)
    assert first[0][0] == 0 and first[-1][-1] == given - 1
    if given == 7:
        np.testing.assert_array_equal(table, np.eye(7))
