"""A sweep over learning rates: the course of the loss, and what to type next."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for, inside
from fieldguide.learning.rate_plot import draw_sweep
from fieldguide.recipes.rate_sweep import RateSweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 12
"""Of steps, so many are shown as a line each, evenly apart."""
LONGEST = 40
"""Characters of a bar."""


def lines(result: RateSweep) -> Iterator[str]:
    """A bar for some of the steps, and the rate that is suggested."""
    smoothed = result.smoothed
    every = max(1, -(-len(smoothed) // MOST_ROWS))
    highest = max(smoothed)
    yield f"loss by learning rate, {len(smoothed)} steps of {result.recipe}"
    for rate, loss in list(zip(result.rates, smoothed, strict=True))[::every]:
        yield f"  {rate:<8.2g} {loss:6.3f} {'█' * round(LONGEST * loss / highest)}"
    yield result.sentence()


def html(result: RateSweep) -> str:
    """The same as a picture."""
    drawn = inside(lambda axes: draw_sweep(axes, result), "loss by learning rate", 5.0)
    return page.whole(f"{result.recipe}: learning rates", page.paragraph(result.sentence()), drawn)


def plot_sweep(result: RateSweep, ax: "Axes | None") -> "Axes":
    """The loss by learning rate."""
    with axes_for(ax) as axes:
        draw_sweep(axes, result)
    return axes


PLOTS = {"sweep": plot_sweep}
