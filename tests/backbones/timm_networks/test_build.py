"""A network in torch from its weights file."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from exports_made import MEANS, SIZE
from fieldguide.backbones.export import export
from fieldguide.errors import BackboneError
from tiny_backbone import tiny_weights


def test_weights_of_another_network_name_the_first_tensor(home, weights):
    state = load_file(weights)
    narrowed = {**state, "blocks.1.0.conv_exp.weight": state["blocks.1.0.conv_exp.weight"][:5].clone()}
    save_file(narrowed, home / "narrowed.safetensors")
    with pytest.raises(
        BackboneError, match=r"narrowed.*tensor blocks\.1\.0\.conv_exp\.weight has shape \(5,"
    ):
        export("test_efficientnet", weights=home / "narrowed.safetensors")
    del narrowed["bn1.bias"]
    save_file(narrowed, home / "short.safetensors")
    with pytest.raises(BackboneError, match=r"tensor bn1\.bias of shape \(24,\) is missing"):
        export("test_efficientnet", weights=home / "short.safetensors")


def test_weights_may_be_a_torch_file(weights, home, tiny):
    torch.save(load_file(weights), home / "same.pth")
    assert export("test_efficientnet", size=SIZE, weights=home / "same.pth", taps=MEANS).digest == tiny.digest


def test_weights_that_are_not_finite_are_refused(weights, home):
    state = load_file(weights)
    state["conv_head.weight"][0] = torch.nan
    save_file(state, home / "nan.safetensors")
    with pytest.raises(BackboneError, match="not finite"):
        export("test_efficientnet", size=SIZE, weights=home / "nan.safetensors")


def test_a_size_that_the_network_does_not_take_is_refused(home):
    with pytest.raises(BackboneError, match="does not take images of 100 pixels"):
        export("test_vit", size=100, weights=tiny_weights(home, "test_vit"))
