"""What is told to an experiment tracker, and what every tracker can be told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

NO_PARAMETERS = ("progress", "settings")
"""Arguments that say nothing of the result, and what is there under other names already."""
FIGURES = (
    *("accuracy", "balanced_accuracy", "macro_f1", "macro_precision", "macro_recall", "top5"),
    *("map", "micro_f1", "micro_precision", "micro_recall", "exact_match"),
)
"""Figures with a range; the second row are those of tags."""
PLAIN = ("log_loss", "ece", "coverage", "mean_set_size", "mean_labels", "unknown_rate")
"""Figures that are numbers; coverage has a range where photos have tags."""
_KINDS = {"image": "uint8", "probabilities": "float32", "typicality": "float32", "embedding": "float32"}


class Tracker(Protocol):
    """One run at a tracker, from a call's begin to its end."""

    def begin(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Open a run, or go on with the one that is open, and keep what the call was given."""
        ...

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Keep figures, of an epoch or a fold where `step` is given."""
        ...

    def files(self, files: Mapping[str, str]) -> None:
        """Keep texts under these file names."""
        ...

    def model(self, file: Path, signature: "Signature") -> None:
        """Keep a model file."""
        ...

    def end(self, failed: bool) -> None:
        """Close the run, if it was opened here."""
        ...


@dataclass(frozen=True)
class Signature:
    """What a model file takes and gives: names, kinds of numbers and shapes, -1 for any length."""

    inputs: tuple[tuple[str, str, tuple[int, ...]], ...]
    outputs: tuple[tuple[str, str, tuple[int, ...]], ...]

    @staticmethod
    def of(classes: int, features: int = -1) -> "Signature":
        """Of a model of so many classes.

        Examples
        --------
        >>> Signature.of(3).inputs
        (('image', 'uint8', (-1, -1, -1, 3)),)
        """
        shapes = {"probabilities": (-1, classes), "typicality": (-1,), "embedding": (-1, features)}
        outputs = tuple((name, _KINDS[name], shape) for name, shape in shapes.items())
        return Signature((("image", _KINDS["image"], (-1, -1, -1, 3)),), outputs)

    def as_dict(self) -> dict[str, Any]:
        """The signature as JSON holds it."""
        return {
            side: [{"name": name, "type": kind, "shape": list(shape)} for name, kind, shape in rows]
            for side, rows in (("inputs", self.inputs), ("outputs", self.outputs))
        }


def parameters_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What of a call's arguments a tracker keeps: plain values, and those of `set` by themselves.

    Examples
    --------
    >>> parameters_of({"seed": 1, "epochs": None, "set": {"shrinkage": 0.5}, "recipes": ["svm", "cnn"]})
    {'seed': 1, 'set.shrinkage': 0.5, 'recipes': 'svm, cnn'}
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in NO_PARAMETERS:
            continue
        if isinstance(value, Mapping):
            found |= {
                f"{name}.{key}": one for key, one in value.items() if isinstance(one, str | int | float)
            }
        elif isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            found |= {name: ", ".join(value)} if value else {}
        elif isinstance(value, str | int | float | Path):
            found[name] = str(value) if isinstance(value, Path) else value
    return found


def figures_of(measured: Mapping[str, Any], before: str = "") -> dict[str, float]:
    """The headline figures of a measurement's JSON, those with a range as three.

    Examples
    --------
    >>> figures_of({"accuracy": {"value": 0.9, "low": 0.8, "high": 1.0}, "ece": 0.1})
    {'accuracy': 0.9, 'accuracy_low': 0.8, 'accuracy_high': 1.0, 'ece': 0.1}
    """
    return dict(_figures(measured, before))


def _figures(measured: Mapping[str, Any], before: str) -> Iterator[tuple[str, float]]:
    for name in (*FIGURES, *PLAIN):
        found = measured.get(name)
        if isinstance(found, Mapping):
            yield f"{before}{name}", found["value"]
            yield f"{before}{name}_low", found["low"]
            yield f"{before}{name}_high", found["high"]
        elif found is not None:
            yield f"{before}{name}", found
