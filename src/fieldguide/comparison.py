"""The result of comparing ways of training: rows, the differences between them, and what is recommended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldguide.cross_validation import Candidate
from fieldguide.errors import Refusal
from fieldguide.evaluation import Evaluation
from fieldguide.paired import Pair

NEARLY = 0.01
"""A candidate this much less accurate than the best may still be recommended, if no test tells them apart:
with few images no test tells anything apart, and ten points less would be no advice."""


@dataclass(frozen=True)
class Row:
    """What one candidate reached."""

    candidate: Candidate
    evaluation: Evaluation | None
    """Over all images, each held out once; None where the candidate failed."""
    fold_accuracies: tuple[float, ...]
    """Share of right answers in each fold."""
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
        whole = self.evaluation.as_dict()
        figures = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece")
        return {
            **self.candidate.as_dict(),
            **{name: whole[name] for name in figures},
            "fold_accuracies": list(self.fold_accuracies),
            "seconds": {
                "fit": self.fit_seconds,
                "train": self.train_seconds,
                "image": self.image_seconds,
            },
            "megabytes": self.megabytes,
            "error": None,
        }


@dataclass(frozen=True)
class Comparison:
    """Candidates ranked, with the differences between them."""

    images: int
    """Number of images that every candidate answered."""
    folds: int
    seed: int
    classes: tuple[str, ...]
    rows: tuple[Row, ...]
    """The most accurate first, ties by log loss; failed ones last."""
    pairs: tuple[Pair, ...]
    """Every two candidates that did not fail, in order of rank."""
    recommended: str
    """Name of a candidate."""
    reason: str
    """Why, in a sentence."""
    refused: tuple[Refusal, ...]
    """Images that could not be read."""
    reused: int
    """Folds whose result was kept from an earlier run."""

    def as_dict(self) -> dict[str, Any]:
        """The whole as ``compare --json`` holds it."""
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
        }


def recommend(rows: Sequence[Row], pairs: Sequence[Pair]) -> tuple[str, str]:
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
    name = best.candidate.name
    beside = {
        pair.second: pair
        for pair in pairs
        if pair.first == name and not pair.real and pair.difference.value.value <= NEARLY
    }
    level = [best, *(row for row in rows if row.candidate.name in beside)]
    cheapest = min(level, key=lambda row: (row.image_seconds, row.megabytes))
    if cheapest is not best:
        behind = 100 * beside[cheapest.candidate.name].difference.value.value
        return cheapest.candidate.name, (
            f"the quickest to answer ({_milliseconds(cheapest)} a photo against {_milliseconds(best)} of "
            f"{name}) of those that cannot be told from the best; measured {behind:.1f} points behind it"
        )
    if len(level) > 1:
        others = ", ".join(row.candidate.name for row in level[1:])
        return name, f"the most accurate, and no slower than what cannot be told from it ({others})"
    if len(rows) == 1:
        return name, "the only one that could be compared"
    if all(pair.real for pair in pairs if pair.first == name):
        return name, "the most accurate, and better than every other by more than chance"
    return name, (
        f"the most accurate; the others measured more than {100 * NEARLY:.0f} point behind, which with these "
        "images may still be chance"
    )


def _milliseconds(row: Row) -> str:
    return f"{1000 * row.image_seconds:.0f} ms"
