"""Which images a model learned from, as a few hundred kilobytes in its card: a sketch of their contents.

The first 64 bits of each file's SHA-256 are kept, the smallest :data:`MOST_KEPT` of them: a bottom-k sketch
(Cohen and Kaplan, "Summarizing Data Using Bottom-k Sketches", PODC 2007). Below the largest one that is kept
membership is known exactly, and these are a random part of all images, so the share among the rest is known
as well as a sample of that size tells it.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_KEPT = 16_384
"""Contents kept in a card: 131 kB, 175 kB as text."""
_MOST_TEXT = 4 * -(-MOST_KEPT * 8 // 3)
"""Characters of as many in base64."""
_HEX_DIGITS = 16
_LARGEST = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class ContentSketch:
    """The contents that a model learned from, or a random part of them.

    Examples
    --------
    >>> digests = [letter * 64 for letter in "abc"]
    >>> sketch = ContentSketch.of(digests)
    >>> sketch.images, sketch.holds(digests[0]), sketch.holds("f" * 64)
    (3, True, False)
    >>> ContentSketch.read({"contents": sketch.as_dict()}) is not None
    True
    """

    values: NDArray[np.uint64]
    """Of shape (n_kept,), growing: the first 64 bits of SHA-256 over each file, the smallest of all."""
    images: int
    """How many different contents there were."""

    @staticmethod
    def of(digests: Iterable[str], most: int = MOST_KEPT) -> "ContentSketch":
        """Make a sketch of files by their SHA-256 in hexadecimal digits, in any order."""
        values = np.unique(np.array([_value(digest) for digest in digests], np.uint64))
        return ContentSketch(values[:most], len(values))

    @staticmethod
    def read(data: Mapping[str, Any]) -> "ContentSketch | None":
        """The sketch in a card's `data`; None where there is none, or none that can be read."""
        given = data.get("contents")
        if not isinstance(given, dict) or given.get("hash") != "sha256-64":
            return None
        images, text = given.get("images"), given.get("values")
        if type(images) is not int or not isinstance(text, str) or len(text) > _MOST_TEXT:
            return None
        try:
            packed = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(packed) % 8 or not packed:
            return None
        values = np.frombuffer(packed, ">u8").astype(np.uint64)
        growing = bool((values[1:] > values[:-1]).all())
        return ContentSketch(values, images) if growing and images >= len(values) else None

    def as_dict(self) -> dict[str, Any]:
        """The field `contents` of a card's `data`; docs/artifact.md has its form."""
        packed = self.values.astype(">u8").tobytes()
        return {
            "hash": "sha256-64",
            "images": self.images,
            "values": base64.b64encode(packed).decode("ascii"),
        }

    @property
    def whole(self) -> bool:
        """Whether every content is kept."""
        return len(self.values) == self.images

    def holds(self, digest: str) -> bool | None:
        """Whether a file was learned from; None where the sketch does not reach so far."""
        value = _value(digest)
        bound = _LARGEST if self.whole else self.values[-1]
        if value > bound:
            return None
        place = int(np.searchsorted(self.values, value))
        return place < len(self.values) and bool(self.values[place] == value)


def _value(digest: str) -> np.uint64:
    return np.uint64(int(digest[:_HEX_DIGITS], 16))
