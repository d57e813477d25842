"""Resizing: Pillow's own answer, in an order that no other Pillow can change."""

import numpy as np
import PIL
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldguide.images.preprocessing import FILTERS, Preprocessing, shrink_factor, vertical_first

thirteen = pytest.mark.skipif(PIL.__version__.split(".")[0] != "13", reason="the rule is that of Pillow 13")
SHAPES = [
    (1, 1),
    (1, 500),
    (500, 1),
    (24, 90),
    (90, 24),
    (60, 130),
    (130, 60),
    (24, 24),
    (7, 24),
    (24, 7),
    (25, 27),
]


def first_version(size, mode="squash", interpolation="bicubic"):
    return Preprocessing(size, mode, interpolation, shrink="none", scaled_decoding=False)


def noise(width, height, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@thirteen
@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_squash_was_pillows_resize_in_the_first_version(shape, interpolation):
    image = noise(*shape)
    expected = np.asarray(image.resize((24, 24), FILTERS[interpolation]))
    np.testing.assert_array_equal(first_version(24, interpolation=interpolation).resize(image), expected)


@thirteen
@given(st.integers(1, 140), st.integers(1, 140), st.integers(1, 60))
def test_the_order_was_pillows_for_any_shape(width, height, size):
    image = noise(width, height)
    expected = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(first_version(size).resize(image), expected)


def test_the_order_matters_and_is_written_out():
    """Where both passes shrink, the other order gives other grey levels: the rule is no detail."""
    image, bicubic = noise(60, 130), Image.Resampling.BICUBIC
    rows_first = np.asarray(image.resize((24, 130), bicubic).resize((24, 24), bicubic))
    columns_first = np.asarray(image.resize((60, 24), bicubic).resize((24, 24), bicubic))
    assert (rows_first != columns_first).mean() > 0.1
    assert vertical_first(60, 130, 24)
    np.testing.assert_array_equal(first_version(24).resize(image), columns_first)
    assert not vertical_first(130, 60, 24)
    np.testing.assert_array_equal(
        first_version(24).resize(image.transpose(Image.Transpose.TRANSPOSE)),
        columns_first.transpose(1, 0, 2),
    )


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        (100, 40, (30, 0, 70, 40)),
        (40, 100, (0, 30, 40, 70)),
        (51, 40, (5, 0, 45, 40)),
        (1, 90, (0, 44, 1, 45)),
    ],
)
def test_crop_takes_the_centre_square(width, height, box):
    image = noise(width, height)
    expected = Preprocessing(24).resize(image.crop(box))
    np.testing.assert_array_equal(Preprocessing(24, mode="crop").resize(image), expected)


@pytest.mark.parametrize("mode", ["squash", "crop"])
@pytest.mark.parametrize("interpolation", FILTERS)
def test_an_image_of_the_networks_size_is_unchanged(mode, interpolation):
    image = noise(24, 24)
    got = Preprocessing(24, mode, interpolation).resize(image)
    np.testing.assert_array_equal(got, np.asarray(image))
    assert (got.dtype, got.shape) == (np.uint8, (24, 24, 3))


def test_its_fields_make_it_again():
    one = Preprocessing(32, "crop", "bilinear", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    fields = one.as_dict()
    again = Preprocessing(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})
    assert again == one
    assert one.resize_as() == (32, "crop", "bilinear", "halving", True)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 40), st.sampled_from(["squash", "crop"]))
def test_what_is_left_for_the_filter_is_two_to_four_times_the_square(width, height, size, mode):
    way = Preprocessing(size, mode)
    left, top, right, bottom = way.area(width, height)
    for length, seen in ((width, right - left), (height, bottom - top)):
        side = min(width, height) if mode == "crop" else length
        factor = shrink_factor(side, size)
        assert seen % factor == 0 and side - factor < seen <= side
        assert seen // factor < 4 * size
        assert factor == 1 or seen // factor >= 2 * size
    assert left >= 0 and top >= 0 and right <= width and bottom <= height


def test_large_images_are_shrunk_by_means_of_blocks():
    pixels = np.asarray(noise(24 * 4 * 2 + 3, 24)).astype(int)
    means = (pixels[:, 1:193].reshape(24, 48, 4, 3).sum(2) * 2 + 4) // 8  # 1 pixel left out before, 2 after
    small = Image.fromarray(means.astype(np.uint8))
    expected = small.resize((24, 24), Image.Resampling.BICUBIC)
    got = Preprocessing(24).resize(Image.fromarray(pixels.astype(np.uint8)))
    np.testing.assert_array_equal(got, np.asarray(expected))


def test_shrinking_first_is_hard_to_tell_from_filtering_alone():
    image = noise(40, 30).resize((2000, 1500), Image.Resampling.BICUBIC)
    apart = np.abs(Preprocessing(96).resize(image).astype(int) - first_version(96).resize(image))
    assert apart.mean() < 0.6 and apart.max() <= 12
