"""Several model files of tags on the same photos: which is better, and whether by more than chance.

Compared is the mean average precision over the tags that all models know. Both models answered the same
photos, so the variance of the difference is that of the difference of their influences (the infinitesimal
jackknife, Jaeckel 1972), with near-duplicates and photos of one group as one; the test is two-sided and
normal, corrected for the number of pairs (Holm 1979).
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import DataError, OptionError
from fieldguide.evaluation.model_comparison import duplicate_numbers
from fieldguide.evaluation.tag_measurement import MeasuredTags
from fieldguide.evaluation.tag_result import TagEvaluation
from fieldguide.metrics.classification import FloatArray, IntArray
from fieldguide.metrics.intervals import Interval
from fieldguide.metrics.paired_tests import SIGNIFICANT, Z, holm
from fieldguide.metrics.tags import average_precision
from fieldguide.progress import Progress, silent
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset


@dataclass(frozen=True)
class TagPair:
    """Two models of tags on the same photos."""

    first: str
    """Name of the better one."""
    second: str
    difference: Interval
    """Mean average precision of the first less that of the second, with its 95 % interval."""
    p: float
    """Chance of a difference at least as large, either way, if the two were equally good."""
    p_corrected: float
    """The same, corrected for the number of pairs (Holm)."""

    @property
    def interval(self) -> Interval:
        """The difference, as pairs of single labels have it."""
        return self.difference

    @property
    def real(self) -> bool:
        """Whether the difference is more than chance."""
        return self.p_corrected < SIGNIFICANT and not self.difference.low <= 0 <= self.difference.high

    @property
    def sentence(self) -> str:
        """The difference in words."""
        value, low, high = (100 * part for part in vars(self.difference).values())
        told = f"{value:.1f} points of mean average precision ({low:.1f} to {high:.1f})"
        if self.real:
            return f"{self.first} is better than {self.second} by {told}, more than chance"
        return f"{self.first} is better than {self.second} by {told}, which may be chance"

    def as_dict(self) -> dict[str, Any]:
        """The pair's row as JSON holds it."""
        return {
            "first": self.first,
            "second": self.second,
            "measure": "map",
            "difference": self.difference.as_dict(),
            "p": self.p,
            "p_corrected": self.p_corrected,
            "real": self.real,
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class TagComparison:
    """Models of tags compared on the same photos."""

    models: tuple[tuple[str, TagEvaluation], ...]
    """Names and measurements, in the order given."""
    n: int
    """Photos that all of them answered."""
    separate: int
    """How many of these count in the tests: near-duplicates and photos of one group are one."""
    tags: tuple[str, ...]
    """The tags that all of them know and photos have."""
    pairs: tuple[TagPair, ...]
    """Every two models, the better first."""

    def as_dict(self) -> dict[str, Any]:
        """The whole as ``evaluate --json`` holds it under ``against``."""
        figures = (
            "n",
            "map",
            "micro_f1",
            "macro_f1",
            "exact_match",
            "coverage",
            "log_loss",
            "ece",
            "unknown_rate",
        )
        rows = []
        for name, measured in self.models:
            whole = measured.as_dict()
            foreign = {"foreign": whole["foreign"]} if "foreign" in whole else {}
            rows.append({"name": name, **{key: whole[key] for key in figures}, **foreign})
        return {
            "n": self.n,
            "separate_images": self.separate,
            "tags": list(self.tags),
            "models": rows,
            "pairs": [pair.as_dict() for pair in self.pairs],
        }


def compare_tags(
    dataset: "Dataset",
    found: Mapping[str, tuple[Sequence[str], MeasuredTags, TagEvaluation]],
    progress: Progress = silent,
) -> TagComparison:
    """Compare models of tags that have answered the same photos.

    Parameters
    ----------
    dataset
        The photos.
    found
        By name, of at least two models: the tags, the answers, and what they come to.
    progress
        Callback for progress.

    Raises
    ------
    OptionError
        If there are fewer than two models.
    DataError
        If they share no tag or no photo.
    """
    if len(found) < 2:
        raise OptionError(f"models: must be two or more, got {len(found)}; name another to compare with")
    rows = _in_common([answers.rows for _, answers, _ in found.values()])
    tags = sorted(set.intersection(*(set(classes) for classes, _, _ in found.values())))
    if not len(rows) or not tags:
        raise DataError(
            f"{dataset.called}: {' and '.join(found)} share no tag or no photo; nothing to compare"
        )
    parts = {name: _ranked(classes, answers, rows, tags) for name, (classes, answers, _) in found.items()}
    groups = duplicate_numbers(dataset, rows, progress)
    return TagComparison(
        models=tuple((name, measured) for name, (_, _, measured) in found.items()),
        n=len(rows),
        separate=len(np.unique(groups)),
        tags=tuple(tags),
        pairs=paired_tags(parts, groups),
    )


def _in_common(rows: Sequence[IntArray]) -> IntArray:
    common = rows[0]
    for others in rows[1:]:
        common = np.intersect1d(common, others)
    return common


def _ranked(
    classes: Sequence[str], answers: MeasuredTags, rows: IntArray, tags: Sequence[str]
) -> tuple[float, FloatArray]:
    """Mean average precision over some tags and photos, and the influence of each photo."""
    part = answers.outcomes.take(np.searchsorted(answers.rows, rows))
    columns = [list(classes).index(tag) for tag in tags]
    truth = part.tags[:, columns]
    found = average_precision(part.probabilities[:, columns], truth == PRESENT, truth != NOT_KNOWN)
    return (0.0 if found.mean is None else found.mean.value), found.influence


def paired_tags(
    parts: Mapping[str, tuple[float, FloatArray]], groups: NDArray[np.int64]
) -> tuple[TagPair, ...]:
    """Test every two models of tags on the same photos, the better first.

    Parameters
    ----------
    parts
        By name: mean average precision, and the influence of each photo on it.
    groups
        Photos with the same number count as one; of shape (n_images,).
    """
    ordered = [sorted(two, key=lambda name: -parts[name][0]) for two in itertools.combinations(parts, 2)]
    tested = [_difference(parts[first], parts[second], groups) for first, second in ordered]
    corrected = holm([p for _, p in tested])
    return tuple(
        TagPair(first, second, difference, p, own)
        for (first, second), (difference, p), own in zip(ordered, tested, corrected, strict=True)
    )


def _difference(
    first: tuple[float, FloatArray], second: tuple[float, FloatArray], groups: NDArray[np.int64]
) -> tuple[Interval, float]:
    value = first[0] - second[0]
    _, numbers = np.unique(groups, return_inverse=True)
    spread = math.sqrt(float((np.bincount(numbers, first[1] - second[1]) ** 2).sum()))
    p = math.erfc(abs(value) / spread / math.sqrt(2)) if spread > 0 else float(value == 0)
    return Interval(value, max(value - Z * spread, -1.0), min(value + Z * spread, 1.0)), p
