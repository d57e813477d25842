"""What a measurement says: answers to labelled images in, numbers with intervals out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import Refusal
from fieldguide.evaluation.corrected_images import CorrectedPart
from fieldguide.evaluation.distribution_shift import DistributionShift
from fieldguide.evaluation.learned_images import LearnedPart
from fieldguide.metrics import classification, intervals
from fieldguide.metrics.classification import ClassScores, FloatArray, IntArray
from fieldguide.metrics.intervals import Interval
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin

BoolArray = NDArray[np.bool_]

TOP = 5
"""Top-5 accuracy is given where a model has more than five classes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model answered to one labelled image; the fields are the columns of :class:`Outcomes`."""

    truth: int
    predicted: int
    confidence: float
    truth_probability: float
    rank: int
    covered: bool
    set_size: int
    typicality: float
    unknown: bool


@dataclass(frozen=True)
class Outcomes:
    """What a model answered to labelled images, a column a fact; every column of shape (n_images,).

    Probabilities are not kept, so that 100,000 images of 1,000 classes take a few megabytes.
    """

    truth: IntArray
    """Number of the true class."""
    predicted: IntArray
    """Number of the most probable class."""
    confidence: FloatArray
    """Probability of the most probable class."""
    truth_probability: FloatArray
    """Probability of the true class."""
    rank: IntArray
    """Number of classes held more probable than the true one."""
    covered: BoolArray
    """Whether the prediction set holds the true class."""
    set_size: IntArray
    """Number of classes in the prediction set."""
    typicality: FloatArray
    """In [0, 1]."""
    unknown: BoolArray
    """Whether the image was taken to be of none of the classes."""

    @staticmethod
    def gathered(rows: Sequence[Outcome]) -> "Outcomes":
        """Put answers to single images into columns."""
        return Outcomes(
            truth=np.array([row.truth for row in rows], np.int64),
            predicted=np.array([row.predicted for row in rows], np.int64),
            confidence=np.array([row.confidence for row in rows], np.float64),
            truth_probability=np.array([row.truth_probability for row in rows], np.float64),
            rank=np.array([row.rank for row in rows], np.int64),
            covered=np.array([row.covered for row in rows], np.bool_),
            set_size=np.array([row.set_size for row in rows], np.int64),
            typicality=np.array([row.typicality for row in rows], np.float64),
            unknown=np.array([row.unknown for row in rows], np.bool_),
        )

    @staticmethod
    def of(
        truth: NDArray[Any],
        probabilities: NDArray[Any],
        typicality: NDArray[Any],
        *,
        set_threshold: float | FloatArray,
        unknown_threshold: float,
    ) -> "Outcomes":
        """Derive the columns from probabilities, as a model file with these thresholds would.

        Parameters
        ----------
        truth
            Class numbers, of shape (n_images,).
        probabilities
            Of shape (n_images, n_classes).
        typicality
            Of shape (n_images,).
        set_threshold
            Classes at least this probable form the prediction set: a number for all, or one a class.
        unknown_threshold
            Images less typical than this are unknown.

        Examples
        --------
        >>> probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]])
        >>> truth, typicality = np.array([0, 1]), np.array([0.6, 0.001])
        >>> answers = Outcomes.of(truth, probabilities, typicality, set_threshold=0.3, unknown_threshold=0.01)
        >>> answers.set_size.tolist(), answers.covered.tolist(), answers.unknown.tolist()
        ([1, 2], [True, True], [False, True])
        """
        truth = np.asarray(truth, dtype=np.int64)
        own = np.take_along_axis(probabilities, truth[:, None], axis=1)[:, 0]
        predicted = probabilities.argmax(axis=1)
        return Outcomes(
            truth=truth,
            predicted=predicted,
            confidence=probabilities.max(axis=1).astype(np.float64),
            truth_probability=own.astype(np.float64),
            rank=classification.truth_ranks(truth, probabilities),
            covered=own >= np.broadcast_to(set_threshold, probabilities.shape[1:])[truth],
            set_size=(probabilities >= set_threshold).sum(axis=1),
            typicality=np.asarray(typicality, dtype=np.float64),
            unknown=np.asarray(typicality) < unknown_threshold,
        )


class ForeignAnswers(NamedTuple):
    """What a model answered to foreign images, at least one; each of shape (n_foreign,)."""

    typicality: FloatArray
    unknown: BoolArray
    confidence: FloatArray
    """Probability of the most probable class."""


@dataclass(frozen=True)
class Foreign:
    """How well images of other things are told apart by their typicality."""

    n: int
    """Number of foreign images that could be read."""
    auroc: Interval
    """Chance that an image of the data is more typical than a foreign one."""
    auroc_of_probability: Interval
    """The same of the probability of the most probable class, the rule that is often used instead."""
    false_alarm_rate: Interval
    """Share of the data's images taken to be unknown."""
    miss_rate: Interval
    """Share of foreign images taken to be of a known class."""
    refused: tuple[Refusal, ...]
    """Foreign images that could not be read."""

    @staticmethod
    def of(
        foreign: ForeignAnswers,
        known: tuple[FloatArray, BoolArray, FloatArray],
        refused: tuple[Refusal, ...],
    ) -> "Foreign":
        """Compare foreign images with the data's own: typicality, unknown, highest probability of each."""
        typicality, unknown, confidence = known
        return Foreign(
            n=len(foreign.typicality),
            auroc=intervals.auroc(foreign.typicality, typicality),
            auroc_of_probability=intervals.auroc(foreign.confidence, confidence),
            false_alarm_rate=intervals.share(int(unknown.sum()), len(unknown)),
            miss_rate=intervals.share(int((~foreign.unknown).sum()), len(foreign.unknown)),
            refused=refused,
        )

    def as_dict(self) -> dict[str, Any]:
        """The fields as ``evaluate --json`` holds them under ``foreign``."""
        names = ("auroc", "auroc_of_probability", "false_alarm_rate", "miss_rate")
        rates = {name: getattr(self, name).as_dict() for name in names}
        return {"n": self.n, **rates, "refused": [refusal.as_dict() for refusal in self.refused]}


@dataclass(frozen=True)
class LeakedPart:
    """The images that training has seen as well, and the accuracy without them."""

    summary: str
    """One sentence for a person."""
    counts: Mapping[str, int]
    """How many by the way in which they leak, a key each of :data:`fieldguide.data.leaks.KINDS`."""
    paths: tuple[str, ...]
    """The images, as results show them."""
    n_without: int
    """Images measured that do not leak."""
    accuracy_without: Interval | None
    """Accuracy on these; None where there are none."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as ``evaluate --json`` holds them under ``leaks``."""
        without = None if self.accuracy_without is None else self.accuracy_without.as_dict()
        return {
            "n": len(self.paths),
            **self.counts,
            "message": self.summary,
            "n_without": self.n_without,
            "accuracy_without": without,
            "paths": list(self.paths),
        }


@dataclass(frozen=True, repr=False)
class Evaluation(DisplayMixin, PlotMixin, TableMixin):
    """A model measured on labelled images; intervals are 95 %."""

    n: int
    """Number of images measured."""
    accuracy: Interval
    """Share of right top answers."""
    balanced_accuracy: Interval
    """Mean recall over the classes of the data."""
    macro_f1: Interval
    """Mean F1 over the classes that occur in truth or predictions; so are the next two."""
    macro_precision: Interval
    """Mean precision."""
    macro_recall: Interval
    """Mean recall."""
    top5: Interval | None
    """Share of images whose true class is among the five most probable; None with five classes or fewer."""
    log_loss: float
    """Mean negative log probability of the true class, in nats."""
    ece: float
    """Expected calibration error, 0 to 1."""
    coverage: float
    """Share of images whose prediction set holds the true class."""
    mean_set_size: float
    """Mean number of classes in the prediction set."""
    unknown_rate: float
    """Share of images taken to be of none of the classes."""
    classes: tuple[str, ...]
    """The model's classes, in the order of the next two."""
    per_class: ClassScores
    """Precision, recall, F1 and number of images of each class."""
    confusion: IntArray
    """Images of shape (n_classes, n_classes); rows are true, columns predicted."""
    covered: IntArray
    """Images of each class whose prediction set holds it, of shape (n_classes,)."""
    set_sizes: tuple[tuple[int, int, int], ...]
    """Sizes of prediction sets that occur, growing; how many images have one, and how many of these hold the
    true class."""
    refused: tuple[Refusal, ...] = ()
    """Images that could not be read."""
    strangers: tuple[tuple[str, int], ...] = ()
    """Labels of the data that the model does not know, with their images; these were not measured."""
    foreign: Foreign | None = None
    """The comparison with foreign images, where it was asked for."""
    leaks: LeakedPart | None = None
    """What training has seen as well; None where there was no training split to compare with."""
    learned: LearnedPart | None = None
    """Which of the images the model learned from; None where its card does not tell."""
    corrections: CorrectedPart | None = None
    """Which of the images corrections changed; None where there were none."""
    shift: DistributionShift | None = None
    """Where the images break what the model promised; None where promises hold."""

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``evaluate --json``."""
        with_interval = ("accuracy", "balanced_accuracy", "macro_f1", "macro_precision", "macro_recall")
        plain = ("log_loss", "ece", "coverage", "mean_set_size", "unknown_rate")
        answer: dict[str, Any] = {
            "n": self.n,
            "refused": [refusal.as_dict() for refusal in self.refused],
            **{name: getattr(self, name).as_dict() for name in with_interval},
            "top5": self.top5.as_dict() if self.top5 else None,
            **{name: getattr(self, name) for name in plain},
            "per_class": self._per_class_rows(),
            "confusion": {"labels": list(self.classes), "matrix": self.confusion.tolist()},
            "labels_not_in_model": dict(self.strangers),
        }
        answer["coverage_by_set_size"] = [
            {"size": size, "n": n, "coverage": covered / n} for size, n, covered in self.set_sizes
        ]
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
        """Pairs (true, predicted, images) that were mixed up, most frequent first."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        rows, columns = np.nonzero(wrong)
        order = np.argsort(-wrong[rows, columns], kind="stable")
        return [
            (self.classes[row], self.classes[column], int(wrong[row, column]))
            for row, column in zip(rows[order], columns[order], strict=True)
        ]

    def _per_class_rows(self) -> list[dict[str, Any]]:
        scores = self.per_class
        columns = (
            scores.support.tolist(),
            scores.precision.tolist(),
            scores.recall.tolist(),
            scores.f1.tolist(),
            self.covered.tolist(),
        )
        return [
            {
                "label": label,
                "n": n,
                "precision": precision,
                "recall": recall,
                "f1": f1,
                "coverage": covered / n if n else None,
            }
            for label, n, precision, recall, f1, covered in zip(self.classes, *columns, strict=True)
        ]


def measure(outcomes: Outcomes, classes: tuple[str, ...], refused: tuple[Refusal, ...] = ()) -> Evaluation:
    """Condense a model's answers into numbers.

    Parameters
    ----------
    outcomes
        The answers, at least one.
    classes
        The model's classes, in the order of their numbers.
    refused
        Images that could not be read, passed through.
    """
    n = len(outcomes.truth)
    confusion = classification.confusion_matrix(outcomes.truth, outcomes.predicted, len(classes))
    correct = outcomes.truth == outcomes.predicted
    return Evaluation(
        n=n,
        accuracy=intervals.share(int(correct.sum()), n),
        balanced_accuracy=intervals.balanced_accuracy(confusion),
        macro_f1=intervals.macro_f1(confusion),
        macro_precision=intervals.macro_precision(confusion),
        macro_recall=intervals.macro_recall(confusion),
        top5=intervals.share(int((outcomes.rank < TOP).sum()), n) if len(classes) > TOP else None,
        log_loss=classification.log_loss(outcomes.truth_probability),
        ece=classification.expected_calibration_error(outcomes.confidence, correct),
        coverage=float(outcomes.covered.mean()),
        mean_set_size=float(outcomes.set_size.mean()),
        unknown_rate=float(outcomes.unknown.mean()),
        classes=classes,
        per_class=classification.class_scores(confusion),
        confusion=confusion,
        covered=np.bincount(outcomes.truth[outcomes.covered], minlength=len(classes)),
        set_sizes=_set_sizes(outcomes),
        refused=refused,
    )


def _set_sizes(outcomes: Outcomes) -> tuple[tuple[int, int, int], ...]:
    sizes = outcomes.set_size
    return tuple(
        (size, int((sizes == size).sum()), int(outcomes.covered[sizes == size].sum()))
        for size in np.unique(sizes).tolist()
    )


def with_foreign(
    evaluation: Evaluation,
    known: Outcomes,
    foreign: ForeignAnswers,
    refused: tuple[Refusal, ...],
) -> Evaluation:
    """Add the comparison with foreign images.

    Parameters
    ----------
    evaluation, known
        The measurement on the data's own images, and the answers it was made from.
    foreign
        The answers to the foreign images.
    refused
        Foreign images that could not be read.
    """
    comparison = Foreign.of(foreign, (known.typicality, known.unknown, known.confidence), refused)
    return replace(evaluation, foreign=comparison)
