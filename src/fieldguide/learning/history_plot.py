"""The history of a training run as a picture, and how far the weights moved."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.errors import OptionError
from fieldguide.files import atomic_write
from fieldguide.learning.movement_plot import draw_movement
from fieldguide.recipes.training_outcome import HandedBack, TrainingOutcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
"""Okabe and Ito's, told apart by colour-blind eyes; lines differ in style too."""
MEASURES = {"validation_accuracy": "accuracy", "validation_map": "mean average precision"}
"""What else than losses an epoch is measured by, as the history and as a person calls it."""


def draw(
    history: Sequence[Mapping[str, float]],
    kept_epoch: int | None,
    out: Path,
    outcome: TrainingOutcome | None = None,
) -> None:
    """Write a PNG.

    Parameters
    ----------
    history
        Rows as :class:`fieldguide.training.loop.Trained` holds them.
    kept_epoch
        The epoch, from 1, whose weights the model has; None marks none.
    out
        The file to write.
    outcome
        What training did to the weights; None draws no bars of it.

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
    figure_of(history, kept_epoch, outcome).savefig(
        picture, format="png", dpi=120, metadata={"Software": None}
    )
    with atomic_write(out) as file:
        file.write(picture.getvalue())


def figure_of(
    history: Sequence[Mapping[str, float]], kept_epoch: int | None, outcome: TrainingOutcome | None = None
) -> "Figure":
    """The same as a figure that is not written yet; `history` has at least one row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11 if outcome is None else 14, 3.6), layout="constrained")
    losses, accuracy, rate, *moved = figure.subplots(1, 3 if outcome is None else 4)
    draw_losses(losses, history, outcome)
    if outcome is not None:
        draw_movement(moved[0], outcome)
    name = measure_of(history)
    _lines(accuracy, history, {name: "held out"}, first=1)
    accuracy.set_ylabel(f"{MEASURES[name]} on images held out")
    _lines(rate, history, {"learning_rate": "rate"})
    rate.set_ylabel("highest learning rate")
    for axes in (losses, accuracy):
        if kept_epoch is not None:
            axes.axvline(kept_epoch, color="0.6", linewidth=1, linestyle=":")
    return figure


def measure_of(history: Sequence[Mapping[str, float]]) -> str:
    """The one of :data:`MEASURES` that a history has."""
    return next(name for name in MEASURES if name in history[0])


def draw_losses(
    axes: "Axes", history: Sequence[Mapping[str, float]], outcome: TrainingOutcome | None = None
) -> None:
    """Draw the losses alone, and that of the point between probe and network which was handed back."""
    _lines(axes, history, {"train_loss": "learned from", "validation_loss": "held out"})
    axes.set_ylabel("loss")
    if outcome is not None and outcome.handed_back is not None:
        point = outcome.handed_back
        axes.axhline(point.log_loss, color=GREEN, linestyle="-.", linewidth=1.2, label=_named(point))
    axes.legend(frameon=False, fontsize="small")


def _named(point: HandedBack) -> str:
    """The point in the few words of a legend."""
    if point.way == 0:
        return "handed back: probe"
    if point.weight < 1:
        return f"handed back: pool, {point.weight:g} network"
    return "handed back: network" if point.way == 1 else f"handed back: {point.way:.0%} of the way"


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
