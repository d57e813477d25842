"""One look at every image: what tells that two show the same photo, and plain facts such as brightness.

No network is needed. The facts are measured on the 224 x 224 pixels that a network of usual size would see,
so that what is called blurred here is blurred for a classifier, too.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fieldguide.data.duplicates import SIGNATURE_BYTES, signature
from fieldguide.errors import Refusal
from fieldguide.images.decoding import mismatch, read_bytes
from fieldguide.images.network_input import open_for
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.images.read_ahead import read_ahead
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from fieldguide.images.content_cache import FeatureCache

FACTS_PREPROCESSING = Preprocessing(size=224)
"""How images are looked at."""
FACTS = ("width", "height", "brightness", "contrast", "sharpness", "colour")
"""Columns of :attr:`Sight.facts`."""

_KIND = 2  # raised whenever facts change for the same image, so that none is taken from an older cache
_TOLD_EVERY = 16
_SOFT = 16.0  # variance of grey levels that sharpness is measured against in an image without contrast


@dataclass(frozen=True)
class ImageFacts:
    """What was seen in a list of images, refused ones left out."""

    rows: NDArray[np.int64]
    """Of shape (n_kept,): which of the given paths each row belongs to, growing."""
    digests: tuple[str, ...]
    """SHA-256 of each kept file's content, as hexadecimal digits."""
    signatures: NDArray[np.uint8]
    """Of shape (n_kept, k); for :func:`fieldguide.data.duplicates.similar_pairs`."""
    facts: NDArray[np.float32]
    """Of shape (n_kept, 6), columns as in :data:`FACTS`: pixels across and down once upright; mean
    brightness from 0 to 1; contrast, the standard deviation of brightness in grey levels; sharpness, how much
    neighbouring pixels differ against the contrast, from 0; colour, the mean range of channels, 0 to 1."""
    mismatches: tuple[tuple[int, str], ...]
    """Row and sentence of each kept file whose name promises another format than it holds."""
    refused: tuple[Refusal, ...]
    """The paths that could not be used, in the order given."""

    def fact(self, name: str) -> NDArray[np.float64]:
        """One column of :data:`FACTS`, of shape (n_kept,)."""
        return self.facts[:, FACTS.index(name)].astype(np.float64)


def facts_of(paths: Sequence[str], *, cache: Path | None = None, progress: Progress = silent) -> ImageFacts:
    """Look at every image once.

    Parameters
    ----------
    paths
        Image files.
    cache
        Folder where what was seen is kept by image content, beside features; None keeps nothing. Without the
        package safetensors, which comes with the training half, nothing is kept either.
    progress
        Callback for progress: the stage ``looking``.

    Returns
    -------
    ImageFacts
        One row for each image that could be used, in the order given.
    """
    found: list[tuple[int, _Measured]] = []
    refused: list[Refusal] = []
    with _memory(cache) as memory:
        eye = _Measurement(memory)
        with read_ahead(eye, paths, stage="looking", progress=progress, every=_TOLD_EVERY) as stream:
            for row, seen in stream:
                if isinstance(seen, Refusal):
                    refused.append(seen)
                    continue
                found.append((row, seen))
                eye.keep(seen)
    return _gathered(found, refused)


def measure(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Measure the facts of an image.

    Parameters
    ----------
    pixels
        RGB, of shape (height, width, 3), as :data:`FACTS_PREPROCESSING` resizes an image.
    size
        Width and height of the image itself.

    Returns
    -------
    ndarray of shape (6,), float32
        In the order of :data:`FACTS`. Sharpness is the root of the variance of the Laplacian (Pech-Pacheco et
        al., "Diatom autofocusing in brightfield microscopy", ICPR 2000) over the variance of the image.
    """
    grey = np.asarray(Image.fromarray(pixels).convert("L"), dtype=np.float32)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    laplacian = around - 4 * grey[1:-1, 1:-1]
    variance = float(grey.var())
    sharpness = (float(laplacian.var()) / (variance + _SOFT)) ** 0.5
    colour = float((pixels.max(axis=2) - pixels.min(axis=2)).mean()) / 255
    return np.array([*size, float(grey.mean()) / 255, variance**0.5, sharpness, colour], dtype=np.float32)


@dataclass(frozen=True)
class _Measured:
    digest: bytes
    signature: NDArray[np.uint8]
    facts: NDArray[np.float32]
    mismatch: str | None
    new: bool


@dataclass(frozen=True)
class _Measurement:
    """What the threads do with one path, and where what was seen is kept."""

    memory: "FeatureCache | None"

    def __call__(self, path: str) -> _Measured:
        content = read_bytes(path)
        digest = hashlib.sha256(content).digest()
        odd = mismatch(path, content)
        entry = None if self.memory is None else self.memory.get(digest)
        if entry is not None:
            return _Measured(digest, entry.signature, entry.vector, odd, new=False)
        opened = open_for(content, FACTS_PREPROCESSING)
        pixels = FACTS_PREPROCESSING.resize(opened.image)
        return _Measured(digest, signature(pixels), measure(pixels, opened.size), odd, new=True)

    def keep(self, seen: _Measured) -> None:
        """Add what is new to the cache."""
        if self.memory is not None and seen.new:
            from fieldguide.images.content_cache import Entry

            self.memory.add(Entry(seen.digest, seen.signature, seen.facts))


def _memory(cache: Path | None) -> "contextlib.AbstractContextManager[FeatureCache | None]":
    """The features' cache under a key of its own; none where its library is not installed."""
    if cache is None or importlib.util.find_spec("safetensors") is None:
        return contextlib.nullcontext(None)
    from fieldguide.images.content_cache import FeatureCache

    return FeatureCache(cache, _key(), len(FACTS), clock=time.monotonic)


def _key() -> str:
    """Name everything that is seen of an image depends on besides its content."""
    ramp = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(32, 32, 3).astype(np.uint8)
    parts = [
        ["sight", _KIND, *FACTS],
        FACTS_PREPROCESSING.as_dict(),
        [importlib.metadata.version(package) for package in ("fieldguide", "pillow")],
        signature(ramp).tobytes().hex(),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _gathered(found: list[tuple[int, _Measured]], refused: list[Refusal]) -> ImageFacts:
    seen = [one for _, one in found]
    return ImageFacts(
        rows=np.array([row for row, _ in found], np.int64),
        digests=tuple(one.digest.hex() for one in seen),
        signatures=np.stack([one.signature for one in seen])
        if seen
        else np.empty((0, SIGNATURE_BYTES), np.uint8),
        facts=np.stack([one.facts for one in seen]) if seen else np.empty((0, len(FACTS)), np.float32),
        mismatches=tuple((row, one.mismatch) for row, one in enumerate(seen) if one.mismatch),
        refused=tuple(refused),
    )
