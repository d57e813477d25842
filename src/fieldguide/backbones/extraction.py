"""From photos to features: read, decode and shrink in threads while the network works on the last batch.

Memory does not grow with the number of images but for the vectors, and those go to a file once they are many.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.feature_table import FeatureTable
from fieldguide.backbones.runner import Runner, best_runner
from fieldguide.data.duplicates import signature
from fieldguide.errors import Refusal
from fieldguide.images.content_cache import LAYOUT, Entry, FeatureCache
from fieldguide.images.decoding import read_bytes
from fieldguide.images.network_input import network_pixels
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.images.read_ahead import Stream, read_ahead
from fieldguide.progress import Progress, silent
from fieldguide.threads import in_order, usable_cores

BATCHES_AHEAD = 4
"""Prepared images that may wait for the network, in batches; more only takes memory."""


@dataclass(frozen=True)
class Features:
    """What the network sees in a list of images, refused ones left out."""

    vectors: NDArray[np.float32] | NDArray[np.float16]
    """Of shape (n_kept, n_features). Above 256 MB float16 in a file that vanishes with the process."""
    signatures: NDArray[np.uint8]
    """Of shape (n_kept, k); for :func:`fieldguide.data.duplicates.near_duplicates`."""
    digests: tuple[str, ...]
    """SHA-256 of each kept file's content, as hexadecimal digits."""
    rows: NDArray[np.int64]
    """Of shape (n_kept,): which of the given paths each row belongs to, growing."""
    refused: tuple[Refusal, ...]
    """The paths that could not be used, in the order given."""
    seconds: dict[str, float]
    """`total` and `network` on the clock; `decode` the sum of what the threads spent computing."""
    cached: int = 0
    """How many rows came from the cache."""

    @classmethod
    def of(cls, table: FeatureTable, seconds: dict[str, float], cached: int) -> "Features":
        """What a table holds once it is filled."""
        return cls(
            vectors=table.vectors[: len(table.rows)],
            signatures=table.stacked_signatures(),
            digests=tuple(table.digests),
            rows=np.array(table.rows, np.int64),
            refused=tuple(table.refused),
            seconds=dict(seconds),
            cached=cached,
        )


class FeaturePass(Protocol):
    """Computes the features of images somewhere: :func:`extract_here`, or what takes its place."""

    def __call__(
        self,
        paths: Sequence[str],
        backbone: ExportedBackbone,
        *,
        flips: bool = False,
        cache: Path | None = None,
        progress: Progress = silent,
    ) -> Features:
        """Answer as :func:`extract` does."""


@contextlib.contextmanager
def computed_by(feature_pass: FeaturePass) -> Iterator[None]:
    """Have something else compute what :func:`extract` is asked for, in this thread, until the context ends.

    Whatever learns from features, however far below, then takes them from there, as estimators of
    scikit-learn take joblib's backend.
    """
    token = _PASS.set(feature_pass)
    try:
        yield
    finally:
        _PASS.reset(token)


def extract(
    paths: Sequence[str],
    backbone: ExportedBackbone,
    *,
    flips: bool = False,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Features:
    """Compute the features of images: in this process, or where :func:`computed_by` says.

    Parameters
    ----------
    paths
        Image files.
    backbone
        From :func:`fieldguide.backbones.export.export`.
    flips
        Whether an image's features are the mean of its own and its mirror image's, at twice the price.
    cache
        Folder where features are kept by image content; None keeps nothing. What an interrupted run has
        finished is in it.
    progress
        Callback for progress: the stage `features`.

    Returns
    -------
    Features
        One row for each image that could be used, in the order given.

    Raises
    ------
    OutputError
        If the vectors do not fit into memory and not on the disk.
    """
    return _PASS.get()(paths, backbone, flips=flips, cache=cache, progress=progress)


def times_as_many_cores() -> float:
    """How many times the cores of this machine compute what :func:`extract` is asked for: 1 for itself."""
    return float(getattr(_PASS.get(), "times_as_many_cores", 1.0))


def extract_here(
    paths: Sequence[str],
    backbone: ExportedBackbone,
    *,
    flips: bool = False,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Features:
    """Do what :func:`extract` does on this machine, whatever :func:`computed_by` says."""
    return _Extraction(backbone, best_runner(backbone), flips).run(paths, cache, progress)


_PASS: ContextVar[FeaturePass] = ContextVar("feature pass", default=extract_here)


def feature_key(backbone: ExportedBackbone, kind: str, flips: bool) -> str:
    """Name everything that the features of an image depend on besides its content.

    Parameters
    ----------
    backbone, flips
        As for :func:`extract`.
    kind
        That of the :class:`~fieldguide.backbones.runner.Runner`.
    """
    ramp = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(32, 32, 3).astype(np.uint8)
    parts = [
        backbone.digest,
        backbone.preprocessing.as_dict(),
        flips,
        kind,
        LAYOUT,
        [importlib.metadata.version(package) for package in ("fieldguide", "pillow")],
        signature(ramp).tobytes().hex(),  # so that another kind of signature makes another key
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def forward(runner: Runner, pixels: NDArray[np.uint8], flips: bool) -> NDArray[np.float32]:
    """Features of a batch of pixels; with `flips` the mean of theirs and their mirror images'."""
    vectors = runner(pixels)
    if flips:
        vectors = (vectors + runner(np.ascontiguousarray(pixels[:, :, ::-1]))) / np.float32(2)
    return vectors


@dataclass(frozen=True)
class _Prepared:
    """An image on its way: with its vector if that was in the cache, else with the network's input."""

    digest: bytes
    signature: NDArray[np.uint8]
    seconds: float
    vector: NDArray[np.float32] | None = None
    pixels: NDArray[np.uint8] | None = None


class _Extraction:
    """One way of computing features, and the clock of one run."""

    def __init__(self, backbone: ExportedBackbone, runner: Runner, flips: bool) -> None:
        self._backbone, self._runner, self._flips = backbone, runner, flips
        self._seconds = {"total": 0.0, "decode": 0.0, "network": 0.0}
        self._clock = threading.Lock()
        self._cached = 0

    def run(self, paths: Sequence[str], root: Path | None, progress: Progress) -> Features:
        started = time.perf_counter()
        table = FeatureTable(len(paths), self._backbone.features, root)
        key = feature_key(self._backbone, self._runner.kind, self._flips)
        with FeatureCache(root, key, self._backbone.features) as cache:
            self._fill(table, paths, cache, progress)
        self._seconds["total"] = time.perf_counter() - started
        return Features.of(table, self._seconds, self._cached)

    def _fill(
        self, table: FeatureTable, paths: Sequence[str], cache: FeatureCache, progress: Progress
    ) -> None:
        prepare = _Preparation(self._backbone.preprocessing, cache)
        runner = self._runner
        ahead = BATCHES_AHEAD * max(runner.batch, usable_cores())
        with read_ahead(prepare, paths, stage="features", progress=progress, ahead=ahead) as stream:
            batches = self._batches(table, stream)
            with contextlib.closing(
                in_order(self._computed, batches, runner.at_once, runner.at_once)
            ) as computed:
                for batch, vectors in computed:
                    table.put(list(batch), vectors)
                    for prepared, vector in zip(batch.values(), vectors, strict=True):
                        cache.add(Entry(prepared.digest, prepared.signature, vector))

    def _batches(self, table: FeatureTable, stream: Stream[_Prepared]) -> Iterator[dict[int, _Prepared]]:
        """Put what is refused or cached into its place; the rest goes to the network in batches, by row."""
        batch: dict[int, _Prepared] = {}
        for position, prepared in stream:
            if isinstance(prepared, Refusal):
                table.refused.append(prepared)
                continue
            row = table.add(position, prepared.digest, prepared.signature)
            self._seconds["decode"] += prepared.seconds
            if prepared.vector is not None:
                table.put([row], prepared.vector[None])
                self._cached += 1
                continue
            batch[row] = prepared
            if len(batch) == self._runner.batch:
                yield batch
                batch = {}
        if batch:
            yield batch

    def _computed(self, batch: dict[int, _Prepared]) -> tuple[dict[int, _Prepared], NDArray[np.float32]]:
        """Run the network over a batch."""
        started = time.perf_counter()
        pixels = np.stack([prepared.pixels for prepared in batch.values() if prepared.pixels is not None])
        vectors = self._forward(pixels)
        with self._clock:
            self._seconds["network"] += (time.perf_counter() - started) / self._runner.at_once
        return batch, vectors

    def _forward(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return forward(self._runner, pixels, self._flips)


@dataclass(frozen=True)
class _Preparation:
    """What the threads do with one path."""

    preprocessing: Preprocessing
    cache: FeatureCache

    def __call__(self, path: str) -> _Prepared:
        started = time.thread_time()
        content = read_bytes(path)
        digest = hashlib.sha256(content).digest()
        entry = self.cache.get(digest)
        if entry is not None:
            return _Prepared(digest, entry.signature, time.thread_time() - started, vector=entry.vector)
        pixels = network_pixels(content, self.preprocessing)
        return _Prepared(digest, signature(pixels), time.thread_time() - started, pixels=pixels)
