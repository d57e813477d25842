"""A search as a picture: what each trial reached, and which settings decided."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.experiments.scoring import score_of
from fieldguide.experiments.tune import TuneResult
from fieldguide.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = {"log_loss": "log loss", "accuracy": "share of wrong answers"}


def draw(result: TuneResult, out: Path) -> None:
    """Write a PNG.

    Parameters
    ----------
    result
        From :func:`fieldguide.experiments.tune.tune`.
    out
        The file to write.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    history, importances = figure.subplots(1, 2)
    draw_trials(history, result)
    draw_importances(importances, result.importances)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    with atomic_write(out) as file:
        file.write(picture.getvalue())


def draw_trials(axes: "Axes", result: TuneResult) -> None:
    """Draw what each trial reached."""
    marks = {"complete": ("o", "tab:blue"), "pruned": ("x", "tab:grey")}
    for state, (mark, colour) in marks.items():
        shown = {
            row.number: row.objective
            for row in result.trials
            if row.state == state and row.objective is not None
        }
        if shown:
            axes.scatter(list(shown), list(shown.values()), marker=mark, color=colour, label=state)
    default = result.choice.default
    objective = result.options.objective
    level = default.log_loss if objective == "log_loss" else 1 - score_of(default).value
    axes.axhline(level, linestyle="--", color="tab:orange", label="recipe as it comes")
    axes.set_xlabel("trial")
    axes.set_ylabel(f"{NAMES[objective]}, out of fold")
    axes.legend()


def draw_importances(axes: "Axes", importances: dict[str, float] | None) -> None:
    """Draw the share of each setting in the differences between trials."""
    axes.set_title("which settings decided")
    if importances is None:
        axes.text(0.5, 0.5, "too few finished trials to tell", ha="center", va="center")
        axes.set_axis_off()
        return
    names = sorted(importances, key=importances.__getitem__)
    axes.barh(names, [importances[name] for name in names])
    axes.set_xlabel("share")
