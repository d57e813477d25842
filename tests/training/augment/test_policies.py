"""RandAugment, MixUp and CutMix, without a trace in the global random numbers."""

import pytest
import torch

from augmented_made import apart, generator
from fieldguide.training.augment import policies
from fieldguide.training.augment.pipeline import Augmentation


def test_rand_augment_is_stronger_with_a_larger_magnitude(batch):
    many = batch.repeat(6, 1, 1, 1)
    weak, strong = (
        apart(Augmentation(rand_augment=m).images(many, generator()), many).mean() for m in (0.4, 10)
    )
    assert strong > 1.5 * weak


def one_hot(count, classes=3):
    return torch.eye(classes)[torch.arange(count) % classes]


@pytest.mark.parametrize("switches", ["mixup=0.4", "cutmix=1", "mixup=0.2,cutmix=1"])
def test_mixing_mixes_images_and_targets_alike(switches, batch):
    augmentation = Augmentation().with_switches(switches)
    before = torch.get_rng_state()
    images, targets = batch.float(), one_hot(12)
    kept = images.clone(), targets.clone()
    for seed in range(20):
        mixed, soft = augmentation.mix(images, targets, generator(seed))
        again, _ = augmentation.mix(images, targets, generator(seed))
        assert torch.equal(mixed, again)
        assert torch.allclose(soft.sum(1), torch.ones(12))
        share = float(soft[0, 0])  # of the image itself: its neighbour has another class
        blend = share * images + (1 - share) * images.roll(1, 0)
        assert float(mixed.mean()) == pytest.approx(float(blend.mean()), rel=0.1)
        if switches.startswith("mixup") and "cutmix" not in switches:
            assert torch.allclose(mixed, blend, atol=0.01)
        if switches.startswith("cutmix"):
            own = (mixed == images).all(1).float().mean((1, 2))
            assert float(own.min()) >= share - 1e-6
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(images, kept[0])
    assert torch.equal(targets, kept[1])


def test_with_both_on_both_happen(batch):
    augmentation = Augmentation(mixup=1, cutmix=1)
    copies = []
    for seed in range(20):
        mixed, _ = augmentation.mix(batch.float(), one_hot(12), generator(seed))
        copies.append(bool((mixed == mixed.round()).all()))  # CutMix copies pixels, MixUp blends them
    assert 4 <= sum(copies) <= 16


def test_without_mixing_targets_stay_as_they_are(batch):
    images, targets = batch.float(), one_hot(12)
    assert Augmentation().mix(images, targets, generator()) == (images, targets)


def test_the_global_generator_is_restored_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(KeyError), policies.borrowed(generator()):
        torch.rand(5)
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)
