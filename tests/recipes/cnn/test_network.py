"""The small convolutional network: whitening, widths, and blocks that begin as identities."""

import pytest
import torch

from fieldguide.recipes.cnn.network import (
    FEATURE_SCALE,
    Convolutional,
    ConvolutionBlock,
    stride_for,
    widths_for,
)


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        (32, (64, 256, 256)),
        (40, (64, 256, 256)),
        (64, (64, *(256,) * 3)),
        (96, (64, *(256,) * 3)),
        (128, (64, *(256,) * 3)),
        (192, (64, *(256,) * 4)),
    ],
)
def test_larger_images_get_more_blocks(size, widths):
    assert widths_for(size) == widths


def test_widths_can_be_multiplied():
    assert widths_for(32, 1.5) == (96, 384, 384)


def test_patches_are_whitened():
    """What the first layer gives of the images that set it is uncorrelated; each direction comes twice."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(3, 3, generator=generator)
    images = torch.einsum("nchw,cd->ndhw", torch.randn(50, 3, 12, 12, generator=generator), mixing)
    network = Convolutional((8, 8))
    network.set_whitening(images)
    values = network.whiten(images).transpose(0, 1).flatten(1)
    half = len(values) // 2
    torch.testing.assert_close(values[:half], -values[half:])
    found = values[:half] @ values[:half].T / values.shape[1]
    torch.testing.assert_close(found, torch.eye(half), atol=0.03, rtol=0)


def test_the_first_layer_is_never_learned_but_for_its_bias():
    network = Convolutional((8,))
    assert not network.whiten.weight.requires_grad
    network.train_whitening(False)
    assert not network.whiten.bias.requires_grad
    network.train_whitening(True)
    assert network.whiten.bias.requires_grad


def test_a_block_begins_as_an_identity_and_halves_the_sides():
    block = ConvolutionBlock(4, 6)
    maps = torch.randn(2, 4, 8, 8)
    first = block.layers[0](maps)
    torch.testing.assert_close(first[:, :4], maps)
    assert block(maps).shape == (2, 6, 4, 4)


def test_features_are_the_largest_value_of_each_last_map():
    network = Convolutional((8, 8)).eval()
    images = torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        maps = network.blocks(torch.nn.functional.gelu(network.whiten(images)))
        torch.testing.assert_close(network(images), maps.flatten(2).max(2).values * FEATURE_SCALE)


def test_the_first_layer_of_large_images_shrinks_them_and_keeps_the_main_directions():
    assert [stride_for(size) for size in (32, 64, 65, 128)] == [1, 1, 2, 2]
    images = torch.randn(30, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    network = Convolutional((8, 8), stride=2)
    network.set_whitening(images)
    values = network.whiten(images)
    assert values.shape == (30, 48, 9, 9)
    half = values.transpose(0, 1).flatten(1)[:24]
    assert half.var(1).min() > 0.7
    assert half.var(1).max() < 1.4


def test_whitening_in_parts_is_that_of_all_images():
    images = torch.randn(500, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    network = Convolutional((8,))
    network.set_whitening(images)
    patches = torch.nn.functional.unfold(images, 2).transpose(1, 2).reshape(-1, 12).double()
    moments = network.whiten.weight.detach()[:12].reshape(12, 12).double() @ (
        patches.T @ patches / len(patches)
    )
    whitened = moments @ network.whiten.weight.detach()[:12].reshape(12, 12).double().T
    torch.testing.assert_close(whitened, torch.eye(12, dtype=torch.float64), atol=1e-2, rtol=0)
