"""One picture of a TIFF: what its strips must be, and the file that holds only it."""

import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.tiff_directory import Directory, Tag, first_offset, layout_of, read_directory
from fieldguide.images.tiff_page import (
    WANTED,
    bits_of_page,
    check_page,
    only_page,
    page_decoder_bytes,
    raw_lengths,
)
from images_made import BASES, exif, photo, saved


def page_of(**values):
    """A directory by hand: `t256=5` is tag 256."""
    pairs = {int(name[1:]): value if isinstance(value, tuple) else (value,) for name, value in values.items()}
    return Directory({number: Tag(4, len(value), b"", value) for number, value in pairs.items()}, 0)


def test_bytes_of_strips_and_tiles():
    strips = page_of(t256=10, t257=7, t258=(8, 8, 8), t277=3, t278=3)
    assert raw_lengths(strips, 3) == [90, 90, 30]
    planes = page_of(t256=10, t257=7, t258=(16, 16), t277=2, t278=4, t284=2)
    assert raw_lengths(planes, 4) == [80, 60, 80, 60]
    tiles = page_of(t256=100, t257=70, t258=1, t322=16, t323=32)
    assert raw_lengths(tiles, 2) == [64, 64]
    assert raw_lengths(page_of(t256=10, t257=7, t258=12, t277=2), 1) == [210]


def test_what_a_directory_leaves_out_is_nothing():
    assert raw_lengths(page_of(t256=10, t258=8), 1) == [0]
    assert raw_lengths(page_of(t257=10, t258=8), 1) == [0]
    assert raw_lengths(page_of(t256=3, t257=2), 1) == [2]
    assert raw_lengths(page_of(t322=16, t258=8), 1) == [0]
    assert raw_lengths(page_of(t322=9, t323=1, t258=1), 1) == [2]
    assert page_decoder_bytes(page_of()) == 1
    assert page_decoder_bytes(page_of(t256=4, t257=4, t258=8, t322=4)) == 2


def test_bytes_of_a_pixel_follow_bits_and_values():
    def image(bits, samples):
        return page_decoder_bytes(page_of(t256=100, t257=100, t258=bits, t277=samples, t278=1))

    assert [round(image(bits, 1)) for bits in (1, 8, 9, 15, 16, 17, 32)] == [1, 1, 1, 1, 2, 4, 4]
    assert round(image(8, 2)) == 4


def test_tiles_and_planes_are_counted():
    tiled = {"t256": 33, "t257": 17, "t258": 8, "t322": 16, "t323": 16, "t259": 8}
    six = (0,) * 6
    check_page(bytes(100), page_of(**tiled, t324=six, t325=six))
    for many, pieces in ((six[1:], 6), (six, 12)):
        planes = {} if pieces == 6 else {"t277": 2, "t284": 2}
        with pytest.raises(RefusedInput, match=f"it lists {len(many)} of {pieces} strips or tiles"):
            check_page(bytes(100), page_of(**tiled, **planes, t324=many, t325=many))
    check_page(bytes(100), page_of(**tiled, t277=2, t284=2, t324=six * 2, t325=six * 2))


def test_the_file_of_one_page_ends_with_its_directory():
    data = BASES["tiff-big"]
    layout = layout_of(data)
    page = read_directory(data, layout, first_offset(data, layout), WANTED)
    made = only_page(data, layout, page)
    found = read_directory(made, layout, first_offset(made, layout), WANTED)
    assert found.following == 0 and first_offset(made, layout) % 8 == 0
    assert found.tags[256] == page.tags[256]


def test_bits_are_the_largest():
    assert bits_of_page(page_of(t258=(5, 6, 5))) == 6
    assert bits_of_page(page_of()) == 1


def test_a_strip_counts_for_the_memory():
    whole = page_of(t256=100, t257=100, t258=8, t277=1, t278=100)
    rows = page_of(t256=100, t257=100, t258=8, t277=1, t278=1)
    assert page_decoder_bytes(whole) == 2
    assert page_decoder_bytes(rows) == pytest.approx(1.01)
    tile = page_of(t256=10, t257=10, t258=16, t277=3, t322=100, t323=100)
    assert page_decoder_bytes(tile) == 4 + 100 * 3 * 2


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (page_of(t257=5), "damaged"),
        (page_of(t256=5, t257=5, t259=9999), "unsupported_format"),
        (page_of(t256=5, t257=5, t277=17, t273=0), "damaged"),
        (page_of(t256=5, t257=5, t258=8, t273=8, t278=2), "damaged"),
        (page_of(t256=5, t257=5, t258=8, t273=80, t278=5), "truncated"),
        (page_of(t256=5, t257=5, t258=8, t259=5, t273=80, t279=30, t278=5), "truncated"),
        (page_of(t256=5, t257=5, t258=8, t273=(8, 8), t277=3, t284=2), "damaged"),
        (page_of(t256=20, t257=5, t258=8, t322=16, t323=16, t324=8), "damaged"),
    ],
)
def test_pictures_that_cannot_be_read_are_refused(page, code):
    with pytest.raises(RefusedInput) as caught:
        check_page(bytes(100), page)
    assert caught.value.code == code


def test_a_sound_picture_passes():
    check_page(bytes(100), page_of(t256=5, t257=5, t258=8, t273=75, t278=5))
    check_page(bytes(100), page_of(t256=5, t257=5, t258=8, t277=3, t273=(0, 0, 0), t278=2))


@pytest.mark.parametrize("name", ["tiff", "tiff-big", "tiff-lzw"])
def test_the_file_of_one_page_has_the_same_pixels_and_nothing_else(name):
    data = BASES[name]
    layout = layout_of(data)
    page = read_directory(data, layout, first_offset(data, layout), WANTED)
    with Image.open(io.BytesIO(only_page(data, layout, page))) as found:
        assert np.array_equal(np.asarray(found), np.asarray(photo()))


def test_orientation_and_text_stay_behind():
    data = saved(photo(), "TIFF", exif=exif(6), description="SECRET")
    layout = layout_of(data)
    page = read_directory(data, layout, first_offset(data, layout), WANTED)
    with Image.open(io.BytesIO(only_page(data, layout, page))) as found:
        assert not {270, 274} & set(found.tag_v2)
