"""What every section of a report is made from, and the few forms of numbers that all of them use."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.evaluation.result import Evaluation, ForeignAnswers, Outcomes
from fieldguide.evaluation.tag_result import TagEvaluation, TagOutcomes
from fieldguide.metrics.calibration_curve import Reliability, reliability
from fieldguide.metrics.intervals import Interval
from fieldguide.metrics.ranking_curves import Curves
from fieldguide.plain_text import escaped
from fieldguide.report.photos import Photos

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.evaluation.model_comparison import ModelComparison
    from fieldguide.report.observed_predictor import ObservedPredictor, ObservedSample


@dataclass(frozen=True, kw_only=True)
class CommonMaterial:
    """What reports of single labels and of tags share: a measurement, the card, what others found."""

    model: str
    """The model file as the person named it."""
    data: str
    """The data set as the person named it."""
    split: str
    """The split that was measured, or "all"."""
    card: dict[str, Any]
    """Of the model file; docs/artifact.md explains every field."""
    digest: str
    """Of the model file."""
    evaluation: Evaluation | TagEvaluation
    """The numbers."""
    outcomes: Outcomes | TagOutcomes
    """The answers, a row an image that could be read."""
    images: "Dataset"
    """These images, in the same order."""
    witness: "ObservedSample"
    photos: Photos
    findings: dict[str, Any] | None = None
    """What ``check --json`` wrote; None without it."""
    learning_curve: dict[str, Any] | None = None
    """What ``compare --curve --json`` wrote under ``learning_curve``; None without it."""
    foreign: ForeignAnswers | None = None
    """Answers to images of other things; None without any."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The model's classes."""
        return self.evaluation.classes

    @property
    def trained_on(self) -> dict[str, int]:
        """Photos of each class or tag that the model learned from; empty where the card does not say."""
        counts = self.card["data"].get("per_class")
        return counts if isinstance(counts, dict) else {}

    def shown(self, row: int) -> str:
        """Name of the image of a row."""
        return self.images.display(self.images.paths[row])

    def stated(self, figure: str) -> Interval | None:
        """A figure on held-out photos when the model was trained; None where the card does not say."""
        stated = self.card["metrics"].get(figure)
        if not (isinstance(stated, dict) and {"value", "low", "high"} <= set(stated)):
            return None
        return Interval(stated["value"], stated["low"], stated["high"])


@dataclass(frozen=True, kw_only=True)
class ReportData(CommonMaterial):
    """A measurement of single labels."""

    evaluation: Evaluation
    outcomes: Outcomes
    witness: "ObservedPredictor"
    comparison: "ModelComparison | None" = None
    """The same images answered by other models; None without any."""

    @cached_property
    def curves(self) -> Curves:
        """ROC and precision-recall."""
        return self.witness.curves

    @cached_property
    def reliability(self) -> Reliability:
        """Stated against reached."""
        return reliability(self.outcomes.confidence, self.right)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each image was answered right."""
        return np.asarray(self.outcomes.truth == self.outcomes.predicted)

    @property
    def promised(self) -> Interval | None:
        """Accuracy on held-out photos when it was trained; None where the card does not say."""
        return self.stated("accuracy")

    @property
    def flattered(self) -> bool:
        """Whether accuracy is higher than training promised, and not by chance."""
        return self.promised is not None and self.evaluation.accuracy.low > self.promised.high


def percent(share: float, digits: int = 1) -> str:
    """0.931 as 93.1 %, with a space that does not break."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def span(interval: Interval, digits: int = 1) -> str:
    """The range of a share."""
    return f"{100 * interval.low:.{digits}f} to {100 * interval.high:.{digits}f}\N{NO-BREAK SPACE}%"


def named(name: str, longest: int = 18) -> str:
    """A name as a plot shows it: nothing in it is obeyed, and it leaves room for the plot."""
    shown = escaped(name)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def plural(count: int, one: str, many: str = "") -> str:
    """1 photo, 2 photos."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: tuple[str, ...], most: int = 12) -> str:
    """Names in a sentence, cut where there are many."""
    if len(names) > most:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
