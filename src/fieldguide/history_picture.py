"""The history of a training run as a picture: losses, accuracy and rate by epoch."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.errors import OptionError
from fieldguide.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE = "#0072b2", "#d55e00"
"""Okabe and Ito's, told apart by colour-blind eyes; lines differ in style too."""


def draw(history: Sequence[Mapping[str, float]], kept_epoch: int | None, out: Path) -> None:
    """Write a PNG.

    Parameters
    ----------
    history
        Rows as :class:`fieldguide.loop.Trained` holds them.
    kept_epoch
        The epoch, from 1, whose weights the model has; None marks none.
    out
        The file to write.

    Raises
    ------
    OptionError
        If there is no history: not every recipe has epochs.
    OutputError
        If the file cannot be written.
    """
    if not history:
        raise OptionError("--plot: this recipe does not train in epochs, so there is no history to draw")
    picture = io.BytesIO()
    figure_of(history, kept_epoch).savefig(picture, format="png", dpi=120, metadata={"Software": None})
    with atomic_write(out) as file:
        file.write(picture.getvalue())


def figure_of(history: Sequence[Mapping[str, float]], kept_epoch: int | None) -> "Figure":
    """The same as a figure that is not written yet; `history` has at least one row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    losses, accuracy, rate = figure.subplots(1, 3)
    _lines(losses, history, {"train_loss": "learned from", "validation_loss": "held out"})
    losses.set_ylabel("loss")
    losses.legend(frameon=False)
    _lines(accuracy, history, {"validation_accuracy": "held out"}, first=1)
    accuracy.set_ylabel("accuracy on images held out")
    _lines(rate, history, {"learning_rate": "rate"})
    rate.set_ylabel("highest learning rate")
    for axes in (losses, accuracy):
        if kept_epoch is not None:
            axes.axvline(kept_epoch, color="0.6", linewidth=1, linestyle=":")
    return figure


def _lines(
    axes: "Axes", history: Sequence[Mapping[str, float]], names: Mapping[str, str], first: int = 0
) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in history]
    styles = ((BLUE, "o", "-"), (ORANGE, "s", "--"))
    for (name, label), (colour, mark, line) in zip(names.items(), styles[first:], strict=False):
        values = [row[name] for row in history]
        axes.plot(epochs, values, line, color=colour, marker=mark, markersize=3.5, label=label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9")
