"""Features of a network, with mirror images and shifts, and the batches it is fed with."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn.network import Convolutional
from fieldguide.recipes.networks.network import (
    Batches,
    FeatureNetwork,
    NetworkClassifier,
    binary_loss,
    tag_targets,
    validated,
)


def test_views_of_an_image_count_as_they_should():
    """With one view for each side, an image and its mirror image get the same features; shifts are halved."""
    images = torch.randint(
        0, 256, (2, 32, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    body = Convolutional((8, 8, 8)).eval()
    torch.nn.init.normal_(body.whiten.weight)
    preprocessing = Preprocessing(32)
    both = FeatureNetwork(body, preprocessing, mirrored=True).eval()
    torch.testing.assert_close(both(images)[0], both(images.flip(2))[0])
    every = FeatureNetwork(body, preprocessing, mirrored=True, shifted=True).eval()
    padded = nn.functional.pad(every.normalised(images.permute(0, 3, 1, 2)), (1, 1, 1, 1), mode="reflect")
    places = {(1, 1): 0.25, (0, 0): 0.125, (2, 2): 0.125}
    expected = sum(
        share * (body(view) + body(view.flip(3)))
        for (down, right), share in places.items()
        for view in [padded[:, :, down : down + 32, right : right + 32]]
    )
    torch.testing.assert_close(every(images)[0], expected)


def images_of(pixels, held=2):
    count = len(pixels)
    learn, out = np.arange(count - held), np.arange(count - held, count)
    return SimpleNamespace(
        table=SimpleNamespace(images=pixels), numbers=np.arange(count) % 3, learn=learn, held=out
    )


def test_pixels_are_normalised_as_the_preprocessing_says():
    preprocessing = Preprocessing(4, mean=(0.5, 0.25, 0.0), std=(0.5, 0.5, 1.0))
    network = FeatureNetwork(nn.Identity(), preprocessing)
    white = network.normalised(torch.full((1, 3, 4, 4), 255, dtype=torch.uint8))
    torch.testing.assert_close(white[0, :, 0, 0], torch.tensor([1.0, 1.5, 1.0]))


def test_batches_are_served_by_row_of_those_to_learn_from():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 3), dtype=np.uint8)
    batches, cpu = Batches(images_of(pixels)), torch.device("cpu")
    images, labels = batches.learn(torch.tensor([4, 1]), cpu)
    assert (images.numpy() == pixels[[4, 1]].transpose(0, 3, 1, 2)).all()
    assert labels.tolist() == [1, 1]
    held = list(batches.held(cpu, 1))
    assert [labels.tolist() for _, labels in held] == [[2], [0]]
    assert (held[1][0].numpy() == pixels[[6]].transpose(0, 3, 1, 2)).all()


def test_validation_is_the_mean_over_all_images_held_out():
    pixels = np.zeros((5, 4, 4, 3), np.uint8)
    linear = nn.Linear(3, 3)
    nn.init.zeros_(linear.weight)
    with torch.no_grad():
        linear.bias.copy_(torch.tensor([0.0, 2.0, 0.0]))
    network = NetworkClassifier(FeatureNetwork(Means(), Preprocessing(4)), linear)
    loss, accuracy = validated(network, Batches(images_of(pixels, held=3)), "32-true", batch=2)
    expected = nn.functional.cross_entropy(linear.bias.expand(3, 3), torch.tensor([2, 0, 1]))
    assert loss == pytest.approx(float(expected.detach())) and accuracy == pytest.approx(1 / 3)


class Means(nn.Module):
    def forward(self, images):
        return images.mean((2, 3))


def test_validation_of_tags_leaves_out_what_is_not_known():
    images = images_of(np.zeros((5, 4, 4, 3), np.uint8), held=3)
    images.numbers = np.array([[0, 0], [0, 0], [1, 0], [0, -1], [1, 1]], np.int8)
    linear = nn.Linear(3, 2)
    nn.init.zeros_(linear.weight)
    with torch.no_grad():
        linear.bias.copy_(torch.tensor([0.0, 2.0]))
    network = NetworkClassifier(FeatureNetwork(Means(), Preprocessing(4)), linear)
    loss, precision = validated(network, Batches(images), "32-true", batch=2)
    assert loss == pytest.approx((3 * np.log(2) + np.log1p(np.exp(2)) + np.log1p(np.exp(-2))) / 5)
    assert precision == pytest.approx((2 / 3 + 1 / 2) / 2)  # all photos are equally probable


def test_the_loss_of_tags_where_nothing_is_known_is_nothing():
    scores = torch.randn(2, 3, requires_grad=True)
    loss = binary_loss(scores, tag_targets(torch.full((2, 3), -1)))
    loss.backward()
    assert float(loss.detach()) == 0 and scores.grad.abs().max() == 0
