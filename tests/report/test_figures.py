"""One look for all plots: names as they are, the same bytes each time."""

import io
import sys

import matplotlib
import pytest
from PIL import Image

from fieldguide.errors import OptionError
from fieldguide.report import figures
from plot_made import plot


def test_a_plot_takes_names_as_they_are():
    svg = plot("$a$ <b> & \U0001f600").svg().decode()
    assert "$a$ &lt;b&gt; &amp; \U0001f600" in svg
    assert svg == plot("$a$ <b> & \U0001f600").svg().decode()


def test_a_plot_is_a_picture_too_of_144_dots_an_inch():
    with Image.open(io.BytesIO(plot().png())) as opened:
        assert opened.size == (int(5.2 * 144), int(3.6 * 144))
        assert opened.info.keys() <= {"dpi"}


def test_the_style_ends_with_its_block():
    before = matplotlib.rcParams["svg.hashsalt"]
    with figures.style():
        assert matplotlib.rcParams["svg.hashsalt"] == "fieldguide"
    assert matplotlib.rcParams["svg.hashsalt"] == before


def test_without_matplotlib_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OptionError, match=r"--report: needs Matplotlib, .*; run: pip install"):
        figures.require_matplotlib()
