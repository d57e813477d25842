"""What fine-tuning trains: it begins as the probe, and ends as a classifier without standardisation."""

from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch

from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.finetune.layers import Adapted
from fieldguide.recipes.finetune.network import FineTuned

SIZE, CLASSES = 64, 3


@pytest.fixture(scope="module")
def made():
    """The network, and the probe that it begins with."""
    torch.manual_seed(0)
    network = timm.create_model("test_resnet").eval().requires_grad_(False)
    body = Adapted(TappedNetwork(network, Taps(), ((0.5,) * 3, (0.5,) * 3), SIZE).eval(), 0.5)
    width = sum(width for _, width in body.tapped.depths)
    random = np.random.default_rng(0)
    table = SimpleNamespace(
        mean=random.normal(size=width).astype(np.float32),
        scale=random.uniform(0.5, 2, width).astype(np.float32),
    )
    head = SimpleNamespace(
        weights=random.normal(size=(width, CLASSES)).astype(np.float32),
        bias=random.normal(size=CLASSES).astype(np.float32),
    )
    priors = np.log([0.5, 0.3, 0.2])
    return FineTuned(body, table, head, priors), head, priors


def pixels(count=4):
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def test_it_begins_with_the_probes_scores_less_the_log_priors(made):
    network, head, priors = made
    with torch.no_grad():
        features, scores = network.body(pixels()).numpy(), network(pixels()).numpy()
    np.testing.assert_allclose(scores, features @ head.weights + head.bias - priors, rtol=1e-3, atol=1e-3)


def test_frozen_layers_may_run_beforehand(made):
    network, _, _ = made
    with torch.no_grad():
        values, early = network.body.first(pixels())
        torch.testing.assert_close(network(values, early), network(pixels()), rtol=1e-3, atol=1e-3)


def test_the_classifier_has_the_standardisation_folded_in(made):
    network, _, _ = made
    classifier = network.classifier(Preprocessing(SIZE)).eval()
    with torch.no_grad():
        torch.testing.assert_close(classifier(pixels()), network(pixels()), rtol=1e-3, atol=1e-3)


def test_rates_fall_from_layer_to_layer_and_every_learning_weight_has_one(made):
    """Rests on timm's `timm.optim._param_groups.param_groups_layer_decay`, which is not of its public names.

    Should timm move it: take what it offers in its place in `recipes/finetune/network.py`, or write the
    groups there by hand (one a layer, the rate times `layer_decay` for each layer below the last, no decay
    for norms and biases).
    """
    network, _, _ = made
    groups = network.groups(rate=1e-3, head_rate=5e-4, decay=0.05, layer_decay=0.5)
    learning = {id(value) for value in network.parameters() if value.requires_grad}
    assert {id(value) for group in groups for value in group["params"]} == learning
    *layers, head = groups
    assert {id(value) for value in head["params"]} == {id(value) for value in network.linear.parameters()}
    assert (head["lr"], head["weight_decay"]) == (5e-4, 0.0)
    scales = [group["lr_scale"] for group in layers]
    assert len(set(scales)) > 1 and max(scales) <= 1
    assert {group["lr"] for group in layers} == {1e-3}
    single = [group for group in layers for value in group["params"] if value.ndim == 1]
    assert all(group["weight_decay"] == 0 for group in single)
