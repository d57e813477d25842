"""A pass in one line, as the terminal and a notebook show it while training goes on."""

from collections.abc import Mapping, Sequence

from fieldguide.learning.history_plot import MEASURES, measure_of
from fieldguide.training.remaining import passes, time_left

BARS = "▁▂▃▄▅▆▇█"
MOST_BARS, FEWEST_BARS = 20, 4
WIDTH = 80
"""Characters of a line, as far as at least the fewest bars allow it."""


def line(row: Mapping[str, float], losses: Sequence[float]) -> str:
    """One pass in words, with what is left of the time or, where no clock ends it, rate and seconds.

    Parameters
    ----------
    row
        Of the history, with what :class:`fieldguide.training.remaining.Remaining` puts beside it.
    losses
        Held-out losses up to this pass, drawn as bars.
    """
    name = measure_of([row])
    begin = f"epoch {passes(row)}: loss {row['train_loss']:.3f}, held out {row['validation_loss']:.3f} "
    end = time_left(row) or f"rate {row['learning_rate']:.2g}, {row['seconds']:.0f} s"
    end = f" {MEASURES[name]} {row[name]:.3f}, {end}"
    most = min(MOST_BARS, max(FEWEST_BARS, WIDTH - len(begin) - len(end)))
    return begin + bars(losses, most) + end


def bars(values: Sequence[float], most: int = MOST_BARS) -> str:
    """The last values as one character each, from the lowest to the highest."""
    shown = values[-most:]
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    return "".join(BARS[min(int((value - low) / span * len(BARS)), len(BARS) - 1)] for value in shown)
