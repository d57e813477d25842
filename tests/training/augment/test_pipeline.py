"""Augmentation: each switch does what it says, to each image by itself, and only the generator decides."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from augmented_made import apart, generator
from fieldguide.errors import OptionError
from fieldguide.training.augment.pipeline import STRENGTHS, Augmentation
from fieldguide.training.augment.switches import SWITCHES

EVERYTHING = Augmentation(
    flip=0.5, rotate=20, crop=0.5, shift=0.1, colour=0.5, blur=0.5, erase=0.5, rand_augment=7
)


def test_nothing_is_done_where_nothing_is_on(batch):
    assert torch.equal(Augmentation.named("none", flip=True).images(batch, generator()), batch)
    assert Augmentation().summary() == "nothing"


def test_each_strength_moves_pixels_further_than_the_one_before(batch):
    moved = [
        apart(Augmentation.named(name, flip=False).images(batch, generator()), batch).mean()
        for name in ("none", "light", "medium", "strong")
    ]
    assert moved == sorted(moved)
    assert moved[0] == 0 < moved[1]


@pytest.mark.parametrize(
    "switches",
    ["flip=1", "rotate=20", "crop=0.3", "shift=0.2", "colour=0.5", "blur=1", "erase=1", "rand_augment=9"],
)
def test_each_switch_changes_images_each_in_its_own_way(switches, batch):
    same = batch[:1].expand(12, -1, -1, -1)
    changed = Augmentation().with_switches(switches).images(same, generator())
    assert changed.dtype == torch.uint8
    assert changed.shape == same.shape
    different = {image.numpy().tobytes() for image in changed}
    assert len(different) == 1 if switches == "flip=1" else len(different) >= 8
    assert sum(not torch.equal(image, batch[0]) for image in changed) >= 9


@pytest.mark.parametrize("name", [*STRENGTHS, "everything"])
def test_the_same_generator_gives_the_same_bytes_and_moves_nothing_else(name, batch):
    augmentation = STRENGTHS.get(name, EVERYTHING)
    before, kept = torch.get_rng_state(), batch.clone()
    numpy_before = np.random.get_state()[1].copy()
    first, again, other = (augmentation.images(batch, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (name == "none")
    assert torch.equal(batch, kept)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_what_the_global_generator_holds_changes_nothing(batch):
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        results.append(EVERYTHING.images(batch, generator()))
    assert torch.equal(*results)


def test_a_second_step_differs_from_the_first(batch):
    shared = generator()
    assert not torch.equal(EVERYTHING.images(batch, shared), EVERYTHING.images(batch, shared))


def test_an_empty_batch_stays_empty():
    empty = torch.empty((0, 3, 8, 8), dtype=torch.uint8)
    assert len(EVERYTHING.images(empty, generator())) == 0


@pytest.mark.parametrize("side", [(1, 1), (2, 3), (7, 5)])
def test_tiny_images_pass(side):
    tiny = torch.randint(0, 256, (6, 3, *side), dtype=torch.uint8, generator=generator())
    assert EVERYTHING.images(tiny, generator()).shape == tiny.shape
    assert Augmentation(flip=0.5, shift=0.5).images(tiny, generator()).shape == tiny.shape


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros((2, 3, 8, 8)),
        torch.zeros((3, 8, 8), dtype=torch.uint8),
        torch.zeros((2, 8, 8, 3), dtype=torch.uint8),
    ],
)
def test_a_batch_of_another_kind_is_refused(wrong):
    with pytest.raises(ValueError, match=r"batch must be uint8 of shape"):
        EVERYTHING.images(wrong, generator())


def test_flips_can_be_left_out_of_every_strength():
    for name in STRENGTHS:
        assert Augmentation.named(name, flip=False).flip == 0
        assert Augmentation.named(name, flip=True) == STRENGTHS[name]


def test_every_field_is_a_switch_and_off_by_default():
    defaults = dataclasses.asdict(Augmentation())
    assert defaults == {name: switch.off for name, switch in SWITCHES.items()}


def test_switches_replace_what_a_strength_says():
    changed = Augmentation.named("medium", flip=True).with_switches(" rotate = 3, erase=0,mixup=.5 ,")
    assert changed == dataclasses.replace(STRENGTHS["medium"], rotate=3, erase=0, mixup=0.5)
    assert Augmentation(flip=0.5, rotate=3).with_switches("") == Augmentation(flip=0.5, rotate=3)
    assert Augmentation(flip=0.5, crop=0.7).summary() == "flip 0.5, crop 0.7"


def test_an_unknown_strength_is_explained():
    with pytest.raises(OptionError, match=r"must be one of none, light, medium, strong, got 'hard'; medium"):
        Augmentation.named("hard", flip=True)


def test_python_is_held_to_the_ranges_too():
    with pytest.raises(OptionError, match="colour: must be from 0 to 1, got nan"):
        Augmentation(colour=math.nan)
