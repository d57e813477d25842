"""The result of comparing ways of training: rows, the differences between them, and what is recommended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.errors import Refusal
from fieldguide.experiments.fold_task import Candidate
from fieldguide.experiments.learning_curve import LearningCurve
from fieldguide.experiments.scoring import AnyEvaluation, AnyPair, ScoreWords, words_of
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin

NEARLY = 0.01
"""A candidate this much less accurate than the best may still be recommended, if no test tells them apart:
with few images no test tells anything apart, and ten points less would be no advice."""


@dataclass(frozen=True)
class ComparisonRow:
    """What one candidate reached."""

    candidate: Candidate
    evaluation: AnyEvaluation | None
    """Over all images, each held out once; None where the candidate failed."""
    fold_accuracies: tuple[float, ...]
    """Share of right answers in each fold; of tags the mean average precision."""
    fit_seconds: float
    """Median over the folds, without what candidates share."""
    train_seconds: float
    """About what training on all images takes when nothing is cached: the passes of the pretrained network
    and the fit."""
    image_seconds: float
    """One photo from file to answer."""
    megabytes: float
    """Size of the model file."""
    error: str | None = None
    """Why the candidate failed."""

    def as_dict(self) -> dict[str, Any]:
        """The row as ``compare --json`` holds it."""
        if self.evaluation is None:
            return self.candidate.as_dict() | {"error": self.error}
        whole, words = self.evaluation.as_dict(), words_of(self.evaluation)
        by_fold = "fold_accuracies" if words.key == "accuracy" else f"fold_{words.key}s"
        return {
            **self.candidate.as_dict(),
            **{name: whole[name] for name in words.figures},
            by_fold: list(self.fold_accuracies),
            "seconds": {
                "fit": self.fit_seconds,
                "train": self.train_seconds,
                "image": self.image_seconds,
            },
            "megabytes": self.megabytes,
            "error": None,
        }


@dataclass(frozen=True, repr=False)
class Comparison(DisplayMixin, PlotMixin, TableMixin):
    """Candidates ranked, with the differences between them."""

    images: int
    """Number of images that every candidate answered."""
    folds: int
    seed: int
    classes: tuple[str, ...]
    rows: tuple[ComparisonRow, ...]
    """The most accurate first (of tags, by mean average precision), ties by log loss; failed ones last."""
    pairs: tuple[AnyPair, ...]
    """Every two candidates that did not fail, in order of rank."""
    recommended: str
    """Name of a candidate."""
    reason: str
    """Why, in a sentence."""
    refused: tuple[Refusal, ...]
    """Images that could not be read."""
    reused: int
    """Folds whose result was kept from an earlier run."""
    learning_curve: LearningCurve | None = None
    """What more photos would bring to the recommended one, where that was asked for."""
    notes: tuple[str, ...] = ()
    """Sentences about the data."""
    doubts: tuple[Doubt, ...] = ()
    """What of the data may be meant otherwise."""

    @property
    def words(self) -> ScoreWords:
        """How what candidates are ranked by is called."""
        return next(words_of(row.evaluation) for row in self.rows if row.evaluation is not None)

    def as_dict(self) -> dict[str, Any]:
        """The whole as ``compare --json`` holds it."""
        curve = {} if self.learning_curve is None else {"learning_curve": self.learning_curve.as_dict()}
        return {
            "n": self.images,
            "folds": self.folds,
            "seed": self.seed,
            "classes": list(self.classes),
            "candidates": [row.as_dict() for row in self.rows],
            "pairs": [pair.as_dict() for pair in self.pairs],
            "recommended": self.recommended,
            "reason": self.reason,
            "folds_from_earlier_runs": self.reused,
            "refused": [refusal.as_dict() for refusal in self.refused],
            **curve,
        }


def recommend(rows: Sequence[ComparisonRow], pairs: Sequence[AnyPair]) -> tuple[str, str]:
    """Choose the cheapest candidate that nothing tells from the most accurate one.

    Parameters
    ----------
    rows
        In order of rank, none of them failed, at least one.
    pairs
        Their differences.

    Returns
    -------
    str, str
        The name, and the reason in a sentence. Cheap means quick to answer a photo; ties go to the smaller
        model file.
    """
    best = rows[0]
    assert best.evaluation is not None, "a failed candidate has no rank"
    first = words_of(best.evaluation).best
    name = best.candidate.name
    beside = {
        pair.second: pair
        for pair in pairs
        if pair.first == name and not pair.real and pair.interval.value <= NEARLY
    }
    level = [best, *(row for row in rows if row.candidate.name in beside)]
    cheapest = min(level, key=lambda row: (row.image_seconds, row.megabytes))
    if cheapest is not best:
        behind = 100 * beside[cheapest.candidate.name].interval.value
        return cheapest.candidate.name, (
            f"the quickest to answer ({_milliseconds(cheapest)} a photo against {_milliseconds(best)} of "
            f"{name}) of those that cannot be told from the best; measured {behind:.1f} points behind it"
        )
    if len(level) > 1:
        others = ", ".join(row.candidate.name for row in level[1:])
        return name, f"{first}, and no slower than what cannot be told from it ({others})"
    if len(rows) == 1:
        return name, "the only one that could be compared"
    if all(pair.real for pair in pairs if pair.first == name):
        return name, f"{first}, and better than every other by more than chance"
    return name, (
        f"{first}; the others measured more than {100 * NEARLY:.0f} point behind, which with these "
        "images may still be chance"
    )


def _milliseconds(row: ComparisonRow) -> str:
    return f"{1000 * row.image_seconds:.0f} ms"
