"""What the sections on tags are made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fieldguide.evaluation.tag_result import TagEvaluation, TagOutcomes
from fieldguide.metrics.calibration_curve import Reliability, tag_reliability
from fieldguide.metrics.intervals import Interval
from fieldguide.metrics.ranking_curves import Curves
from fieldguide.report.material import CommonMaterial, listed

if TYPE_CHECKING:
    from fieldguide.evaluation.tag_comparison import TagComparison

MOST_NAMES = 4
"""Tags of one photo that are named above or below it."""


@dataclass(frozen=True, kw_only=True)
class TagReportData(CommonMaterial):
    """A measurement of a model of tags."""

    evaluation: TagEvaluation
    outcomes: TagOutcomes
    comparison: "TagComparison | None" = None
    """The same photos answered by other models; None without any."""

    @cached_property
    def curves(self) -> Curves:
        """ROC and precision-recall of every tag, with the average precision of the evaluation."""
        exact = self.evaluation.average_precision.values
        return replace(self.evaluation.curves, average_precision=exact)

    @cached_property
    def reliability(self) -> Reliability:
        """Stated against reached, all tags together."""
        out = self.outcomes
        return tag_reliability(out.probabilities, out.shown, out.known)

    @cached_property
    def missed(self) -> NDArray[np.bool_]:
        """True tags that were not given, of shape (n_images, n_tags)."""
        return np.asarray(self.outcomes.shown & ~self.outcomes.given)

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Tags that were given and are known to be absent, of the same shape."""
        out = self.outcomes
        return np.asarray(out.given & out.known & ~out.shown)

    @property
    def thresholds(self) -> Sequence[float]:
        """From which probability on each tag is given."""
        stated: Sequence[float] = self.card["thresholds"]["tags"]
        return stated

    @property
    def promised(self) -> Interval | None:
        """Mean average precision on held-out photos when it was trained; None where the card does not say."""
        return self.stated("map")

    @property
    def flattered(self) -> bool:
        """Whether mean average precision is higher than training promised, and not by chance."""
        mean = self.evaluation.average_precision.mean
        return self.promised is not None and mean is not None and mean.low > self.promised.high

    def true_tags(self, row: int) -> str:
        """The true tags of a photo, in words."""
        return self._names(self.outcomes.shown[row])

    def given_tags(self, row: int) -> str:
        """The tags that a photo was given, in words."""
        return self._names(self.outcomes.given[row])

    def _names(self, which: NDArray[np.bool_]) -> str:
        names = tuple(self.classes[column] for column in np.flatnonzero(which))
        return listed(names, MOST_NAMES) if names else "no tag"
