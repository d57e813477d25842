"""What frozen layers make of images, computed once a variant."""

from types import SimpleNamespace

import numpy as np
import torch

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.finetune.cache import ActivationCache, Fresh, FrozenActivations, Variants
from fieldguide.recipes.networks.network import FeatureNetwork
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan
from fieldguide.training.share import BatchPart


def test_what_is_kept_in_half_precision_comes_back():
    kept = FrozenActivations(4, (2, 3, 3), (5,), None)
    values, early = torch.randn(4, 2, 3, 3), torch.randn(4, 5) * 1e6
    kept.put(0, values, early)
    found, standing = kept.get(torch.tensor([2, 0]), torch.device("cpu"))
    torch.testing.assert_close(found, values[[2, 0]], rtol=1e-3, atol=1e-3)
    assert standing.abs().max() <= 65504
    assert standing.isfinite().all()


def images_of(count=5, held=2):
    pixels = np.arange(count * 4 * 4 * 3, dtype=np.uint8).reshape(count, 4, 4, 3)
    numbers = np.arange(count) % 2
    learn, out = np.arange(count - held), np.arange(count - held, count)
    return SimpleNamespace(table=SimpleNamespace(images=pixels), numbers=numbers, learn=learn, held=out)


class Body(torch.nn.Module):
    """Frozen layers that give the pixels, and count what passes."""

    def __init__(self):
        super().__init__()
        self.passed = 0

    def first(self, images):
        self.passed += len(images)
        return images, images.mean((2, 3))


def test_each_variant_passes_the_frozen_layers_once():
    images, body = images_of(), Body()
    features = FeatureNetwork(torch.nn.Identity(), Preprocessing(4))
    told = []
    keep = ActivationCache(Augmentation(), 2, progress=lambda *now: told.append(now))
    plan = Plan(images=3, epochs=4, batch_size=2)
    variants = Variants(SimpleNamespace(body=body), images, features, plan, keep)
    cpu = torch.device("cpu")
    for epoch in range(4):
        (values, early), labels = variants.learn(torch.tensor([2, 0]), epoch, (None, BatchPart.whole(2)), cpu)
    assert body.passed == 2 * 3
    expected = features.normalised(torch.from_numpy(images.table.images[[2, 0]]).permute(0, 3, 1, 2))
    torch.testing.assert_close(values, expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(early, expected.mean((2, 3)), rtol=1e-2, atol=1e-3)
    assert labels.tolist() == [0, 0]
    for _ in range(2):
        held = [labels.tolist() for _, labels in variants.held(cpu)]
    assert held == [[1, 0]] and body.passed == 8
    assert told[-1] == ("frozen layers", 2, 2) and told[0] == ("frozen layers, variant 1", 3, 3)


def test_fresh_images_are_augmented_and_those_held_out_are_not():
    images = images_of()
    features = FeatureNetwork(torch.nn.Identity(), Preprocessing(4))
    fresh = Fresh(images, features, Augmentation(flip=1))
    plain = features.normalised(torch.from_numpy(images.table.images).permute(0, 3, 1, 2))
    chance = torch.Generator(), BatchPart.whole(1)
    (learned,), _ = fresh.learn(torch.tensor([1]), 0, chance, torch.device("cpu"))
    torch.testing.assert_close(learned, plain[[1]].flip(3))
    (((held,), labels),) = fresh.held(torch.device("cpu"))
    torch.testing.assert_close(held, plain[3:])
    assert labels.tolist() == [1, 0]
