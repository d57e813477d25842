"""What plots of results share: axes of one look, rows with ranges, and a plot inside of HTML."""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from fieldguide.displays.html import Html, svg
from fieldguide.errors import OptionError
from fieldguide.installation import command_for
from fieldguide.metrics.intervals import Interval
from fieldguide.report import figures
from fieldguide.report.material import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw = Callable[["Axes"], None]
MOST_DRAWN = 40
"""Rows of a plot; of more, the first are drawn."""


@contextlib.contextmanager
def axes_for(ax: "Axes | None", height: float = 3.6) -> "Iterator[Axes]":
    """The axes to draw on: those given, or those of a new figure in the look of the reports.

    Raises
    ------
    OptionError
        If Matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise OptionError(f"plot: needs Matplotlib, which is not installed; run: {command_for('report')}")
    with figures.style():
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(5.6, height), layout="constrained")
        yield ax


def inside(draw: Draw, alt: str, width: float = 5.2, height: float = 3.6) -> Html:
    """A plot for HTML; nothing where Matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        return Html("")
    with figures.style():
        figure, axes = figures.axes(width, height)
        draw(axes)
    return svg(figures.Plot(figure).svg(), alt)


def height_for(rows: int) -> float:
    """Inches that a plot with a row each takes."""
    return 1.1 + 0.28 * min(rows, MOST_DRAWN)


def draw_ranges(axes: "Axes", rows: Sequence[tuple[str, Interval]], label: str) -> None:
    """A point and its 95 % range for each row, the first on top."""
    shown = rows[:MOST_DRAWN]
    places = range(len(shown))
    values = [interval.value for _, interval in shown]
    below = [interval.value - interval.low for _, interval in shown]
    above = [interval.high - interval.value for _, interval in shown]
    axes.errorbar(
        values,
        list(places),
        xerr=[below, above],
        fmt="o",
        color=figures.BLUE,
        ecolor="#8ec3e0",
        elinewidth=3,
        markersize=5,
    )
    _name_rows(axes, [name for name, _ in shown], label)


def draw_counts(axes: "Axes", rows: Sequence[tuple[str, float]], label: str) -> None:
    """A bar for each row, the first on top."""
    shown = rows[:MOST_DRAWN]
    axes.barh(range(len(shown)), [value for _, value in shown], color="#8ec3e0", edgecolor=figures.BLUE)
    _name_rows(axes, [name for name, _ in shown], label)


def _name_rows(axes: "Axes", names: Sequence[str], label: str) -> None:
    axes.set_yticks(range(len(names)), [named(name, 30) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(label)
    axes.grid(axis="x", color="#e7eaee")
    axes.set_axisbelow(True)
