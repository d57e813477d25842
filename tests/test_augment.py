"""Augmentation: each switch does what it says, to each image by itself, and only the generator decides."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from fieldguide import augment_colour, augment_geometry, augment_library
from fieldguide.augment import STRENGTHS, Augmentation
from fieldguide.augment_colour import Colouring, coloured
from fieldguide.augment_geometry import Placement, draw_crop, place, window
from fieldguide.augment_switches import SWITCHES
from fieldguide.errors import OptionError

EVERYTHING = Augmentation(
    flip=0.5, rotate=20, crop=0.5, shift=0.1, colour=0.5, blur=0.5, erase=0.5, rand_augment=7
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch():
    """Smooth pictures, all different, none of them symmetric."""
    coarse = torch.rand((12, 3, 5, 6), generator=generator(1)) * 255
    return functional.resize(coarse, [40, 56]).round().to(torch.uint8)


def placement(count=1, **choices):
    still = {"mirrored": False, "degrees": 0.0, "width": 1.0, "height": 1.0, "right": 0.0, "down": 0.0}
    return Placement(**{name: torch.tensor([value] * count) for name, value in (still | choices).items()})


def colouring(count, **choices):
    still = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}
    return Colouring(**{name: torch.full((count,), value) for name, value in (still | choices).items()})


def apart(first, second):
    return (first.float() - second.float()).abs()


# The whole: strengths, determinism, other random numbers


def test_nothing_is_done_where_nothing_is_on(batch):
    assert torch.equal(Augmentation.named("none", flip=True).images(batch, generator()), batch)
    assert Augmentation().told() == "nothing"


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


# Geometry


def test_a_flip_is_the_mirror_image_about_as_often_as_asked(batch):
    many = batch[:1].expand(2000, -1, -1, -1)
    changed = Augmentation(flip=0.3).images(many, generator())
    mirrored = [torch.equal(image, batch[0].flip(-1)) for image in changed]
    assert all(m or torch.equal(image, batch[0]) for m, image in zip(mirrored, changed, strict=True))
    assert 0.26 < sum(mirrored) / 2000 < 0.34


@pytest.mark.parametrize("degrees", [-40.0, 7.0, 25.0])
def test_a_turn_is_torchvisions(degrees, batch):
    turned = place(batch, placement(12, degrees=degrees))
    theirs = functional.rotate(batch.float(), degrees, functional.InterpolationMode.BILINEAR)
    inside = functional.rotate(torch.ones(12, 3, 40, 56), degrees, functional.InterpolationMode.BILINEAR) == 1
    assert inside.float().mean() > 0.4
    assert apart(turned, theirs)[inside].max() <= 1


def test_a_crop_is_torchvisions(batch):
    # A window of half the width and height whose middle lies a quarter to the right and 1/8 above the middle.
    cropped = place(batch, placement(12, width=0.5, height=0.5, right=-0.25, down=0.125))
    theirs = functional.resized_crop(batch.float(), 5, 28, 20, 28, [40, 56], antialias=False)
    margin = (..., slice(2, -2), slice(2, -2))
    assert apart(cropped[margin], theirs[margin]).max() <= 1


def test_mirror_and_turn_come_in_this_order(batch):
    both = place(batch, placement(12, mirrored=True, degrees=30.0))
    one_by_one = place(batch.flip(-1), placement(12, degrees=30.0))
    assert apart(both, one_by_one).max() <= 1


def test_windows_are_cut_at_all_places_alike():
    """Every pixel says where it came from, so every window says where it was cut."""
    rows, columns = torch.meshgrid(torch.arange(5), torch.arange(7), indexing="ij")
    image = torch.stack([rows, columns, rows * 7 + columns]).to(torch.uint8)
    cut = window(image.expand(3000, -1, -1, -1), 4, generator())
    assert cut.shape == (3000, 3, 4, 4)
    corners = cut[:, :2, 0, 0].long()
    for number in range(20):
        row, column = corners[number]
        assert torch.equal(cut[number], image[:, row : row + 4, column : column + 4])
    counts = torch.bincount(corners[:, 0] * 4 + corners[:, 1], minlength=8)
    assert counts.shape == (8,)
    assert counts.min() > 3000 / 8 * 0.8


def test_whole_pixels_are_copied_as_interpolation_would_place_them(batch):
    choices = {"right": 5 / 56, "down": -3 / 40, "mirrored": True}
    copied = place(batch, placement(12, **choices))
    sampled = place(batch, placement(12, degrees=1e-4, **choices))
    inside = (..., slice(0, -3), slice(5, None))
    assert torch.equal(copied[inside], batch.flip(-1)[..., 3:, :-5])
    assert apart(copied[inside], sampled[inside]).max() <= 1


def test_shifts_go_everywhere_as_far_as_asked_and_no_further():
    dot = torch.zeros((500, 3, 21, 21), dtype=torch.uint8)
    dot[:, :, 10, 10] = 255
    places = Augmentation(shift=0.2).images(dot, generator())[:, 0].nonzero()[:, 1:]
    assert len(places) == 500
    assert set(places[:, 0].tolist()) == set(places[:, 1].tolist()) == set(range(6, 15))


@pytest.mark.parametrize("least", [0.05, 0.35, 0.9])
def test_crops_keep_at_least_their_share_and_are_not_too_oblong(least):
    width, height = draw_crop(5000, least, generator())
    area, shape = width * height, (width / height).log().abs()
    assert float(area.min()) >= least - 1e-5
    assert float(area.min()) < least + 0.05
    assert float(width.max()) <= 1 >= float(height.max())
    assert float(shape.max()) <= math.log(augment_geometry.MOST_OBLONG) + 1e-5
    assert float(area.mean()) == pytest.approx((1 + least) / 2, abs=0.02)


@pytest.mark.parametrize("along", [False, True])
def test_crops_are_taken_everywhere_inside(along):
    ramp = torch.arange(100, dtype=torch.uint8).expand(400, 3, 100, 100)
    ramp = ramp.transpose(2, 3) if along else ramp
    changed = Augmentation(crop=0.25).images(ramp, generator())[:, 0].float()
    first, middle, last = (changed[:, 50] if not along else changed[:, :, 50])[:, [0, 50, 99]].T
    window = last - first
    # From one end of the image to the other, as far as the window's size leaves room, and never outside.
    assert float(first.min()) <= 1
    assert float(last.max()) >= 98
    assert float(middle[window < 60].min()) < 35
    assert float(middle[window < 60].max()) > 65
    assert torch.allclose(middle, (first + last) / 2, atol=1.5)  # a reflection would fold the ramp


# Colour, blur, erase


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("brightness", functional.adjust_brightness),
        ("contrast", functional.adjust_contrast),
        ("saturation", functional.adjust_saturation),
    ],
)
@pytest.mark.parametrize("factor", [0.4, 1.3])
def test_colours_change_as_torchvisions(name, theirs, factor, batch):
    muted = batch // 3 + 60  # so that nothing is cut off
    assert apart(coloured(muted, colouring(12, **{name: factor})), theirs(muted, factor)).max() <= 2


def test_hue_turns_red_to_green_to_blue_as_torchvisions():
    red = torch.tensor([150, 90, 90], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 4, 4)
    for hue, strongest in ((1 / 3, 1), (-1 / 3, 2), (1.0, 0)):
        assert int(coloured(red, colouring(1, hue=hue))[0, :, 0, 0].argmax()) == strongest
    assert int(functional.adjust_hue(red, 1 / 3)[0, :, 0, 0].argmax()) == 1
    grey = torch.full((1, 3, 4, 4), 77, dtype=torch.uint8)
    assert torch.equal(coloured(grey, colouring(1, hue=0.2, saturation=1.7)), grey)


def test_colour_strength_is_the_widest_factor(batch):
    drawn = augment_colour.draw_colouring(4000, 0.5, generator())
    for factors in (drawn.brightness, drawn.contrast, drawn.saturation):
        assert 0.55 <= float(factors.min()) < 0.56
        assert 1.44 < float(factors.max()) <= 1.45
    assert 0.06 < float(drawn.hue.max()) <= 1 / 16
    assert float(drawn.hue.min()) < -0.06


def test_some_images_are_blurred_and_lose_detail():
    noise = torch.randint(0, 256, (300, 3, 16, 16), dtype=torch.uint8, generator=generator())
    result = Augmentation(blur=0.4).images(noise, generator(2))
    changed = (result != noise).flatten(1).any(1)
    assert 0.3 < changed.float().mean() < 0.5
    spread = noise.float().std((1, 2, 3)), result.float().std((1, 2, 3))
    assert (spread[1][changed] < spread[0][changed]).all()
    assert apart(result.float().mean((1, 2, 3)), noise.float().mean((1, 2, 3))).max() < 5


def test_a_rectangle_of_the_mean_colour_is_erased():
    noise = torch.randint(0, 256, (400, 3, 30, 40), dtype=torch.uint8, generator=generator())
    noise[noise == 127] = 0
    result = Augmentation(erase=0.5).images(noise, generator(1))
    gone = (result != noise).any(1)
    hit = gone.flatten(1).any(1)
    assert 0.42 < hit.float().mean() < 0.58
    assert all(gone[place].any() for place in ((..., 0), (..., -1), (slice(None), 0), (slice(None), -1)))
    shares = gone.float().mean((1, 2))[hit]
    assert float(shares.min()) > 0.01
    assert 0.28 < float(shares.max()) < 0.35
    for image, mask, before in zip(result[hit], gone[hit], noise[hit], strict=True):
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        box = image[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert (box == before.float().mean((1, 2)).round()[:, None, None]).all()
        assert mask.sum() >= 0.9 * box[0].numel()


# What torchvision does


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
    with pytest.raises(KeyError), augment_library.borrowed(generator()):
        torch.rand(5)
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)


# Names and switches


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
    assert Augmentation(flip=0.5, crop=0.7).told() == "flip 0.5, crop 0.7"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rotat=10", "its switches are flip, rotate, .* got 'rotat'; did you mean rotate?"),
        ("zoom=2", "its switches are flip, .* got 'zoom'; write for example"),
        ("rotate", "rotate: must be a number from 0 to 180, got ''; rotate=0 turns it off"),
        ("rotate=much", "rotate: must be a number from 0 to 180, got 'much'"),
        ("rotate=nan", "rotate: must be a number from 0 to 180, got 'nan'"),
        ("rotate=181", "rotate: must be from 0 to 180, got 181; rotate=0 turns it off"),
        ("crop=0", "crop: must be from 0.05 to 1, got 0; crop=1 turns it off"),
        ("flip=-0.1", "flip: must be from 0 to 1, got -0.1"),
        ("flip=1,flip=0", "flip: may be set once, got it twice; leave one out"),
    ],
)
def test_a_wrong_switch_is_explained(text, words):
    with pytest.raises(OptionError, match=words):
        Augmentation().with_switches(text)


def test_an_unknown_strength_is_explained():
    with pytest.raises(OptionError, match=r"must be one of none, light, medium, strong, got 'hard'; medium"):
        Augmentation.named("hard", flip=True)


def test_python_is_held_to_the_ranges_too():
    with pytest.raises(OptionError, match="colour: must be from 0 to 1, got nan"):
        Augmentation(colour=math.nan)
