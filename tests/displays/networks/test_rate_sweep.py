"""A sweep over learning rates on a screen of 80 columns and in a notebook."""

from fieldguide.recipes.rate_sweep import RateSweep
from shown_html import text_of

RATES = tuple(10 ** (number / 20 - 5) for number in range(100))
FOUND = RateSweep("cnn", 0.24, RATES, tuple(1 / (1 + rate / 1e-3) + 20 * rate**2 for rate in RATES))


def test_it_fits_a_screen_and_ends_with_what_to_type():
    shown = repr(FOUND).splitlines()
    assert shown[-1] == FOUND.sentence() and len(shown) <= 15
    assert max(map(len, shown)) <= 80
    assert shown[1].startswith("  1e-05 ")


def test_a_notebook_shows_the_picture():
    shown = FOUND._repr_html_()
    assert FOUND.sentence() in text_of(shown) and shown.count('class="plot"') == 1
    assert FOUND.plot().get_xlabel() == "learning rate"
