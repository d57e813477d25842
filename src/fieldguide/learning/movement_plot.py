"""How far each stage of a network moved while it learned, as bars."""

from typing import TYPE_CHECKING

from fieldguide.plain_text import escaped
from fieldguide.recipes.training_outcome import TrainingOutcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE = "#0072b2"
MOST_BARS = 24
"""Of more stages the ones that moved most are drawn."""
LONGEST = 24
"""Characters of a name."""


def draw_movement(axes: "Axes", outcome: TrainingOutcome) -> None:
    """Draw a bar for each stage, the earliest on top, with its share as a number."""
    ranked = sorted(outcome.stages, key=lambda stage: stage.moved, reverse=True)[:MOST_BARS]
    shown = [stage for stage in outcome.stages if stage in ranked]
    places = range(len(shown))
    bars = axes.barh(places, [100 * stage.moved for stage in shown], color=BLUE, height=0.7)
    axes.bar_label(bars, [f"{100 * stage.moved:.2g}" for stage in shown], padding=2, fontsize=7)
    axes.set_yticks(places, [escaped(stage.stage)[:LONGEST] for stage in shown], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("weights moved, % of their length")
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
