"""The preview: originals untouched beside variants, in a layout that fits any number of images."""

import numpy as np
import pytest
import torch

from fieldguide.training.augment import preview as preview_module
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.augment.preview import EDGE, GAP, TILE, preview

MEDIUM = Augmentation.named("medium", flip=True)


def photos(count, height=TILE, width=TILE):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator)


def tiles(picture, count=4):
    """The first photo's tiles: the row of pixels where they begin is found by the first one's content."""
    pixels = np.asarray(picture)
    top = picture.height - EDGE - TILE
    lefts = [EDGE + number * (TILE + GAP) for number in range(count)]
    return [pixels[top : top + TILE, left : left + TILE] for left in lefts]


def test_the_original_stands_beside_variants():
    image = photos(1)
    original, *variants = tiles(preview(image, MEDIUM))
    assert (original == image[0].permute(1, 2, 0).numpy()).all()
    assert all((variant != original).mean() > 0.5 for variant in variants)
    assert (variants[0] != variants[1]).mean() > 0.5


def test_with_everything_off_variants_equal_the_original():
    original, *variants = tiles(preview(photos(1), Augmentation()))
    assert all((variant == original).all() for variant in variants)


def test_mixing_is_shown():
    picture = preview(
        torch.stack([torch.zeros(3, 8, 8), torch.full((3, 8, 8), 255)]).byte(), Augmentation(mixup=1)
    )
    assert {(0, 0, 0), (255, 255, 255)} < {colour for _, colour in picture.getcolors(1 << 16)}
    original, *variants = tiles(picture)
    assert (original == original[0, 0, 0]).all()
    assert any(0 < variant[4, 4, 0] < 255 for variant in variants)


def test_the_same_seed_gives_the_same_picture():
    first, again, other = (preview(photos(3), MEDIUM, seed) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert first.size == other.size
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 12, 24, 40])
@pytest.mark.parametrize("shape", [(32, 32), (90, 200), (300, 40), (1, 1)])
def test_any_number_of_any_shape_fits(count, shape):
    picture = preview(photos(count, *shape), Augmentation(flip=0.5))
    pixels = np.asarray(picture)
    margin = EDGE - 4
    for border in (pixels[:margin], pixels[-margin:], pixels[:, :margin], pixels[:, -margin:]):
        assert (border == 255).all()  # nothing is cut off at an edge
    assert picture.width < 1600
    assert picture.height < 1600


def test_at_most_24_are_shown():
    assert preview(photos(24), MEDIUM).tobytes() == preview(photos(30), MEDIUM).tobytes()
    assert preview(photos(23), MEDIUM).tobytes() != preview(photos(24), MEDIUM).tobytes()


def test_captions_name_the_switches(monkeypatch):
    written = []
    plain = preview_module.ImageDraw.ImageDraw.text

    def text(self, place, words, **options):
        written.append(words)
        plain(self, place, words, **options)

    monkeypatch.setattr(preview_module.ImageDraw.ImageDraw, "text", text)
    preview(photos(2), Augmentation(rotate=10, mixup=0.2), seed=5)
    assert " ".join(written) == (
        "Augmentation: rotate 10, mixup 0.2 2 images as they are (framed), each followed by 3 variants, "
        "mixed with the photo before it; seed 5"
    )


def test_no_image_no_picture():
    with pytest.raises(ValueError, match="at least one image"):
        preview(photos(0), MEDIUM)
