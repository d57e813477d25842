"""Whether photos may be mirrored in training: by the names of the classes, then by what a probe makes of it.

A mirrored "3" is no "3", and a mirrored left turn is a right turn: there a flip teaches a wrong label.
Elsewhere it doubles the photos for nothing.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.metrics import intervals

SIDES = {
    "left": "right",
    "links": "rechts",
    "linke": "rechte",
    "gauche": "droite",
    "izquierda": "derecha",
    "izquierdo": "derecho",
}
"""Words for left and right in English, German, French and Spanish."""
DIGITS = frozenset(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
KINDS = frozenset(("digit", "letter", "number", "ziffer", "buchstabe", "zahl", "chiffre", "lettre", "letra"))
"""Words that say no more than that a digit or a letter follows."""
LEVEL = 0.05
"""Chance of refusing to mirror though the probe takes mirror images for no harder."""


@dataclass(frozen=True)
class FlipEvidence:
    """How a linear probe answered held-out images and the mirror images of the very same images."""

    both: int
    """Images answered rightly either way; of tags those with as many right either way."""
    lost: int
    """Images answered rightly only as they are; of tags those with fewer right when mirrored."""
    gained: int
    """Images answered rightly only when mirrored; of tags those with more right then."""
    n: int
    """All images."""
    probe: str = "a linear probe"
    """What answered, in words."""
    of_tags: bool = False
    """Whether images have any number of tags."""

    @property
    def accuracy(self) -> float:
        """Share of right answers on the images as they are."""
        return (self.both + self.lost) / self.n

    @property
    def mirrored_accuracy(self) -> float:
        """Share of right answers on the mirror images."""
        return (self.both + self.gained) / self.n

    def is_worse(self) -> bool:
        """Whether mirror images are answered significantly less well.

        McNemar's test in its exact form (McNemar 1947; a binomial test of the images that are right only one
        way), one-sided at :data:`LEVEL`: whether the exact interval of the share lost lies above one half.
        """
        disagree = self.lost + self.gained
        return disagree > 0 and intervals.share(self.lost, disagree, 1 - 2 * LEVEL).low > 0.5


def flip_is_safe(classes: Sequence[str], evidence: FlipEvidence | None = None) -> tuple[bool, str]:
    """Decide whether images may be mirrored in training.

    Names come first: digits, letters, and words for left and right forbid it. Classes that are called by
    longer numbers may be speed signs or mere identifiers; without evidence they are not mirrored.

    Parameters
    ----------
    classes
        Names of the classes.
    evidence
        From :func:`fieldguide.recipes.networks.flip_evidence.mirror_evidence`; None where no probe was made.

    Returns
    -------
    tuple of bool and str
        The choice, and a sentence that gives the reason and the way to overrule it.
    """
    forbidden = _sided(classes) or _signs(classes)
    if forbidden:
        return False, f"flip: off, since {forbidden}; flip=0.5 turns it on"
    if evidence is not None and evidence.n > 0:
        return _by_evidence(evidence)
    numbers = [name for name in classes if name.strip().isdecimal()]
    if len(numbers) > 1:
        shown = _listed(numbers)
        return False, (
            f"flip: off, since classes are named by numbers ({shown}) that the photos may show; "
            "flip=0.5 turns it on"
        )
    return True, (
        "flip: on, since no class is named by a digit, a letter or a side; flip=0 turns it off if the "
        "photos show text or a direction"
    )


def _by_evidence(evidence: FlipEvidence) -> tuple[bool, str]:
    if evidence.of_tags:
        seen = (
            f"of {evidence.n} held-out images {evidence.probe} gets {evidence.lost} less right when they are "
            f"mirrored and {evidence.gained} more so"
        )
        if evidence.is_worse():
            return False, f"flip: off, since {seen}, which is significantly worse; flip=0.5 turns it on"
        return True, f"flip: on, since {seen}, which is not significantly worse; flip=0 turns it off"
    seen = (
        f"{evidence.probe} is right on {evidence.mirrored_accuracy:.1%} of {evidence.n} held-out mirror "
        f"images and on {evidence.accuracy:.1%} of the images as they are"
    )
    if evidence.is_worse():
        return False, f"flip: off, since {seen}, which is significantly more; flip=0.5 turns it on"
    return True, f"flip: on, since {seen}, which is not significantly more; flip=0 turns it off"


def _sided(classes: Sequence[str]) -> str:
    """Name the class that says left or right, or two that differ in nothing else; empty if there is none."""
    words = {*SIDES, *SIDES.values()}
    for name in classes:
        if words & set(_words(name)):
            return f"the class {name!r} names a side"
    folded = {_folded(name): name for name in classes}
    for name, original in folded.items():
        for left, right in SIDES.items():  # such as linkskurve and rechtskurve
            other = folded.get(name.replace(left, right)) if left in name else None
            if other is not None:
                return f"the classes {original!r} and {other!r} differ in the side they name"
    return ""


def _signs(classes: Sequence[str]) -> str:
    """Say that two classes or more are digits or letters; empty if not."""
    signs = [name for name in classes if _is_sign(name)]
    return f"classes are digits or letters ({_listed(signs)})" if len(signs) > 1 else ""


def _is_sign(name: str) -> bool:
    words = [word for word in _words(name) if word not in KINDS]
    return len(words) == 1 and (words[0] in DIGITS or (len(words[0]) == 1 and words[0].isalnum()))


def _words(name: str) -> list[str]:
    """Split a name such as ``turnLeft_2`` into ``turn``, ``left``, ``2``."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+|\d+", _folded(spaced))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (", …" if len(names) > 3 else "")
