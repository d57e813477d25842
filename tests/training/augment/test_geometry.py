"""Where a pixel comes from: mirror, turn, crop, shift and windows."""

import math

import pytest
import torch
from torchvision.transforms.v2 import functional

from augmented_made import apart, generator
from fieldguide.training.augment import geometry
from fieldguide.training.augment.geometry import Placement, draw_crop, place, window
from fieldguide.training.augment.pipeline import Augmentation


def placement(count=1, **choices):
    still = {"mirrored": False, "degrees": 0.0, "width": 1.0, "height": 1.0, "right": 0.0, "down": 0.0}
    return Placement(**{name: torch.tensor([value] * count) for name, value in (still | choices).items()})


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
    assert float(shape.max()) <= math.log(geometry.MOST_OBLONG) + 1e-5
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
