"""What a measurement of tags says: answers to photos with known tags in, numbers with intervals out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import Refusal
from fieldguide.evaluation.distribution_shift import DistributionShift
from fieldguide.evaluation.learned_images import LearnedImages
from fieldguide.evaluation.result import Foreign
from fieldguide.metrics import tags as metrics
from fieldguide.metrics.classification import SMALLEST_PROBABILITY, FloatArray
from fieldguide.metrics.intervals import Interval, share
from fieldguide.metrics.ranking_curves import Curves, tag_curves
from fieldguide.metrics.tags import AveragePrecision, TagAverages, TagCounts, TagScores
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators

if TYPE_CHECKING:
    from fieldguide.data.leaks import Leaks

BoolArray = NDArray[np.bool_]

MOST_PAIRS = 50
"""Pairs of tags that are taken for each other, in JSON."""
GRID, TENTHS = np.linspace(0, 1, 101), np.linspace(0, 1, 11)
"""Where the mean curves, and the curve of each tag, are read off for JSON."""


@dataclass(frozen=True)
class TagOutcomes:
    """What a model answered to photos with known tags; every row is a photo."""

    tags: Indicators
    """The true tags, of shape (n_images, n_tags)."""
    probabilities: NDArray[np.float32]
    """Of the same shape."""
    given: BoolArray
    """Tags that were given, of the same shape."""
    members: BoolArray
    """Tags in the set, of the same shape."""
    typicality: FloatArray
    """Of shape (n_images,)."""
    unknown: BoolArray
    """Whether the photo was taken to be like none learned from, of shape (n_images,)."""

    @staticmethod
    def of(
        tags: Indicators,
        probabilities: NDArray[Any],
        typicality: NDArray[Any],
        *,
        thresholds: NDArray[Any],
        set_threshold: float | None,
        unknown_threshold: float,
    ) -> "TagOutcomes":
        """Derive the columns from probabilities, as a model file with these thresholds would.

        Examples
        --------
        >>> outcomes = TagOutcomes.of(
        ...     np.array([[1, 0]], np.int8), np.array([[0.6, 0.3]]), np.array([0.5]),
        ...     thresholds=np.array([0.5, 0.5]), set_threshold=0.2, unknown_threshold=0.01,
        ... )
        >>> outcomes.given.tolist(), outcomes.members.tolist()
        ([[True, False]], [[True, True]])
        """
        narrow, given_from = probabilities.astype(np.float32), np.asarray(thresholds, dtype=np.float32)
        floor = given_from if set_threshold is None else np.minimum(given_from, np.float32(set_threshold))
        return TagOutcomes(
            tags=tags,
            probabilities=narrow,
            given=narrow >= given_from,
            members=narrow >= floor,
            typicality=np.asarray(typicality, dtype=np.float64),
            unknown=np.asarray(typicality) < unknown_threshold,
        )

    @property
    def known(self) -> BoolArray:
        """Whether it is known if a photo has a tag."""
        return np.asarray(self.tags != NOT_KNOWN)

    @property
    def shown(self) -> BoolArray:
        """The tags that photos have."""
        return np.asarray(self.tags == PRESENT)

    def counts(self) -> TagCounts:
        """True tags beside those given."""
        return TagCounts.of(self.shown, self.given, self.known)

    def all_right(self) -> BoolArray:
        """Photos of which all that is known was answered right, of shape (n_images,)."""
        return np.asarray(((self.shown == self.given) | ~self.known).all(1))

    def take(self, rows: NDArray[Any]) -> "TagOutcomes":
        """Some of the photos."""
        return TagOutcomes(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True)
class TagsWithout:
    """Photos that training has seen, or whose tags corrections changed, and what is reached on the others."""

    n: int
    """Such photos."""
    of: int
    """Photos of which that can be told."""
    summary: str
    """One sentence; empty where there are none."""
    n_without: int
    """The other photos."""
    map_without: Interval | None
    """Mean average precision on these."""
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What else JSON holds."""

    @staticmethod
    def learned(learned: LearnedImages, outcomes: TagOutcomes) -> "TagsWithout":
        """By the contents in the model's card."""
        new = np.flatnonzero([known is False for known in learned.known])
        n, of = learned.found, learned.told
        said = (
            f"{n} of {of} photos are photos the model learned from; what it reaches on them says nothing "
            "about new ones"
        )
        return TagsWithout(n, of, said if n else "", len(new), _map(outcomes.take(new)))

    @staticmethod
    def leaked(
        leaks: "Leaks", paths: Sequence[str], shown: Sequence[str], outcomes: TagOutcomes
    ) -> "TagsWithout":
        """By the data's own training split; `paths` are the photos measured, `shown` as results name them."""
        known = np.array([path in leaks.kinds for path in paths], dtype=np.bool_)
        kinds = [leaks.kinds[path] for path in paths if path in leaks.kinds]
        new, named = np.flatnonzero(~known), [name for name, leak in zip(shown, known, strict=True) if leak]
        beside = {**{kind: kinds.count(kind) for kind in leaks.ways}, "paths": named}
        return TagsWithout(
            len(kinds), len(paths), leaks.summary(), len(new), _map(outcomes.take(new)), beside
        )

    @staticmethod
    def corrected(changed: BoolArray, dropped: int, outcomes: TagOutcomes) -> "TagsWithout":
        """By corrections.

        Parameters
        ----------
        changed
            Of shape (n_images,): whether tags of the photo were changed.
        dropped
            Photos that corrections left out.
        outcomes
            The answers, of as many photos.
        """
        n, rest = int(changed.sum()), np.flatnonzero(~changed)
        said = (
            f"tags of {n} of the photos measured were changed and {dropped} photos left out by corrections; "
            "where a model's own doubts led to them, it now agrees more with the tags than it will with "
            "those of new photos"
        )
        beside = {"relabelled": n, "dropped": dropped}
        return TagsWithout(n, len(changed), said, len(rest), _map(outcomes.take(rest)), beside)

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them under ``learned_from``, ``leaks`` and ``corrections``."""
        without = None if self.map_without is None else self.map_without.as_dict()
        return {
            "n": self.n,
            "of": self.of,
            "message": self.summary,
            "n_without": self.n_without,
            "map_without": without,
            **self.beside,
        }


def _map(outcomes: TagOutcomes) -> Interval | None:
    if not len(outcomes.tags):
        return None
    return metrics.average_precision(outcomes.probabilities, outcomes.shown, outcomes.known).mean


@dataclass(frozen=True, repr=False)
class TagEvaluation(DisplayMixin, PlotMixin, TableMixin):
    """A model of tags measured on photos; intervals are 95 %."""

    n: int
    """Number of photos measured."""
    average_precision: AveragePrecision
    """By tag, and its mean over the tags that photos have."""
    averages: TagAverages
    """F1, precision and recall of the tags given, over all tags."""
    exact_match: Interval
    """Share of photos whose tags are all right."""
    coverage: Interval | None
    """Mean share of a photo's true tags that its set holds, over photos that have any; None without such."""
    mean_set_size: float
    """Mean number of tags in a set."""
    mean_labels: float
    """Mean number of tags given."""
    log_loss: float
    """Mean negative log probability of what is known of the tags, in nats."""
    ece: float
    """Expected calibration error, mean over tags, 0 to 1."""
    unknown_rate: float
    """Share of photos taken to be like none learned from."""
    classes: tuple[str, ...]
    """The model's tags, in the order of what follows."""
    per_class: TagScores
    """Precision, recall, F1 and number of photos of each tag."""
    ece_by_tag: FloatArray
    """Of shape (n_tags,)."""
    curves: Curves
    """ROC and precision-recall of every tag."""
    confusion: NDArray[np.int64]
    """Photos that have the tag of the row without being given it, and were given that of the column without
    having it; of shape (n_tags, n_tags)."""
    refused: tuple[Refusal, ...] = ()
    """Photos that could not be read."""
    strangers: tuple[tuple[str, int], ...] = ()
    """Tags of the data that the model does not know, with their photos; these tags were not measured."""
    learned: TagsWithout | None = None
    """Which of the photos the model learned from; None where its card does not tell."""
    leaks: TagsWithout | None = None
    """What training has seen as well; None where there was no training split to compare with."""
    corrections: TagsWithout | None = None
    """Which of the photos corrections changed; None where there were none."""
    foreign: Foreign | None = None
    """The comparison with foreign photos, where it was asked for."""
    shift: DistributionShift | None = None
    """Where the photos break what the model promised; None where promises hold."""

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``evaluate --json`` for tags."""
        mean = self.average_precision.mean
        averages = {name: found.as_dict() for name, found in vars(self.averages).items()}
        answer: dict[str, Any] = {
            "task": "multiple",
            "n": self.n,
            "refused": [refusal.as_dict() for refusal in self.refused],
            "map": None if mean is None else mean.as_dict(),
            **averages,
            "exact_match": self.exact_match.as_dict(),
            "coverage": None if self.coverage is None else self.coverage.as_dict(),
            "mean_set_size": self.mean_set_size,
            "mean_labels": self.mean_labels,
            "log_loss": self.log_loss,
            "ece": self.ece,
            "unknown_rate": self.unknown_rate,
            "per_class": self.per_class_rows(),
            "taken_for": self.taken_for_rows(),
            "curves": self.mean_curves(),
            "labels_not_in_model": dict(self.strangers),
        }
        if self.shift is not None:
            answer["distribution_shift"] = self.shift.as_dict()
        if self.foreign is not None:
            answer["foreign"] = self.foreign.as_dict()
        if self.leaks is not None:
            answer["leaks"] = self.leaks.as_dict()
        if self.corrections is not None:
            answer["corrections"] = self.corrections.as_dict()
        if self.learned is not None:
            answer["learned_from"] = self.learned.as_dict()
        return answer

    def confused(self) -> list[tuple[str, str, int]]:
        """Pairs (tag missed, tag given instead, photos), most frequent first."""
        rows, columns = np.nonzero(self.confusion)
        order = np.argsort(-self.confusion[rows, columns], kind="stable")
        return [
            (self.classes[row], self.classes[column], int(self.confusion[row, column]))
            for row, column in zip(rows[order], columns[order], strict=True)
        ]

    def mean_curves(self) -> dict[str, Any]:
        """The mean over tags of both curves; lists are empty where no tag has photos on both sides."""
        told = len(self.curves.told) > 0
        recalls = self.curves.recall_at(GRID).mean(0) if told else GRID[:0]
        precisions = self.curves.precision_at(GRID).mean(0) if told else GRID[:0]
        grid = GRID.tolist() if told else []
        return {
            "roc": {"false_positive_rate": grid, "recall": _rounded(recalls)},
            "precision_recall": {"recall": grid, "precision": _rounded(precisions)},
        }

    def taken_for_rows(self) -> list[dict[str, Any]]:
        """The most frequent pairs of a tag missed and a tag given instead."""
        return [
            {"missed": missed, "given": given, "n": n} for missed, given, n in self.confused()[:MOST_PAIRS]
        ]

    def per_class_rows(self) -> list[dict[str, Any]]:
        """A row a tag; what cannot be said of a tag that no photo has is None."""
        scores, precision = self.per_class, self.average_precision
        columns = (
            scores.support,
            scores.precision,
            scores.recall,
            scores.f1,
            self.ece_by_tag,
            self.curves.auroc,
        )
        drawn = self.curves.precision_at(TENTHS)
        curves = dict(zip(self.curves.told.tolist(), map(_rounded, drawn), strict=True))
        return [
            {
                "label": label,
                "n": int(n),
                "precision": float(right),
                "recall": float(found),
                "f1": float(f1),
                "ap": None if ap is None else ap.as_dict(),
                "ece": None if np.isnan(ece) else float(ece),
                "auroc": None if np.isnan(auroc) else float(auroc),
                "precision_at_recall": curves.get(tag),
            }
            for tag, (label, n, right, found, f1, ece, auroc, ap) in enumerate(
                zip(self.classes, *columns, precision.intervals, strict=True)
            )
        ]


def _rounded(values: FloatArray) -> list[float]:
    return [round(float(value), 4) for value in values]


def measure_tags(
    outcomes: TagOutcomes, classes: Sequence[str], refused: tuple[Refusal, ...] = ()
) -> TagEvaluation:
    """Condense a model's answers into numbers.

    Parameters
    ----------
    outcomes
        The answers, at least one.
    classes
        The model's tags, in column order.
    refused
        Photos that could not be read, passed through.
    """
    counts, known = outcomes.counts(), outcomes.known
    errors = metrics.calibration_errors(outcomes.probabilities, outcomes.shown, known)
    covered = metrics.covered_shares(outcomes.shown, outcomes.members)
    missed = (counts.shown & ~counts.given).astype(np.float32)
    wrong = (counts.given & ~counts.shown).astype(np.float32)
    return TagEvaluation(
        n=len(outcomes.tags),
        average_precision=metrics.average_precision(outcomes.probabilities, outcomes.shown, known),
        averages=metrics.tag_averages(counts),
        exact_match=share(int(outcomes.all_right().sum()), len(outcomes.tags)),
        coverage=metrics.mean_interval(covered) if len(covered) else None,
        mean_set_size=float(outcomes.members.sum(1).mean()),
        mean_labels=float(outcomes.given.sum(1).mean()),
        log_loss=_log_loss(outcomes),
        ece=float(np.nanmean(errors)) if known.any() else 0.0,
        unknown_rate=float(outcomes.unknown.mean()),
        classes=tuple(classes),
        per_class=metrics.tag_scores(counts),
        ece_by_tag=errors,
        curves=tag_curves(outcomes.probabilities, outcomes.shown, known),
        confusion=(missed.T @ wrong).astype(np.int64),
        refused=refused,
    )


def _log_loss(outcomes: TagOutcomes) -> float:
    known = outcomes.known
    own = np.where(outcomes.shown, outcomes.probabilities, 1 - outcomes.probabilities)[known]
    return float(-np.log(np.maximum(own, SMALLEST_PROBABILITY)).mean(dtype=np.float64)) if len(own) else 0.0
