"""Whether images to measure on are images that the model learned from, by the contents in its card."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fieldguide.errors import Refusal
from fieldguide.images.decoding import read_bytes
from fieldguide.images.read_ahead import read_ahead
from fieldguide.metrics.intervals import Interval
from fieldguide.modelfile.contents import ContentSketch
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset

STAGE = "comparing with what was learned"
_TOLD_EVERY = 64
_NOTHING = "what it reaches on them says nothing about new ones"


@dataclass(frozen=True)
class LearnedImages:
    """Which images of a data set the model learned from, as far as its card tells."""

    known: tuple[bool | None, ...]
    """One an image: None where it could not be told."""

    @property
    def told(self) -> int:
        """Images of which it can be told."""
        return sum(known is not None for known in self.known)

    @property
    def found(self) -> int:
        """Images that were learned from, of these."""
        return sum(known is True for known in self.known)


@dataclass(frozen=True)
class LearnedPart:
    """The images measured that the model learned from, and the accuracy without them."""

    n: int
    """Images that it learned from."""
    told: int
    """Images of which that can be told; fewer than were measured where the card keeps a part."""
    measured: int
    """Images measured."""
    n_without: int
    """Images that it did not learn from."""
    accuracy_without: Interval | None
    """Accuracy on these; None where there are none."""

    @property
    def summary(self) -> str:
        """One sentence; empty where there are none."""
        if not self.n:
            return ""
        if self.told < self.measured:
            which = f"{self.n} of {self.told} photos that can be checked ({self.measured} were measured)"
        elif self.n < self.measured:
            which = f"{self.n} of {self.measured} of these photos"
        else:
            which = f"all {self.n} of these photos"
        return f"{which} are photos the model learned from; {_NOTHING}"

    def as_dict(self) -> dict[str, Any]:
        """The fields as ``evaluate --json`` holds them under ``learned_from``."""
        without = None if self.accuracy_without is None else self.accuracy_without.as_dict()
        return {
            "n": self.n,
            "of": self.told,
            "message": self.summary,
            "n_without": self.n_without,
            "accuracy_without": without,
        }


def learned_images(
    card: Mapping[str, Any], dataset: "Dataset", progress: Progress = silent
) -> LearnedImages | None:
    """Compare images with those that a model learned from.

    Parameters
    ----------
    card
        The model's.
    dataset
        The images; a copy of a file counts, wherever it lies and whatever it is called, and a photo saved
        anew does not.
    progress
        Callback for progress.

    Returns
    -------
    LearnedImages or None
        None if the card does not say what was learned from.
    """
    data = card.get("data")
    sketch = ContentSketch.read(data) if isinstance(data, dict) else None
    if sketch is None:
        return None
    with read_ahead(_digest, dataset.paths, stage=STAGE, progress=progress, every=_TOLD_EVERY) as stream:
        known = [None if isinstance(got, Refusal) else sketch.holds(got) for _, got in stream]
    return LearnedImages(tuple(known))


def _digest(path: str) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()
