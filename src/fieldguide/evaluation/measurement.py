"""Measures a written model file on labelled images: what is measured is what will be used."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.evaluation.distribution_shift import distribution_shift
from fieldguide.evaluation.learned_images import LearnedImages, LearnedPart, learned_images
from fieldguide.evaluation.result import (
    Evaluation,
    ForeignAnswers,
    LeakedPart,
    Outcome,
    Outcomes,
    measure,
    with_foreign,
)
from fieldguide.metrics.classification import IntArray
from fieldguide.metrics.intervals import share
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.data.leaks import Leaks
    from fieldguide.prediction.predictor import Prediction

SPLITS = ("train", "validation", "test", "all")


class AnswersInOrder(Protocol):
    """What is needed of a model: its classes and a stream of answers in input order."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in column order."""

    def predict_stream(self, sources: Iterable[str]) -> "Iterator[Prediction]":
        """One answer a source, in order."""


def choose_split(dataset: "Dataset", split: str | None = None) -> "Dataset":
    """The images to measure on: `split` where it is named, else test where there is one, else all.

    Parameters
    ----------
    split
        One of :data:`SPLITS`, or None.

    Raises
    ------
    OptionError
        If DATA has no such split.
    """
    present = tuple(name for name in SPLITS if name in set(dataset.splits or ()))
    if split == "all" or (split is None and "test" not in present):
        return dataset
    wanted = split or "test"
    if wanted not in present:
        allowed = ", ".join((*present, "all"))
        raise OptionError(f"--split: {dataset.root} has no split {wanted!r}; choose one of: {allowed}")
    return dataset.select(wanted)


def evaluate(
    predictor: AnswersInOrder,
    dataset: "Dataset",
    *,
    foreign: "Dataset | None" = None,
    leaks: "Leaks | None" = None,
    progress: Progress = silent,
) -> Evaluation:
    """Measure a model on labelled images.

    Parameters
    ----------
    predictor
        A loaded model file.
    dataset
        Labelled images. Those whose label the model does not know are left out and counted in
        ``Evaluation.strangers``; classes that the data lack do no harm.
    foreign
        Images of other things, whose labels do not matter: adds how well typicality tells them apart.
    leaks
        Which of the images training has seen: adds the accuracy without them.
    progress
        Callback for progress: the images done.

    Raises
    ------
    DataError
        If no image is left to measure on.
    """
    answers = answers_to(predictor, dataset, progress)
    measured = measured_by(predictor, dataset, answers, leaks, progress)
    if foreign is None:
        return measured
    return foreign_measured(predictor, measured, answers, foreign, progress)


@dataclass(frozen=True)
class MeasuredAnswers:
    """What a model answered to the images of a data set whose labels it knows."""

    rows: IntArray
    """Which image of the data set each answer belongs to, growing; of shape (n_answers,)."""
    outcomes: Outcomes
    """The answers, of as many rows."""
    refused: tuple[Refusal, ...]
    """Images that could not be read."""


@dataclass(frozen=True)
class Measured:
    """A model's answers to a data set, and what they come to."""

    answers: MeasuredAnswers
    evaluation: Evaluation


def answers_to(predictor: AnswersInOrder, dataset: "Dataset", progress: Progress = silent) -> MeasuredAnswers:
    """Have a model answer labelled images.

    Raises
    ------
    DataError
        If it knows none of their labels, or none of them can be read.
    """
    numbers = {label: number for number, label in enumerate(predictor.classes)}
    known = [row for row, label in enumerate(dataset.labels) if label in numbers]
    if not known:
        raise DataError(_nothing_in_common(predictor.classes, dataset))
    part = dataset.take(known)
    rows, outcomes, refused = [], [], []
    for row, prediction in zip(known, _stream(predictor, part, "evaluating", progress), strict=True):
        if prediction.error is not None:
            refused.append(_shown(prediction.error, dataset))
        else:
            rows.append(row)
            outcomes.append(_outcome(prediction, numbers[dataset.labels[row]], dataset.labels[row]))
    if not rows:
        raise DataError(_all_refused(part, refused))
    return MeasuredAnswers(np.asarray(rows, dtype=np.int64), Outcomes.gathered(outcomes), tuple(refused))


def measured_by(
    predictor: AnswersInOrder,
    dataset: "Dataset",
    answers: MeasuredAnswers,
    leaks: "Leaks | None" = None,
    progress: Progress = silent,
) -> Evaluation:
    """Condense a model's answers into numbers; with `leaks`, also without what training has seen.

    Where the model's card tells what it learned from, the measurement says how much of that is among the
    images.
    """
    known = set(predictor.classes)
    strangers = Counter(label for label in dataset.labels if label not in known)
    measured = measure(answers.outcomes, tuple(predictor.classes), (*dataset.refused, *answers.refused))
    images = dataset.take(answers.rows)
    leaked = None if leaks is None else _leaked(leaks, images, answers.outcomes)
    card = getattr(predictor, "card", {})
    learned = learned_images(card, images, progress)
    outcomes, promised = answers.outcomes, card.get("thresholds", {}).get("coverage")
    return replace(
        measured,
        strangers=tuple(sorted(strangers.items())),
        leaks=leaked,
        learned=None if learned is None else _learned(learned, answers.outcomes),
        shift=distribution_shift(outcomes.covered, outcomes.typicality, promised),
    )


def learned_split(dataset: "Dataset", chosen: "Dataset") -> "Dataset | None":
    """The split that was learned from; None where there is none, or `chosen` holds some of it."""
    if "train" not in (dataset.splits or ()) or "train" in (chosen.splits or ()):
        return None
    return dataset.select("train")


def _leaked(leaks: "Leaks", images: "Dataset", outcomes: Outcomes) -> LeakedPart:
    known = [path in leaks.kinds for path in images.paths]
    paths = [path for path, leaking in zip(images.paths, known, strict=True) if leaking]
    right = (outcomes.truth == outcomes.predicted)[~np.array(known, dtype=np.bool_)]
    return LeakedPart(
        summary=leaks.summary(),
        counts={kind: sum(leaks.kinds[path] == kind for path in paths) for kind in leaks.ways},
        paths=tuple(images.display(path) for path in paths),
        n_without=len(right),
        accuracy_without=share(int(right.sum()), len(right)) if len(right) else None,
    )


def _learned(learned: LearnedImages, outcomes: Outcomes) -> LearnedPart:
    new = np.array([known is False for known in learned.known], dtype=np.bool_)
    right = (outcomes.truth == outcomes.predicted)[new]
    return LearnedPart(
        n=learned.found,
        told=learned.told,
        measured=len(learned.known),
        n_without=len(right),
        accuracy_without=share(int(right.sum()), len(right)) if len(right) else None,
    )


def foreign_measured(
    predictor: AnswersInOrder,
    measured: Evaluation,
    answers: MeasuredAnswers,
    foreign: "Dataset",
    progress: Progress = silent,
) -> Evaluation:
    """Add to a measurement how well typicality tells foreign images apart.

    Raises
    ------
    DataError
        If none of the foreign images can be read.
    """
    return with_foreign(measured, answers.outcomes, *foreign_answers(predictor, foreign, progress))


def foreign_answers(
    predictor: AnswersInOrder, dataset: "Dataset", progress: Progress = silent
) -> tuple[ForeignAnswers, tuple[Refusal, ...]]:
    """Have a model answer images of other things; what could not be read is the second.

    Raises
    ------
    DataError
        If none of them can be read.
    """
    read, refused = [], []
    for prediction in _stream(predictor, dataset, "foreign images", progress):
        if prediction.error is not None:
            refused.append(_shown(prediction.error, dataset))
        else:  # nothing else of an answer is kept: there may be many
            read.append((prediction.typicality, prediction.unknown, prediction.probability))
    if not read:
        raise DataError(_all_refused(dataset, refused))
    typicality, unknown, confidence = np.asarray(read, dtype=np.float64).T
    return ForeignAnswers(typicality, unknown.astype(np.bool_), confidence), (*dataset.refused, *refused)


def _stream(
    predictor: AnswersInOrder, dataset: "Dataset", stage: str, progress: Progress
) -> "Iterator[Prediction]":
    progress(stage, 0, len(dataset))
    for done, prediction in enumerate(predictor.predict_stream(dataset.paths), start=1):
        yield prediction
        progress(stage, done, len(dataset))


def _outcome(prediction: "Prediction", truth: int, label: str) -> Outcome:
    probabilities = prediction.probabilities
    assert probabilities is not None, "a prediction without an error has its probabilities"
    own = probabilities[truth]
    predicted = int(probabilities.argmax())
    return Outcome(
        truth=truth,
        predicted=predicted,
        confidence=float(probabilities[predicted]),
        truth_probability=float(own),
        rank=int((probabilities > own).sum() + (probabilities[:truth] == own).sum()),
        covered=label in prediction.set,
        set_size=len(prediction.set),
        typicality=float(prediction.typicality or 0.0),
        unknown=bool(prediction.unknown),
    )


def _shown(refusal: Refusal, dataset: "Dataset") -> Refusal:
    return Refusal(dataset.display(refusal.path), refusal.code, refusal.message)


def _nothing_in_common(classes: tuple[str, ...], dataset: "Dataset") -> str:
    if not len(dataset):
        return (
            f"{dataset.called}: holds no images to measure on; give a folder with a folder of images a class"
        )
    return (
        f"{dataset.called}: none of its labels is a class of the model; the model knows {_few(classes)}, "
        f"the data say {_few(dataset.classes)}; give data with the model's own class names"
    )


def _all_refused(dataset: "Dataset", refused: list[Refusal]) -> str:
    first = f"; the first: {refused[0].path}: {refused[0].message}" if refused else ""
    return f"{dataset.called}: none of its {len(dataset)} images could be read{first}; give readable images"


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names[:3]) + (", …" if len(names) > 3 else "")
