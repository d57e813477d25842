"""Own architectures: what the words mean, and what is said where they mean nothing."""

import pytest
import torch
from torch import nn

from fieldguide.errors import OptionError
from fieldguide.recipes.cnn.layers import (
    Residual,
    check_size,
    is_name,
    own_network,
    sketched_network,
    words_of,
)


def kinds(text):
    return [type(layer).__name__ for layer in own_network(text, 32)[0].modules()][1:]


def test_words_become_layers():
    body, features = own_network("conv 8, pool, residual 16, dropout 0.5, dense 12", 32)
    assert features == 12
    assert body(torch.zeros(3, 3, 32, 32)).shape == (3, 12)
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in body.modules()) == 1
    assert sum(isinstance(layer, Residual) for layer in body.modules()) == 1
    assert [layer.p for layer in body.modules() if isinstance(layer, nn.Dropout)] == [0.5]


def test_maps_at_the_end_are_averaged():
    body, features = own_network("conv 8, pool", 32)
    assert features == 8
    maps = body[0](torch.ones(1, 3, 32, 32))
    torch.testing.assert_close(body(torch.ones(1, 3, 32, 32)), maps.mean((2, 3)))


def test_a_short_cut_passes_what_the_layers_add_to():
    block = Residual(4, 4)
    nn.init.zeros_(block.layers[-1].weight)
    maps = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(block(maps), nn.functional.gelu(maps))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "conv 8, convolution 9",
            "layer 2 must be one of conv, residual, pool, dropout, dense; got 'convolution 9'",
        ),
        ("", "layer 1 must be one of"),
        ("conv", "layer 1: write 'conv 64'; got 'conv'"),
        ("conv eight", "layer 1: write 'conv 64'"),
        ("conv 0", "layer 1: write 'conv 64'"),
        ("conv 1.5", "layer 1: write 'conv 64'"),
        ("conv 8, pool 2", "layer 2: write 'pool'"),
        ("conv 8, dropout 1", "layer 2: write 'dropout 0.2'"),
        ("conv 8, dense 4, conv 8", "layer 3, 'conv 8', cannot follow a dense layer"),
        ("conv 8" + ", pool" * 6, "does not take images of 32 × 32 pixels"),
    ],
)
def test_what_cannot_be_built_is_told(text, words):
    with pytest.raises(OptionError) as caught:
        own_network(text, 32)
    assert words in str(caught.value)


@pytest.mark.parametrize("module", [nn.Identity(), nn.Flatten(), nn.Conv2d(3, 5, 3)])
def test_modules_give_features_or_maps(module):
    body, features = own_network(module, 32)
    assert body(torch.zeros(2, 3, 32, 32)).shape == (2, features)


def test_a_module_that_gives_something_else_is_told():
    with pytest.raises(OptionError, match="must give features of shape"):
        own_network(nn.Flatten(2), 32)


def test_a_module_stays_in_its_mode():
    module = nn.Sequential(nn.Dropout(0.5), nn.Flatten()).train()
    assert own_network(module, 32)[0].training


@pytest.mark.parametrize(
    ("text", "named"),
    [
        *((text, True) for text in ("resnet18", " resnet18 ", "conv1")),
        *(
            (text, False)
            for text in ("pool", "conv", "", "conv 8", "conv 8, pool", "resnet18, pool", "pool,pool")
        ),
    ],
)
def test_one_word_that_is_no_layer_is_a_name(text, named):
    assert is_name(text) is named


def test_words_are_as_many_layers_as_they_make():
    text = "conv 8, pool, residual 16, dense 12, dropout 0.5"
    assert sum(count for _, count in words_of(text)) == len(own_network(text, 32)[0])


@pytest.mark.parametrize("architecture", ["conv 8, pool", "resnet18", nn.Conv2d(3, 5, 3, device="meta")])
def test_a_sketch_has_shapes_and_no_weights(architecture):
    body, features = sketched_network(architecture, 32)
    assert {value.device.type for value in body.parameters()} == {"meta"}
    assert body(torch.zeros(2, 3, 32, 32, device="meta")).shape == (2, features)


@pytest.mark.parametrize("size", [15, 513])
def test_sizes_out_of_range_are_told(size):
    with pytest.raises(OptionError, match=f"size: must be 16 to 512 pixels, got {size}"):
        check_size(size)
