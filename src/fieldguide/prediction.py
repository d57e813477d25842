"""What a model says of one image, and the row of results that says it."""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import Refusal


@dataclass(frozen=True)
class Prediction:
    """The answer to one input; where it was refused, `error` says why and there is nothing else."""

    path: str | None
    """The input as it was named; None for images given as pixels."""
    label: str | None
    """The most probable class."""
    probability: float | None
    """Of `label`, calibrated, from 0 to 1."""
    typicality: float | None
    """Share of held-out images of known classes that look no more familiar, from 0 to 1."""
    unknown: bool | None
    """Whether typicality is below the model's threshold: not one of its classes."""
    set: tuple[str, ...]
    """Holds the true class with the coverage that the card states; the most probable first."""
    top: tuple[tuple[str, float], ...]
    """The most probable classes with their probabilities, descending."""
    error: Refusal | None = None
    """Why the input was refused; None where it was not."""
    probabilities: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    """Of shape (n_classes,), in the order of the model's classes."""

    def as_dict(self) -> dict[str, Any]:
        """The row of results as JSON holds it."""
        return {
            "path": self.path,
            "label": self.label,
            "probability": self.probability,
            "typicality": self.typicality,
            "unknown": self.unknown,
            "set": list(self.set),
            "top": [{"label": label, "probability": share} for label, share in self.top],
            "error": None if self.error is None else {"code": self.error.code, "message": self.error.message},
        }


@dataclass(frozen=True)
class Judge:
    """Turns a row of numbers into a Prediction by the rules of a model's card."""

    classes: tuple[str, ...]
    unknown_below: float
    """Typicality below it means unknown."""
    set_from: float | None
    """Classes of at least this probability belong to the prediction set; None where no promise was made."""
    top: int
    """How many of the most probable classes are listed."""

    def __call__(
        self, path: str | None, probabilities: NDArray[np.float32], typicality: np.float32
    ) -> Prediction:
        """The prediction for one image; classes of equal probability stand in the model's order."""
        members = self._members(probabilities)
        listed = _descending(probabilities, max(self.top, 1), len(members))
        top = tuple((self.classes[column], _plain(probabilities[column])) for column in listed[: self.top])
        best = int(listed[0])
        return Prediction(
            path=path,
            label=self.classes[best],
            probability=_plain(probabilities[best]),
            typicality=_plain(typicality),
            unknown=bool(typicality < self.unknown_below),
            set=tuple(self.classes[column] for column in listed[: len(members)]),
            top=top,
            probabilities=probabilities,
        )

    def _members(self, probabilities: NDArray[np.float32]) -> NDArray[np.intp]:
        if self.set_from is None:
            return np.array([probabilities.argmax()])
        return np.flatnonzero(probabilities >= self.set_from)


def refused(path: str | os.PathLike[str] | None, code: str, message: str) -> Prediction:
    """The prediction of an input that could not be used."""
    name = None if path is None else os.fspath(path)
    error = Refusal(name or "", code, message)
    return Prediction(name, None, None, None, None, (), (), error)


def _descending(probabilities: NDArray[np.float32], top: int, members: int) -> NDArray[np.intp]:
    """Columns of the highest probabilities, as many as are asked for."""
    return np.argsort(-probabilities, kind="stable")[: max(top, members)]


def _plain(value: np.float32) -> float:
    """The shortest decimal that is this float32: 0.97 instead of 0.9700000286102295."""
    return float(str(value))
