"""What a model says of one image, and the row of results that says it."""

import os
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import Refusal
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin
from fieldguide.tasks.task import Task


@dataclass(frozen=True, repr=False)
class Prediction(DisplayMixin, PlotMixin, TableMixin):
    """The answer to one input; where it was refused, `error` says why and there is nothing else."""

    path: str | None
    """The input as it was named; None for images given as pixels."""
    label: str | None
    """The most probable class or tag."""
    probability: float | None
    """Of `label`, calibrated, from 0 to 1."""
    typicality: float | None
    """Share of held-out images of known classes that look no more familiar, from 0 to 1."""
    unknown: bool | None
    """Whether typicality is below the model's threshold: not one of its classes."""
    set: tuple[str, ...]
    """Holds the true class with the coverage that the card states, or that share of the true tags on average;
    the most probable first."""
    top: tuple[tuple[str, float], ...]
    """The most probable classes with their probabilities, descending."""
    error: Refusal | None = None
    """Why the input was refused; None where it was not."""
    probabilities: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    """Of shape (n_classes,), in the order of the model's classes."""
    labels: tuple[str, ...] | None = None
    """The tags given, the most probable first, none included; None in a model of single labels."""

    @property
    def answer(self) -> str:
        """What a person would count: the label or the tags joined by ``|``, `unknown` or `refused`."""
        if self.error is not None or self.label is None:
            return "refused"
        if self.unknown:
            return "unknown"
        return self.label if self.labels is None else "|".join(self.labels)

    def as_row(self) -> dict[str, Any]:
        """The row as files of results hold it: `answer` stands right after `path`."""
        row = self.as_dict()
        return {"path": row.pop("path"), "answer": self.answer, **row}

    def as_dict(self) -> dict[str, Any]:
        """What the model says, as JSON holds it."""
        tags = {} if self.labels is None else {"labels": list(self.labels)}
        return {
            "path": self.path,
            "label": self.label,
            "probability": self.probability,
            **tags,
            "typicality": self.typicality,
            "unknown": self.unknown,
            "set": list(self.set),
            "top": [{"label": label, "probability": share} for label, share in self.top],
            "error": None if self.error is None else {"code": self.error.code, "message": self.error.message},
        }


@dataclass(frozen=True)
class DecisionRule:
    """Turns a row of numbers into a Prediction by the rules of a model's card.

    Examples
    --------
    >>> rule = DecisionRule(("cat", "dog", "emu"), unknown_below=0.01, set_from=0.2, top=2)
    >>> answer = rule("a.jpg", np.array([0.3, 0.6, 0.1], np.float32), typicality=np.float32(0.4))
    >>> answer.label, answer.set, answer.unknown
    ('dog', ('dog', 'cat'), False)
    >>> answer.top
    (('dog', 0.6), ('cat', 0.3))
    """

    classes: tuple[str, ...]
    unknown_below: float
    """Typicality below it means unknown."""
    set_from: float | NDArray[np.float32] | None
    """Classes of at least this probability belong to the prediction set: a number for all, or one a class, of
    shape (n_classes,); None where no promise was made."""
    top: int
    """How many of the most probable classes are listed."""

    @property
    def task(self) -> Task:
        """What it decides: one label an image, or any number of tags."""
        return Task.SINGLE

    def __call__(
        self, path: str | None, probabilities: NDArray[np.float32], typicality: np.float32
    ) -> Prediction:
        """The prediction for one image; classes of equal probability stand in the model's order."""
        members = self._members(probabilities)
        ranked = members[np.argsort(-probabilities[members], kind="stable")]
        listed = _descending(probabilities, max(self.top, 1))
        top = tuple((self.classes[column], _plain(probabilities[column])) for column in listed[: self.top])
        best = int(listed[0])
        return Prediction(
            path=path,
            label=self.classes[best],
            probability=_plain(probabilities[best]),
            typicality=_plain(typicality),
            unknown=bool(typicality < self.unknown_below),
            set=tuple(self.classes[column] for column in ranked),
            top=top,
            probabilities=probabilities,
        )

    def refused(self, path: str | None, code: str, message: str) -> Prediction:
        """The prediction of an input that could not be used."""
        return refused(path, code, message)

    def _members(self, probabilities: NDArray[np.float32]) -> NDArray[np.intp]:
        if self.set_from is None:
            return np.array([probabilities.argmax()])
        return np.flatnonzero(probabilities >= self.set_from)


@dataclass(frozen=True)
class TagDecisionRule(DecisionRule):
    """The same for a model of tags: each is given from a probability of its own on.

    Examples
    --------
    >>> given_from = np.array([0.5, 0.3, 0.4], np.float32)
    >>> rule = TagDecisionRule(("cat", "dog", "sea"), 0.01, set_from=0.2, top=3, given_from=given_from)
    >>> answer = rule("a.jpg", np.array([0.6, 0.25, 0.9], np.float32), typicality=np.float32(0.4))
    >>> answer.labels, answer.set, answer.answer
    (('sea', 'cat'), ('sea', 'cat', 'dog'), 'sea|cat')
    """

    given_from: NDArray[np.float32] = field(kw_only=True)
    """A tag at least this probable is given; of shape (n_tags,)."""

    @property
    def task(self) -> Task:
        """Any number of tags."""
        return Task.MULTIPLE

    def __call__(
        self, path: str | None, probabilities: NDArray[np.float32], typicality: np.float32
    ) -> Prediction:
        """The prediction for one image."""
        answer = super().__call__(path, probabilities, typicality)
        order = _descending(probabilities, len(probabilities))
        given = tuple(self.classes[tag] for tag in order if probabilities[tag] >= self.given_from[tag])
        return replace(answer, labels=given)

    def refused(self, path: str | None, code: str, message: str) -> Prediction:
        """The prediction of an input that could not be used: no tags."""
        return replace(refused(path, code, message), labels=())

    def _members(self, probabilities: NDArray[np.float32]) -> NDArray[np.intp]:
        floor = self.given_from if self.set_from is None else np.minimum(self.given_from, self.set_from)
        return np.flatnonzero(probabilities >= floor)


def refused(path: str | os.PathLike[str] | None, code: str, message: str) -> Prediction:
    """The prediction of an input that could not be used.

    Examples
    --------
    >>> answer = refused("a.jpg", "truncated", "the file ends early")
    >>> answer.label, answer.as_dict()["error"]
    (None, {'code': 'truncated', 'message': 'the file ends early'})
    """
    name = None if path is None else os.fspath(path)
    error = Refusal(name or "", code, message)
    return Prediction(name, None, None, None, None, (), (), error)


def _descending(probabilities: NDArray[np.float32], top: int) -> NDArray[np.intp]:
    """Columns of the highest probabilities, as many as are asked for."""
    return np.argsort(-probabilities, kind="stable")[:top]


def _plain(value: np.float32) -> float:
    """The shortest decimal that is this float32: 0.97 instead of 0.9700000286102295."""
    return float(str(value))
