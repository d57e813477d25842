"""Answers to several inputs, in their order."""

from collections.abc import Mapping
from typing import Any

from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin
from fieldguide.prediction.result import Prediction


class Predictions(DisplayMixin, PlotMixin, TableMixin, list[Prediction]):
    """A list of predictions.

    Examples
    --------
    >>> from fieldguide.prediction.result import refused
    >>> answers = Predictions([refused("a.jpg", "truncated", "the file ends early")])
    >>> answers.as_dict()[0]["error"]["code"]
    'truncated'
    """

    files: Mapping[str, str] = {}
    """Where images lie that stood in a table or an archive, by their names in the answers."""

    def as_dict(self) -> list[dict[str, Any]]:
        """The rows as ``predict --out FILE.jsonl`` writes them."""
        return [prediction.as_row() for prediction in self]
