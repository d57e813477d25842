"""Pictures of explanations: the right colours in the right places, whatever names and photos there are."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fieldguide.explanation import overlay as overlay_module
from fieldguide.explanation.explainer import Explanation
from fieldguide.explanation.nearest_images import Neighbour
from fieldguide.explanation.overlay import SHADES, colours, density, overlay, picture, sentence

GREY = Image.new("RGB", (60, 40), (128, 128, 128))


def explanation(heat, **changes):
    whole = Explanation(
        path="a.jpg",
        label="hat",
        probability=0.9,
        predicted="hat",
        rival="shoe",
        typicality=0.5,
        unknown=False,
        score=2.0,
        bias=-1.0,
        map=heat.astype(np.float32),
        area=(0, 0, 60, 40),
        size=(60, 40),
        method="contributions",
        exact=True,
    )
    return replace(whole, **changes)


@pytest.fixture
def heat():
    """For the class above on the left, against it below on the right."""
    values = np.zeros((16, 16))
    values[:6, :6], values[10:, 10:] = 1, -1
    return values


def test_the_scale_is_even_and_its_ends_differ_for_colour_blind_eyes():
    scale = colours().astype(np.float64)
    assert scale.shape == (SHADES, 3)
    luminance = scale @ (0.2126, 0.7152, 0.0722)
    middle = SHADES // 2
    assert luminance.argmax() == middle
    assert (np.diff(luminance[:middle]) >= -0.5).all()
    assert (np.diff(luminance[middle:]) <= 0.5).all()
    steps = np.abs(np.diff(scale, axis=0)).max(1)
    assert steps.max() <= 3  # no edge where the map has none
    against, speaks_for = scale[0], scale[-1]
    # Blue against yellow is what the usual kinds of colour blindness leave (Brettel et al. 1997).
    yellow = (speaks_for[0] + speaks_for[1]) / 2 - speaks_for[2]
    blue = against[2] - (against[0] + against[1]) / 2
    assert min(yellow, blue) > 80


def test_orange_is_where_the_map_speaks_for_and_blue_where_against(heat):
    drawn = np.asarray(overlay(GREY, heat, (0, 0, 60, 40))).astype(int)
    assert drawn.shape == (40, 60, 3)
    red, blue = drawn[:, :, 0], drawn[:, :, 2]
    assert (red - blue)[:12, :18].min() > 60
    assert (blue - red)[28:, 42:].min() > 60
    assert np.abs(red - blue)[28:, :18].max() < 12


def test_maps_lie_on_their_part_of_the_photo(heat):
    drawn = np.asarray(overlay(GREY, np.ones((16, 16)), (10, 0, 50, 40))).astype(int)
    colour = drawn[:, :, 0] - drawn[:, :, 2]
    assert colour[:, 10:50].min() > 60
    assert np.abs(np.delete(colour, range(10, 50), axis=1)).max() < 12


def test_the_drawn_density_holds_what_the_map_holds(heat):
    assert density(heat * 3 + 1).mean() == pytest.approx((heat * 3 + 1).sum() / 100, rel=1e-9)
    assert density(np.ones((200, 200))).max() == pytest.approx(400)


def test_a_map_of_nothing_and_tiny_photos_are_drawn():
    for size in ((1, 1), (1, 900), (900, 1)):
        photo, area = Image.new("RGB", size), (0, 0, *size)
        nothing = explanation(np.zeros((4, 4)), area=area, size=size)
        assert picture(photo, [nothing, nothing]).width > 900


def test_the_picture_names_classes_and_shows_neighbours(heat):
    one = explanation(heat)
    alone = picture(GREY, [one])
    both = picture(GREY, [one, one])
    near = [(Neighbour("b.jpg", "", 0.5), GREY), (Neighbour("c.jpg", "hat", 0.4), GREY)]
    assert both.width > alone.width
    assert picture(GREY, [one], near).height > alone.height
    named = np.asarray(picture(GREY, [replace(one, label="a" * 500)]))
    assert named.shape[1] == alone.width
    assert named[:, -15:].min() == 255  # cut, not spilled over the margin


def test_what_an_approximation_is_it_says(heat):
    assert sentence(explanation(heat)).startswith("Exact.")
    told = sentence(explanation(heat, exact=False, bias=None, method="occlusion"))
    assert told.startswith("Approximation.")
    assert "does not add up" in told
    picture(GREY, [explanation(heat, exact=False, bias=None, method="occlusion")])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("hat", "hat"),
        ("café", "caf\\xe9"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eevil", "\\u202eevil"),
        ("\udcff", "\\xff"),
        ("帽", "\\u5e3d"),
        ("a\nb", "a\\nb"),
    ],
)
def test_names_are_drawn_as_what_they_are(name, shown, monkeypatch):
    monkeypatch.setattr(overlay_module, "SYSTEM_FONTS", ("no such font.ttf",))
    assert overlay_module._lettered(name, 16)[0] == shown


def test_letters_of_other_languages_are_drawn_where_a_font_has_them():
    shown, font = overlay_module._lettered("Mütze, шапка", 16)
    if font.getname()[0] == "Aileron":  # no other font on this machine: what it lacks is spelled out
        assert shown == "M\\xfctze, \\u0448\\u0430\\u043f\\u043a\\u0430"
    else:
        assert shown == "Mütze, шапка"
