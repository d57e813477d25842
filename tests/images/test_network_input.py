"""Large JPEGs are decoded no larger than a network needs them, and nobody sees another picture for it."""

import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images import decoding
from fieldguide.images.decoding import open_image, open_scaled
from fieldguide.images.network_input import network_pixels, open_for
from fieldguide.images.preprocessing import Preprocessing

WAY = Preprocessing(96)


def photo(width, height):
    coarse = np.random.default_rng(3).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def jpeg(width, height, **options):
    memory = io.BytesIO()
    photo(width, height).save(memory, "JPEG", quality=92, **options)
    return memory.getvalue()


@pytest.mark.parametrize(
    ("size", "decoded"),
    [
        ((191, 600), (191, 600)),  # a half would be too small along one side
        ((383, 600), (383, 600)),
        ((384, 600), (192, 300)),
        ((1601, 1200), (401, 300)),  # rounded up, as libjpeg does
        ((2000, 1536), (250, 192)),
        ((4000, 3200), (500, 400)),  # a sixteenth is not had
    ],
)
def test_the_smallest_scale_that_leaves_twice_the_square(size, decoded):
    opened = open_for(jpeg(*size), WAY)
    assert (opened.image.size, opened.size) == (decoded, size)


def test_an_upright_photo_keeps_its_own_size_in_mind():
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = open_for(jpeg(1600, 1200, exif=exif), WAY)
    assert (opened.image.size, opened.size) == ((300, 400), (1200, 1600))


def test_it_looks_the_same():
    content = jpeg(2400, 1800)
    apart = np.abs(network_pixels(content, WAY).astype(int) - WAY.resize(open_image(content)))
    assert apart.mean() < 1 and apart.max() <= 8


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_other_formats_are_decoded_whole(format_):
    memory = io.BytesIO()
    photo(1200, 900).save(memory, format_)
    assert open_for(memory.getvalue(), WAY).image.size == (1200, 900)


def test_a_model_of_the_first_version_sees_what_it_saw():
    first = Preprocessing(96, shrink="none", scaled_decoding=False)
    content = jpeg(1600, 1200)
    assert open_for(content, first).image.size == (1600, 1200)
    expected = Image.open(io.BytesIO(content)).resize((96, 96), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(network_pixels(content, first), np.asarray(expected))


def test_half_a_file_is_refused_at_any_scale():
    content = jpeg(1600, 1200)
    for least in (None, 192):
        with pytest.raises(RefusedInput) as refused:
            open_scaled(content[: len(content) // 2], least)
        assert refused.value.code == "truncated"


def test_more_pixels_than_are_read_come_at_a_smaller_scale(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 400_000)
    content = jpeg(1200, 900)
    assert open_image(content).size == (600, 450)
    assert open_scaled(content, None).size == (1200, 900)
    assert open_for(content, WAY).image.size == (300, 225)


def test_there_is_a_limit_all_the_same(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 400_000)
    monkeypatch.setattr(decoding, "MAX_SCALED_PIXELS", 1_000_000)
    with pytest.raises(RefusedInput, match="at most 1,000,000 of its kind") as refused:
        open_image(jpeg(1200, 900))
    assert refused.value.code == "too_many_pixels"


def test_a_progressive_file_is_held_whole_whatever_the_scale(monkeypatch):
    """libjpeg keeps the coefficients of all scans."""
    monkeypatch.setattr(decoding, "MAX_DECODING_BYTES", 2_000_000)
    assert open_for(jpeg(1200, 900), WAY).image.size == (300, 225)
    with pytest.raises(RefusedInput) as refused:
        open_for(jpeg(1200, 900, progressive=True), WAY)
    assert refused.value.code == "too_many_pixels"
