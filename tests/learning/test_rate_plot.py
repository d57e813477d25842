"""A sweep as a picture."""

import pytest
from PIL import Image

pytest.importorskip("matplotlib", reason="the extra report is not installed")

from matplotlib.figure import Figure

from fieldguide.learning.rate_plot import draw, draw_sweep
from fieldguide.recipes.rate_sweep import RateSweep

RATES = tuple(10 ** (number / 20 - 5) for number in range(100))
FOUND = RateSweep("cnn", 0.24, RATES, tuple(1 / (1 + rate / 1e-3) + 20 * rate**2 for rate in RATES))


def test_steps_mean_and_suggestion_are_drawn():
    axes = Figure().subplots()
    draw_sweep(axes, FOUND)
    steps, mean, line = axes.get_lines()
    assert list(steps.get_ydata()) == list(FOUND.losses) and list(mean.get_ydata()) == list(FOUND.smoothed)
    assert list(line.get_xdata()) == [FOUND.suggested] * 2 and axes.get_xscale() == "log"


def test_without_a_suggestion_there_is_no_line():
    axes = Figure().subplots()
    draw_sweep(axes, RateSweep("cnn", 0.24, RATES, (1.0,) * 100))
    assert len(axes.get_lines()) == 2


def test_the_file_is_a_picture(tmp_path):
    draw(FOUND, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.format == "PNG"
