"""A network in two parts gives what it gives whole, and only the second part learns."""

import copy

import pytest
import timm
import torch

from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from fieldguide.recipes.finetune.layers import Adapted, InFloat32, steps_of

SIZES = {
    "test_efficientnet": 64,
    "inception_v3": 75,
    "test_efficientnet_gn": 64,
    "test_resnet": 64,
    "test_convnext": 64,
    "test_vit": 160,
    "mobilenetv3_small_050": 64,
}


def tapped(name):
    torch.manual_seed(0)
    network = timm.create_model(name).eval().requires_grad_(False)
    return TappedNetwork(network, Taps(), ((0.5,) * 3, (0.5,) * 3), SIZES[name]).eval()


def images(name, count=3):
    return torch.randn(count, 3, SIZES[name], SIZES[name], generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("trained", [0.25, 0.6, 0.9])
def test_the_parts_give_what_the_whole_gives(name, trained):
    body = Adapted(tapped(name), trained)
    assert body.frozen_steps >= (trained < 0.9)
    with torch.no_grad():
        whole = body(images(name))
        values, early = body.first(images(name))
        parts = body.rest(values, early)
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)
    assert whole.shape[1] == sum(width for _, width in body.tapped.depths)


@pytest.mark.parametrize("name", SIZES)
def test_only_the_last_layers_learn_and_all_that_they_need(name):
    body = Adapted(tapped(name), 0.4)
    before = {key: value.clone() for key, value in body.state_dict().items()}
    values, early = body.first(images(name))
    assert not values.requires_grad
    loss = body.rest(values, early).square().mean()
    loss.backward()
    learning = [value for value in body.parameters() if value.requires_grad]
    assert 0 < len(learning) < len(list(body.parameters()))
    with torch.no_grad():
        for value in learning:
            value.sub_(0.1)
        again, standing = body.first(images(name))
    assert torch.equal(again, values)
    assert torch.equal(standing, early)
    assert any(not torch.equal(before[key], value) for key, value in body.state_dict().items())


def test_a_network_built_in_another_way_learns_as_a_whole():
    class Other(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3)

        def forward_features(self, images):
            return self.conv(images)

    assert steps_of(Other().eval(), 32) is None


def test_a_network_whose_parts_do_not_add_up_is_not_split():
    network = timm.create_model("test_resnet").eval()
    real = network.forward_features
    network.forward_features = lambda images: real(images) + 1
    assert steps_of(network, 64) is None


def test_statistics_of_norms_stay_as_they_are_in_training():
    body = Adapted(tapped("test_efficientnet"), 1.0)
    before = {key: value.clone() for key, value in body.named_buffers()}
    body.train()
    body(images("test_efficientnet"))
    assert all(torch.equal(before[key], value) for key, value in body.named_buffers())


def test_a_copy_has_its_own_taps():
    body = Adapted(tapped("test_resnet"), 1.0)
    twin = copy.deepcopy(body)
    with torch.no_grad():
        for value in twin.parameters():
            value.mul_(1.1)
        own, others = body(images("test_resnet")), twin(images("test_resnet"))
        assert torch.equal(body(images("test_resnet")), own)
    assert not torch.allclose(own, others)


def depthwise(body):
    return [
        module
        for module in body.modules()
        if isinstance(module, torch.nn.Conv2d) and module.groups == module.in_channels > 1
    ]


def test_depthwise_convolutions_work_in_float32_under_bfloat16():
    body = Adapted(tapped("test_efficientnet"), 1.0)
    found = depthwise(body)
    assert found
    for module in found:
        values = torch.randn(2, module.in_channels, 8, 8).bfloat16()
        with torch.no_grad():
            exact = module(values.float())
            with torch.autocast("cpu", torch.bfloat16):
                half = module(values)
                fine = module(values.float())
        assert half.dtype == torch.bfloat16 and fine.dtype == torch.float32
        assert torch.equal(half, exact.bfloat16())
        assert torch.equal(fine, exact)  # in bfloat16 the weights would have been rounded
    others = [module for module in body.modules() if isinstance(module, torch.nn.Conv2d)]
    assert any(not isinstance(module, InFloat32) for module in others)


def test_a_copy_of_them_works_in_float32_too_and_learns():
    body = copy.deepcopy(Adapted(tapped("test_efficientnet"), 1.0))
    assert all(isinstance(module, InFloat32) for module in depthwise(body))
    with torch.autocast("cpu", torch.bfloat16):
        loss = body(images("test_efficientnet")).float().square().mean()
    loss.backward()
    assert all(module.weight.grad.abs().sum() > 0 for module in depthwise(body))
