"""A photo that is worth a label, what the model guesses, and why this one."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fieldguide.prediction.result import Prediction

ODD = 0.05
"""Typicality below which a photo counts as strange, the more the lower."""
UNSURE = 0.8
"""Probability of the most probable class below which the answer is called unsure."""
UNSURE_TAG = 0.2
"""A tag is called unsure if it, and its absence, are at least this probable."""
NAMED = 3
"""Unsure tags that a reason names."""


@dataclass(frozen=True)
class Suggestion:
    """A photo to label."""

    path: str
    suggested: str
    """The model's guess, which is no label until a person says so."""
    probability: float
    second: str
    """The next most probable class; empty for a model of one class."""
    margin: float
    """Lead of the first class over the second, 0 to 1."""
    typicality: float
    reason: str
    """Why this one, in a few words."""

    @staticmethod
    def of(answer: Prediction) -> "Suggestion":
        """The photo of an answer with its two most probable classes, without a reason yet."""
        (first, share), *others = answer.top
        second, rest = others[0] if others else ("", 0.0)
        typicality = float(answer.typicality or 0.0)
        return Suggestion(answer.path or "", first, share, second, share - rest, typicality, "")

    @property
    def guess(self) -> str:
        """What the model says, for a person."""
        return self.suggested

    def doubt(self) -> str:
        """What the model is unsure of; empty where it is sure.

        Examples
        --------
        >>> Suggestion("a.jpg", "cat", 0.5, "dog", 0.125, 0.3, "").doubt()
        "unsure: 'cat' 0.50 or 'dog' 0.38"
        """
        if not self.second or self.probability >= UNSURE:
            return ""
        rest = self.probability - self.margin
        return f"unsure: {self.suggested!r} {self.probability:.2f} or {self.second!r} {rest:.2f}"

    def sure(self) -> str:
        """What it is sure of."""
        return f"{self.suggested!r} {self.probability:.2f}"

    def as_dict(self) -> dict[str, Any]:
        """The fields as a row of results."""
        return dict(vars(self))


@dataclass(frozen=True)
class TagSuggestion:
    """A photo to give tags."""

    path: str
    suggested: tuple[str, ...]
    """The tags that the model gives, which are none until a person says so."""
    least_sure: str
    """The tag whose probability is nearest to one half."""
    probability: float
    """Of that tag."""
    expected_wrong: float
    """How many tags are probably wrong if every tag above one half is taken: of each, the smaller of its
    probability and that of its absence, added up."""
    typicality: float
    reason: str
    """Why this one, in a few words."""
    unsure: tuple[tuple[str, float], ...] = field(default=(), repr=False)
    """Tags that may well be there or not, with their probabilities, the least sure first."""

    @staticmethod
    def of(answer: Prediction, classes: tuple[str, ...]) -> "TagSuggestion":
        """The photo of an answer, without a reason yet.

        Examples
        --------
        >>> numbers = np.array([0.9, 0.45, 0.3], np.float32)
        >>> answer = Prediction("a.jpg", "dog", 0.9, 0.5, False, (), (), None, numbers, ("dog",))
        >>> found = TagSuggestion.of(answer, ("dog", "sea", "sun"))
        >>> found.least_sure, round(found.expected_wrong, 2), found.doubt()
        ('sea', 0.85, "unsure of 'sea' 0.45, 'sun' 0.30")
        """
        assert answer.probabilities is not None and answer.labels is not None, "it was read, and has tags"
        doubt = np.minimum(answer.probabilities, 1 - answer.probabilities)
        order = np.argsort(-doubt, kind="stable")
        shares = [(classes[tag], float(answer.probabilities[tag])) for tag in order[:NAMED]]
        return TagSuggestion(
            answer.path or "",
            answer.labels,
            *shares[0],
            float(doubt.sum(dtype=np.float64)),
            float(answer.typicality or 0.0),
            "",
            tuple(share for share, tag in zip(shares, order, strict=False) if doubt[tag] >= UNSURE_TAG),
        )

    @property
    def guess(self) -> str:
        """What the model says, for a person."""
        return ", ".join(self.suggested) or "no tags"

    def doubt(self) -> str:
        """What the model is unsure of; empty where it is sure."""
        named = ", ".join(f"{name!r} {probability:.2f}" for name, probability in self.unsure)
        return f"unsure of {named}" if named else ""

    def sure(self) -> str:
        """What it is sure of."""
        return ", ".join(map(repr, self.suggested)) or "no tags"

    def as_dict(self) -> dict[str, Any]:
        """The fields as a row of results; tags joined by ``|``."""
        row = {name: value for name, value in vars(self).items() if name != "unsure"}
        return {**row, "suggested": "|".join(self.suggested)}
