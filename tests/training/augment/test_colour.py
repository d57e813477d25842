"""What a pixel becomes: colours, blur and erased rectangles."""

import pytest
import torch
from torchvision.transforms.v2 import functional

from augmented_made import apart, generator
from fieldguide.training.augment import colour
from fieldguide.training.augment.colour import Colouring, coloured
from fieldguide.training.augment.pipeline import Augmentation


def colouring(count, **choices):
    still = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}
    return Colouring(**{name: torch.full((count,), value) for name, value in (still | choices).items()})


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
    drawn = colour.draw_colouring(4000, 0.5, generator())
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
