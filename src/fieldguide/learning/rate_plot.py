"""A sweep over learning rates as a picture."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.files import atomic_write
from fieldguide.recipes.rate_sweep import RateSweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE = "#0072b2", "#d55e00"


def draw(result: RateSweep, out: Path) -> None:
    """Write a PNG.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.8), layout="constrained")
    draw_sweep(figure.subplots(), result)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    with atomic_write(out) as file:
        file.write(picture.getvalue())


def draw_sweep(axes: "Axes", result: RateSweep) -> None:
    """Draw the loss of each step, its running mean, and the rate that is suggested."""
    axes.plot(result.rates, result.losses, ".", color="0.75", markersize=4, label="each step")
    axes.plot(result.rates, result.smoothed, color=BLUE, label="running mean")
    if result.suggested is not None:
        label = f"suggested: {result.suggested:g}"
        axes.axvline(result.suggested, color=ORANGE, linestyle="--", linewidth=1.2, label=label)
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="loss of the images of a step")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9")
    axes.legend(frameon=False, fontsize="small")
