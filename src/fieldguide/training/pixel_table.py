"""The images of a data set as one array of pixels, for recipes that look at them many times."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.duplicates import signature
from fieldguide.errors import Refusal
from fieldguide.images.decoding import read_bytes
from fieldguide.images.network_input import network_pixels
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.images.read_ahead import read_ahead
from fieldguide.large_arrays import in_file
from fieldguide.progress import Progress, silent

IN_MEMORY_BYTES = 1_000_000_000
"""50,000 images of 80 x 80 pixels, or 6,600 of 224 x 224."""


@dataclass(frozen=True)
class PixelTable:
    """Images shrunk to the network's size, refused ones left out."""

    images: NDArray[np.uint8]
    """RGB, of shape (n_kept, size, size, 3). Above 1 GB a memory map of a file that vanishes with the
    process."""
    signatures: NDArray[np.uint8]
    """Of shape (n_kept, k); for :func:`fieldguide.data.duplicates.near_duplicates`."""
    digests: tuple[str, ...]
    """SHA-256 of each kept file's content, as hexadecimal digits."""
    rows: NDArray[np.int64]
    """Of shape (n_kept,): which of the given paths each row belongs to, growing."""
    refused: tuple[Refusal, ...]
    """The paths that could not be used, in the order given."""


def decode(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
) -> PixelTable:
    """Read, decode and shrink images in threads.

    Parameters
    ----------
    paths
        Image files.
    preprocessing
        How an image becomes pixels.
    folder
        Where a file of pixels may lie if they are too many for memory.
    progress
        Callback for progress: the stage `images`.

    Raises
    ------
    OutputError
        If the pixels fit neither into memory nor on the disk.
    """
    images = _room((len(paths), preprocessing.size, preprocessing.size, 3), folder)
    kept: list[tuple[int, str, NDArray[np.uint8]]] = []
    refused: list[Refusal] = []
    with read_ahead(_Preparation(preprocessing), paths, stage="images", progress=progress) as stream:
        for position, prepared in stream:
            if isinstance(prepared, Refusal):
                refused.append(prepared)
                continue
            images[len(kept)] = prepared.pixels
            kept.append((position, prepared.digest, prepared.signature))
    signatures = np.stack([mark for _, _, mark in kept]) if kept else np.empty((0, 0), np.uint8)
    return PixelTable(
        images=images[: len(kept)],
        signatures=signatures,
        digests=tuple(digest for _, digest, _ in kept),
        rows=np.array([position for position, _, _ in kept], np.int64),
        refused=tuple(refused),
    )


@dataclass(frozen=True)
class _Prepared:
    digest: str
    signature: NDArray[np.uint8]
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class _Preparation:
    """What the threads do with one path."""

    preprocessing: Preprocessing

    def __call__(self, path: str) -> _Prepared:
        content = read_bytes(path)
        pixels = network_pixels(content, self.preprocessing)
        return _Prepared(hashlib.sha256(content).hexdigest(), signature(pixels), pixels)


def _room(shape: tuple[int, ...], folder: Path | None) -> NDArray[Any]:
    if int(np.prod(shape)) <= IN_MEMORY_BYTES:
        return np.zeros(shape, np.uint8)
    return in_file(shape, np.uint8, folder, "pixels")
