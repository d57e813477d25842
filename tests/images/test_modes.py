"""Every mode as upright RGB: ink, depth, transparency, orientation."""

import io
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fieldguide.images import modes
from fieldguide.images.decoding import open_image
from fieldguide.images.modes import grey_range, is_finished, turned_by_file, upright_rgb
from images_made import WHITE, exif, levels, photo, saved


def test_cmyk_jpeg_has_the_colours_it_was_made_of() -> None:
    solid = Image.new("RGB", (32, 32), (200, 40, 90))
    for subtract in (solid.convert("CMYK"), solid.convert("YCbCr")):
        found = np.asarray(open_image(saved(subtract, "JPEG", quality=95))).reshape(-1, 3).mean(axis=0)
        assert np.abs(found - (200, 40, 90)).max() < 4


def test_cmyk_is_inverted_with_and_without_the_adobe_mark() -> None:
    data = saved(Image.new("RGB", (32, 32), (200, 40, 90)).convert("CMYK"), "JPEG", quality=95)
    start = data.index(b"\xff\xee")
    bare = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
    assert b"Adobe" not in bare
    assert np.array_equal(np.asarray(open_image(data)), np.asarray(open_image(bare)))


# Ink of CMYK, 0 to 255, and its sRGB by a colour profile: "Artifex CMYK SWOP Profile" (default_cmyk.icc of
# Debian's libgs-common 10.0.0, SHA-256 8472fa14...1fd1b9a9), LittleCMS through Pillow's ImageCms, relative
# colorimetric with black point compensation. The first ten are the main colours of scikit-learn's two sample
# photos, separated with the same profile; then paper, and the inks alone, which no screen shows as they are.
INK_OF_PHOTOS = {
    (199, 149, 184, 198): (14, 32, 23),
    (89, 62, 80, 0): (170, 176, 169),
    (113, 108, 172, 33): (138, 126, 93),
    (44, 223, 255, 17): (194, 67, 39),
    (53, 27, 11, 0): (198, 212, 228),
    (232, 135, 156, 113): (10, 69, 70),
    (136, 132, 203, 93): (96, 86, 56),
    (30, 106, 175, 0): (223, 158, 99),
    (151, 160, 196, 168): (55, 45, 31),
    (15, 7, 2, 0): (236, 241, 248),
    (0, 0, 0, 0): (255, 255, 255),
}
INK_ALONE = {
    (255, 0, 0, 0): (0, 174, 239),
    (0, 255, 0, 0): (236, 0, 140),
    (0, 0, 255, 0): (255, 242, 0),
    (0, 0, 0, 255): (35, 31, 32),
    (255, 255, 0, 0): (46, 48, 146),
}


def off_the_profile(
    inks: dict[tuple[int, ...], tuple[int, ...]], kind: str, invert: bool = False
) -> NDArray[np.float64]:
    """By how much each channel of each ink, in a file of its own, is read otherwise than the profile says."""
    found = []
    for ink in inks:
        image = Image.new("CMYK", (16, 16), tuple(255 - part if invert else part for part in ink))
        options = {"quality": 95} if kind == "JPEG" else {}
        found.append(np.asarray(open_image(saved(image, kind, **options))).reshape(-1, 3).mean(axis=0))
    return np.abs(np.array(found) - np.array(list(inks.values())))


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_is_near_what_a_colour_profile_makes_of_it(kind: str) -> None:
    off = off_the_profile(INK_OF_PHOTOS, kind)
    assert off.max() < 42
    assert off.mean() < 13
    assert off_the_profile(INK_ALONE, kind).max() < 116
    inverted = off_the_profile(INK_OF_PHOTOS, kind, invert=True)
    assert inverted.mean() > 100, "taking ink for light must not pass"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    data = saved(Image.fromarray(ramp), kind)
    assert levels(data) == 256
    found = np.asarray(open_image(data))[..., 0].ravel()
    assert (found[0], found[-1]) == (0, 255)
    assert np.all(np.diff(found.astype(int)) >= 0)
    naive = Image.open(io.BytesIO(data)).convert("RGB")
    assert len(np.unique(np.asarray(naive)[..., 0])) == 256
    assert (np.asarray(naive) == 255).mean() > 0.9, "the negative control: plain Pillow turns the ramp white"


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_float_and_integer_grey_keep_their_levels(top: float) -> None:
    ramp = np.linspace(0, top, 1024, dtype=np.float32).reshape(32, 32)
    assert levels(saved(Image.fromarray(ramp), "TIFF")) >= 250
    if top > 1:
        assert levels(saved(Image.fromarray(ramp.astype(np.int32)), "TIFF")) >= 250


def test_odd_float_grey_is_stretched_and_never_fatal() -> None:
    odd = np.array([[-5, 0, 5], [np.nan, np.inf, -np.inf]], dtype=np.float32)
    found = np.asarray(open_image(Image.fromarray(odd)))[..., 0]
    assert found.tolist() == [[0, 128, 255], [0, 255, 0]]
    assert grey_range(Image.fromarray(np.full((2, 2), np.nan, np.float32))) == (0.0, 1.0)
    assert open_image(Image.fromarray(np.full((3, 3), -7.0, np.float32))).getpixel((0, 0)) == (0, 0, 0)


def test_lab() -> None:
    found = np.asarray(open_image(saved(photo().convert("LAB"), "TIFF"))).astype(int)
    assert np.abs(found - np.asarray(photo())).mean() < 4


CLEAR = {
    "RGBA": Image.new("RGBA", (5, 5), (10, 20, 30, 0)),
    "LA": Image.new("LA", (5, 5), (10, 0)),
    "half": Image.new("RGBA", (5, 5), (0, 0, 0, 127)),
}


def test_transparency_is_composited_on_white() -> None:
    assert open_image(saved(CLEAR["RGBA"], "PNG")).getpixel((2, 2)) == WHITE
    assert open_image(saved(CLEAR["LA"], "PNG")).getpixel((2, 2)) == WHITE
    assert open_image(saved(CLEAR["half"], "PNG")).getpixel((2, 2)) == (128, 128, 128)
    assert open_image(saved(CLEAR["RGBA"], "WEBP", lossless=True)).getpixel((2, 2)) == WHITE
    assert Image.open(io.BytesIO(saved(CLEAR["RGBA"], "PNG"))).convert("RGB").getpixel((2, 2)) != WHITE


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_colour_of_a_palette(kind: str) -> None:
    image = photo().quantize(8)
    image.putpixel((3, 3), 5)
    found = open_image(saved(image, kind, transparency=5))
    assert found.getpixel((3, 3)) == WHITE


def test_transparent_colour_of_grey_rgb_and_deep_grey() -> None:
    assert open_image(saved(Image.new("L", (3, 3), 7), "PNG", transparency=7)).getpixel((0, 0)) == WHITE
    red = saved(Image.new("RGB", (3, 3), (255, 0, 0)), "PNG", transparency=(255, 0, 0))
    assert open_image(red).getpixel((0, 0)) == WHITE
    deep = saved(Image.new("I;16", (3, 3), 700), "PNG", transparency=700)
    assert open_image(deep).getpixel((0, 0)) == WHITE


MODES = "1 L P RGB RGBA LA PA CMYK YCbCr HSV LAB I F I;16 I;16B RGBX RGBa La"


@pytest.mark.parametrize("mode", MODES.split())
def test_every_mode_of_pillow_becomes_rgb(mode: str) -> None:
    assert open_image(Image.new(mode, (7, 5))).mode == "RGB"


def test_bands_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo().convert("RGBA")
    picture.putalpha(photo().convert("L"))
    for orientation in range(1, 9):
        data = saved(picture, "PNG", exif=exif(orientation))
        whole = np.asarray(open_image(data))
        monkeypatch.setattr("fieldguide.images.modes.BAND_PIXELS", 61 * 5)
        assert np.array_equal(np.asarray(open_image(data)), whole)
        monkeypatch.undo()


def laid(image: Image.Image, orientation: int) -> Image.Image:
    """The pixels that a camera held this way would store: the inverse of turning upright."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    return image if orientation == 1 else image.transpose(Image.Transpose(undo[orientation]))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_all_orientations_give_the_same_pixels(kind: str, orientation: int) -> None:
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    data = saved(laid(photo(), orientation), kind, exif=exif(orientation), **options)
    assert np.array_equal(np.asarray(open_image(data)), np.asarray(photo()))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_by_a_file_gives_the_same_as_in_memory(
    orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "BAND_PIXELS", 61 * 10)  # five bands, the last one shorter
    expected = np.asarray(upright_rgb(photo(), orientation))
    assert np.array_equal(np.asarray(turned_by_file(photo(), orientation)), expected)


@pytest.mark.parametrize(
    ("mode", "values", "expected"),
    [
        ("F", [0.0, 1.0], (0.0, 1.0)),
        ("F", [0.0, 1.5], (0.0, 255.0)),
        ("F", [0.0, 255.0], (0.0, 255.0)),
        ("F", [0.0, 255.5], (0.0, 65535.0)),
        ("F", [0.0, 65535.0], (0.0, 65535.0)),
        ("F", [2.0, 65535.5], (2.0, 65535.5)),
        ("F", [-0.5, 0.5], (-0.5, 0.5)),
        ("F", [math.nan, math.inf], (0.0, 1.0)),
        ("I", [0, 255], (0.0, 255.0)),
        ("I", [0, 256], (0.0, 65535.0)),
        ("I", [0, 65535], (0.0, 65535.0)),
        ("I", [3, 65536], (3.0, 65536.0)),
        ("I", [-1, 3], (-1.0, 3.0)),
    ],
)
def test_the_range_of_grey_is_the_first_that_holds_all(mode: str, values: list, expected: tuple) -> None:
    kind = np.float32 if mode == "F" else np.int32
    assert grey_range(Image.fromarray(np.array([values], kind))) == expected


def test_grey_without_a_range_and_infinite_values() -> None:
    flat = Image.fromarray(np.full((2, 2), 0.25, np.float32))
    assert upright_rgb(flat).getpixel((0, 0)) == (64, 64, 64)
    odd = Image.fromarray(np.array([[-1.0, 1.0, math.inf, -math.inf, math.nan]], np.float32))
    assert np.asarray(upright_rgb(odd))[0, :, 0].tolist() == [0, 255, 255, 0, 0]
    narrow = Image.fromarray(np.array([[-0.2, 0.0, 0.2]], np.float32))
    assert np.asarray(upright_rgb(narrow))[0, :, 0].tolist() == [0, 128, 255]
    one = Image.fromarray(np.full((2, 2), -7, np.int32))
    assert upright_rgb(one).getpixel((0, 0)) == (0, 0, 0)


def test_what_is_finished_is_upright_rgb_without_transparency() -> None:
    assert is_finished(photo(), 1)
    assert not is_finished(photo(), 2) and not is_finished(photo(), 0)
    assert not is_finished(photo().convert("L"), 1)
    keyed = photo()
    keyed.info["transparency"] = (0, 0, 0)
    assert not is_finished(keyed, 1)
