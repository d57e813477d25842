"""What every section of a report is made from, and the few forms of numbers that all of them use."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.evaluate import Examination
from fieldguide.evaluation import Evaluation, Outcomes
from fieldguide.intervals import Interval
from fieldguide.ranking_curves import Curves
from fieldguide.reliability import Reliability, reliability
from fieldguide.report.photos import Photos

if TYPE_CHECKING:
    from fieldguide.witness import Witness


@dataclass(frozen=True)
class Material:
    """A measurement, the model's card, and what other commands found."""

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
    examination: Examination
    witness: "Witness"
    photos: Photos
    findings: dict[str, Any] | None = None
    """What ``check --json`` wrote; None without it."""
    learning_curve: dict[str, Any] | None = None
    """What ``compare --curve --json`` wrote under ``learning_curve``; None without it."""
    foreign: str | None = field(default=None)
    """The foreign images as the person named them."""

    @property
    def evaluation(self) -> Evaluation:
        """The numbers."""
        return self.examination.evaluation

    @property
    def outcomes(self) -> Outcomes:
        """The answers, a row an image."""
        return self.examination.outcomes

    @property
    def classes(self) -> tuple[str, ...]:
        """The model's classes."""
        return self.evaluation.classes

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
    def trained_on(self) -> dict[str, int]:
        """Photos of each class that the model learned from; empty where the card does not say."""
        counts = self.card["data"].get("per_class")
        return counts if isinstance(counts, dict) else {}

    def shown(self, row: int) -> str:
        """Name of the image of a row."""
        images = self.examination.images
        return images.display(images.paths[row])


def percent(share: float, digits: int = 1) -> str:
    """0.931 as 93.1 %."""
    return f"{100 * share:.{digits}f} %"


def span(interval: Interval, digits: int = 1) -> str:
    """The range of a share."""
    return f"{100 * interval.low:.{digits}f} to {100 * interval.high:.{digits}f} %"


def plural(count: int, one: str, many: str = "") -> str:
    """1 photo, 2 photos."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: tuple[str, ...], most: int = 12) -> str:
    """Names in a sentence, cut where there are many."""
    if len(names) > most:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
