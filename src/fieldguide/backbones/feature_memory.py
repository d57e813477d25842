"""Features held for one piece of work that looks at the same images again and again.

Cross-validation asks for the features of nearly all images once a fold and recipe. The cache on disk spares
the network then, but still reads and hashes every file; this spares that too, and needs no cache.
"""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import Features, extract
from fieldguide.backbones.feature_table import allocate
from fieldguide.progress import Progress, silent

MOST_BYTES = 1_000_000_000
"""Vectors held at once; beyond that those of the backbone asked for longest ago go back to the cache."""
ROWS_AT_ONCE = 4096
"""Rows copied at once, so that features on disk never fill the memory."""


class FeatureMemory:
    """Features of a fixed list of images: one pass a backbone, whatever is asked for later.

    Parameters
    ----------
    paths
        All image files that will be asked for. Others are extracted as they come.
    cache
        Folder where features are kept beyond this piece of work; None keeps none.
    """

    def __init__(self, paths: Sequence[str], cache: Path | None = None) -> None:
        self.paths: tuple[str, ...] = tuple(paths)
        """Of all images."""
        self._cache = cache
        self._known = frozenset(self.paths)
        self._whole: dict[str, Features] = {}
        self._places: dict[str, dict[str, int]] = {}
        self.seconds: float = 0.0
        """What the passes have taken so far, on the clock."""

    def extract(
        self, paths: Sequence[str], backbone: ExportedBackbone, progress: Progress = silent
    ) -> Features:
        """Answer as :func:`~fieldguide.backbones.extraction.extract` would, from one pass over all images."""
        if not self._known.issuperset(paths):
            return extract(paths, backbone, cache=self._cache, progress=progress)
        return self._part(paths, backbone.digest, self.whole(backbone, progress))

    def whole(self, backbone: ExportedBackbone, progress: Progress = silent) -> Features:
        """The features of all images, extracted when first asked for."""
        if backbone.digest in self._whole:  # to the end: what is at the front was asked for longest ago
            self._whole[backbone.digest] = self._whole.pop(backbone.digest)
        else:
            started = time.perf_counter()
            self.give(backbone, self._computed(backbone, progress))
            self.seconds += time.perf_counter() - started
        return self._whole[backbone.digest]

    def has(self, backbone: ExportedBackbone) -> bool:
        """Whether the features of all images are held, so that :meth:`whole` computes nothing."""
        return backbone.digest in self._whole

    def give(self, backbone: ExportedBackbone, features: Features) -> None:
        """Hold the features of all images, computed elsewhere."""
        self._places[backbone.digest] = {
            self.paths[image]: row for row, image in enumerate(features.rows.tolist())
        }
        self._whole[backbone.digest] = features
        self._drop_oldest()

    def _computed(self, backbone: ExportedBackbone, progress: Progress) -> Features:
        """One pass; of backbones side by side, where one was asked for before, only through the others."""
        if not any(part.digest in self._whole for part in backbone.parts):
            return extract(self.paths, backbone, cache=self._cache, progress=progress)
        parts = [self.whole(part, progress) for part in backbone.parts]
        if any(not np.array_equal(part.rows, parts[0].rows) for part in parts):  # files went in between
            return extract(self.paths, backbone, cache=self._cache, progress=progress)
        vectors = allocate(len(parts[0].rows), backbone.features, self._cache)
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            vectors[some] = np.concatenate([part.vectors[some] for part in parts], axis=1)
        return dataclasses.replace(parts[0], vectors=vectors, cached=len(vectors))

    def _drop_oldest(self) -> None:
        while len(self._whole) > 1 and sum(held.vectors.nbytes for held in self._whole.values()) > MOST_BYTES:
            del self._whole[next(iter(self._whole))]

    def _part(self, paths: Sequence[str], key: str, whole: Features) -> Features:
        if tuple(paths) == self.paths:
            return whole
        places = self._places[key]
        refusals = {refusal.path: refusal for refusal in whole.refused}
        kept = [image for image, path in enumerate(paths) if path in places]
        rows = np.array([places[paths[image]] for image in kept], dtype=np.int64)
        vectors = allocate(len(rows), whole.vectors.shape[1], self._cache)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            vectors[some] = whole.vectors[rows[some]]
        return Features(
            vectors=vectors,
            signatures=whole.signatures[rows],
            digests=tuple(whole.digests[row] for row in rows),
            rows=np.array(kept, dtype=np.int64),
            refused=tuple(refusals[path] for path in paths if path in refusals),
            seconds={"total": 0.0, "decode": 0.0, "network": 0.0},
            cached=len(rows),
        )
