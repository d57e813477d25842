"""Statistics of batch normalisation: how far the photos' are from those of before, and theirs instead."""

import math

import pytest
import torch
from torch import nn

from fieldguide.recipes.finetune.statistics import (
    distance,
    measured_statistics,
    put,
    reestimated,
    statistics_of,
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
    made[0].running_mean += 0.5
    return made


@pytest.fixture
def images():
    """Four channels' worth of numbers with a mean of 2 and a deviation of 3."""
    return 2 + 3 * torch.randn(64, 3, 5, 5, generator=torch.Generator().manual_seed(1))


def through(network, images, batch=16):
    def run():
        with torch.no_grad():
            for part in images.split(batch):
                network(part)
        return len(images)

    return run


def test_what_is_measured_is_mean_and_variance_over_all_batches(network, images):
    found, count = measured_statistics(network, through(network, images, batch=24))  # the last is smaller
    mean, variance = found["0"]
    assert count == 64 and set(found) == {"0", "2"}
    torch.testing.assert_close(mean, images.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(variance, images.var((0, 2, 3), correction=0), rtol=1e-4, atol=1e-5)
    assert not network[0]._forward_pre_hooks, "nothing goes on measuring"


def test_the_distance_is_that_of_normal_distributions(images):
    alone = nn.BatchNorm2d(3).eval()
    network = nn.Sequential(alone)
    found = distance(network, *measured_statistics(network, through(network, images)))
    assert (found.images, found.layers) == (64, 1)
    assert found.means == pytest.approx(2, abs=0.1)  # from a mean of 0 and a deviation of 1
    assert found.variances == pytest.approx(9, abs=0.5)
    assert found.nats == pytest.approx(0.5 * (9 + 4 - 1 - math.log(9)), abs=0.4)


def test_images_as_before_are_at_no_distance(network, images):
    own = reestimated(network, through(network, images))
    put(network, own, 1.0)
    found = distance(network, *measured_statistics(network, through(network, images)))
    assert found.means < 0.05 and found.variances < 1.1 and found.nats < 0.01


def test_a_network_without_batch_normalisation_has_no_distance(images):
    network = nn.Sequential(nn.Conv2d(3, 4, 1)).eval()
    assert distance(network, *measured_statistics(network, through(network, images))) is None


def test_measuring_anew_leaves_the_network_as_it_was(network, images):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    reestimated(network, through(network, images))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module.training for module in network.modules())
    assert network[0].momentum == 0.1


def test_each_layer_is_measured_on_what_the_ones_before_make_of_it_with_theirs(network, images):
    own = reestimated(network, through(network, images, batch=64))
    with torch.no_grad():
        normal = (images - images.mean((0, 2, 3), keepdim=True)) / images.std((0, 2, 3), keepdim=True)
        mean = network[1](normal).mean((0, 2, 3))
    torch.testing.assert_close(own["2"][0], mean, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_share_of_the_way_is_gone(network, images, share):
    before, own = statistics_of(network), reestimated(network, through(network, images))
    put(network, own, share)
    for name, (mean, variance) in statistics_of(network).items():
        torch.testing.assert_close(mean, (1 - share) * before[name][0] + share * own[name][0])
        torch.testing.assert_close(variance, (1 - share) * before[name][1] + share * own[name][1])
