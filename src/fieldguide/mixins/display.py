"""What results have that show themselves: as text, as HTML in a notebook, as a plot, as a table.

How a kind of result looks stands in a module of its own in :mod:`fieldguide.displays`, above what it draws
with. It is found by name when a result is first shown, so that what only computes knows nothing of
looks, and nothing is imported to draw what nobody looks at.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fieldguide.errors import OptionError
from fieldguide.plain_text import escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DISPLAYS = {
    "Findings": "findings",
    "Comparison": "comparison",
    "Dataset": "dataset",
    "DealtSplits": "splits",
    "Evaluation": "evaluation",
    "Explanation": "explanation",
    "LayerTable": "layers",
    "LeaveOneClassOut": "novelty",
    "Prediction": "prediction",
    "Predictions": "predictions",
    "Predictor": "model_card",
    "RateSweep": "networks.rate_sweep",
    "Suggestions": "suggestions",
    "TagEvaluation": "tag_evaluation",
    "TrainResult": "training",
    "TuneResult": "tuning",
    "ZeroShotResult": "zero_shot",
}
"""Class of a result, and so of its subclasses, to the module of :mod:`fieldguide.displays` that shows it."""


class DisplayMixin:
    """A result that shows itself: one screen of text, and HTML in a notebook."""

    def __repr__(self) -> str:
        return "\n".join(map(escaped, _display_of(self).lines(self)))

    def _repr_html_(self) -> str:
        html: str = _display_of(self).html(self)
        return html


class PlotMixin:
    """A result that can be drawn."""

    def plot(self, kind: str | None = None, *, ax: "Axes | None" = None) -> "Axes":
        """Draw with Matplotlib.

        Parameters
        ----------
        kind
            Which of the result's plots; None draws the first. Another word raises an error that names all.
        ax
            Axes to draw on; None makes a figure.

        Returns
        -------
        matplotlib.axes.Axes
            To go on drawing; ``ax.figure.savefig`` writes it.

        Raises
        ------
        OptionError
            If there is no such kind, nothing to draw, or Matplotlib is not installed.
        """
        plots = _display_of(self).PLOTS
        if kind is not None and kind not in plots:
            raise OptionError(f"kind: must be one of {', '.join(plots)}; got {kind!r}")
        drawn: Axes = plots[kind or next(iter(plots))](self, ax)
        return drawn


class TableMixin:
    """A result that holds rows."""

    def to_pandas(self) -> Any:
        """The rows as a frame of pandas.

        Raises
        ------
        OptionError
            If pandas is not installed.
        """
        try:
            pandas = import_module("pandas")
        except ImportError as error:
            raise OptionError(
                "to_pandas: needs pandas, which is not installed; run: pip install pandas"
            ) from error
        return pandas.DataFrame(_display_of(self).rows(self))


def _display_of(result: object) -> Any:
    """The module that shows a result."""
    name = next(DISPLAYS[kind.__name__] for kind in type(result).__mro__ if kind.__name__ in DISPLAYS)
    return import_module(f"fieldguide.displays.{name}")
