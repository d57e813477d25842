"""Features of several depths of any network of timm."""

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file

from exports_made import MEANS, pixels, run
from fieldguide.backbones.export import export
from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from tiny_backbone import tiny_weights


def loaded(name, weights):
    network = timm.create_model(name).eval()
    network.load_state_dict(load_file(weights))
    return network


def normalised(images, name):
    config = timm.models.get_pretrained_cfg(name)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (config.mean, config.std))
    return (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std


def test_features_are_means_over_space_of_late_blocks_and_the_final_vector(tiny, weights):
    network = loaded("test_efficientnet", weights)
    images = pixels(5)
    with torch.inference_mode():
        hidden = network.bn1(network.conv_stem(normalised(images, "test_efficientnet")))
        means = []
        for stage in network.blocks:
            for block in stage:
                hidden = block(hidden)
                means.append(hidden.mean((2, 3)))
        final = network.bn2(network.conv_head(hidden)).mean((2, 3))
    expected = torch.cat([*means[3:], final], dim=1).numpy()  # stages 3 and 4 of 0 to 4, one block each
    assert [name for name, _ in tiny.depths] == ["blocks.3.0:mean", "blocks.4.0:mean", "final"]
    np.testing.assert_allclose(run(tiny, images)[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", ["test_vit", "test_resnet", "test_convnext"])
def test_every_family_gives_several_depths(network, home):
    weights = tiny_weights(home, network)
    exported = export(network, weights=weights, head=True)
    size = exported.preprocessing.size
    images = pixels(3, size)
    logits, features = run(exported, images, ("logits", "features"))
    with torch.inference_mode():
        expected = loaded(network, weights)(normalised(images, network)).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-4)
    assert len(exported.depths) >= 2
    assert features.shape == (3, exported.features)
    assert exported.features == sum(width for _, width in exported.depths)
    assert len(exported.classes) == 1000


def tapped(name, taps, size=96):
    torch.manual_seed(0)
    return TappedNetwork(timm.create_model(name).eval(), taps, ((0.5,) * 3, (0.5,) * 3), size)


def test_a_transformer_gives_its_class_token_and_its_patches_of_each_block():
    network = tapped("test_vit", MEANS, 160)
    images = torch.from_numpy(pixels(2, 160))
    with torch.inference_mode():
        features = network(images)[0]
        maps, tokens = zip(
            *network.network.forward_intermediates(
                (images.permute(0, 3, 1, 2) / 255 - 0.5) / 0.5,
                indices=[3, 4, 5],
                norm=True,
                return_prefix_tokens=True,
                intermediates_only=True,
            ),
            strict=True,
        )
    expected = [part for m, t in zip(maps, tokens, strict=True) for part in (t[:, 0], m.mean((2, 3)))]
    torch.testing.assert_close(features, torch.cat(expected, 1), rtol=1e-4, atol=1e-4)


def test_a_vector_that_repeats_the_last_stage_is_left_out():
    names = [name for name, _ in tapped("test_resnet", MEANS).depths]
    assert names == ["layer3:mean", "layer4:mean"]


def test_pooling_is_one_line_to_change():
    network = tapped(
        "test_efficientnet", Taps(since=0.8, pooling=("mean", "max"), final_pooling=("mean", "max"))
    )
    names = [name for name, _ in network.depths]
    assert names == ["blocks.4.0:mean", "blocks.4.0:max", "final", "final:max"]
    with torch.inference_mode():
        features = network(torch.from_numpy(pixels(2, 96)))[0]
    mean, largest = features[:, -512:-256], features[:, -256:]
    assert (largest >= mean).all()
    assert (largest > mean).any()


def test_the_earliest_depths_go_when_the_vector_would_be_too_wide():
    everything = tapped("test_efficientnet", replace(MEANS, since=0)).depths
    less = tapped("test_efficientnet", replace(MEANS, since=0, channels=400)).depths
    assert less == everything[-len(less) :]
    assert sum(w for _, w in less) <= 400 < sum(w for _, w in everything)


def test_channels_last_maps_are_pooled_over_space_too():
    network = tapped("test_mambaout", replace(MEANS, since=0.75), 160)
    (name, width), *_ = network.depths
    images = torch.from_numpy(pixels(1, 160))
    with torch.inference_mode():
        features = network(images)[0]
        normal = (images.permute(0, 3, 1, 2) / 255 - 0.5) / 0.5
        last = network.network.forward_intermediates(normal, indices=1, intermediates_only=True)[0]
    assert name == "stages.3:mean"
    torch.testing.assert_close(features[:, :width], last.mean((2, 3)), rtol=1e-4, atol=1e-4)
