"""What a linear probe makes of mirror images: the evidence on whether training may mirror the photos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldguide.augment_flips import FlipEvidence
from fieldguide.backbone_export import ExportedBackbone
from fieldguide.discriminant import Table, discriminant
from fieldguide.features import extract
from fieldguide.progress import Progress, silent
from fieldguide.splits import duplicate_groups, fold_groups

MOST = 500
"""Images that are looked at; so many tell a loss of three points of accuracy from chance."""
FOLDS = 5
SHRINKAGE = 0.8
"""The one that the preset `fast` takes without a search."""

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


def mirror_evidence(
    paths: Sequence[str],
    labels: Sequence[str],
    backbone: ExportedBackbone,
    groups: Sequence[str] | None = None,
    *,
    cache: Path | None = None,
    progress: Progress = silent,
) -> FlipEvidence:
    """Compare a probe's answers to held-out images with its answers to their mirror images.

    The probe has seen neither, and no mirror image at all. Of larger sets 500 images are taken, the same each
    time and as many of every class. The price is two passes of the network over these; a third
    where the cache does not hold their features.

    Parameters
    ----------
    paths, labels
        Image files and their classes.
    backbone
        From :func:`fieldguide.backbone_export.export`.
    groups
        The group column; images of one group are held out together.
    cache
        Folder where features are kept.
    progress
        Told of the stage `features`.

    Returns
    -------
    FlipEvidence
        With n = 0 if fewer than two classes or two separate photos could be read.
    """
    chosen = _sample(labels)
    plain = extract([paths[place] for place in chosen], backbone, cache=cache, progress=progress)
    kept = [chosen[row] for row in plain.rows]
    if len({labels[place] for place in kept}) < 2:
        return FlipEvidence(0, 0, 0, 0)
    own = None if groups is None else [groups[place] for place in kept]
    together = duplicate_groups(len(kept), plain.digests, plain.signatures, own)
    separate = int(together.max()) + 1
    if separate < 2:
        return FlipEvidence(0, 0, 0, 0)
    means = extract([paths[place] for place in kept], backbone, flips=True, cache=cache, progress=progress)
    # `flips` gives the mean of an image's features and its mirror image's.
    mirrored = 2 * means.vectors.astype(np.float32) - plain.vectors
    _, numbers = np.unique([labels[place] for place in kept], return_inverse=True)
    folds = fold_groups([labels[place] for place in kept], together, min(FOLDS, separate), seed=0)
    return _compared(np.asarray(plain.vectors, np.float32), mirrored, numbers.astype(np.int64), folds)


def _sample(labels: Sequence[str]) -> list[int]:
    """Places of at most :data:`MOST` images, growing: from every class in turn, by chance within it."""
    seen: dict[str, int] = {}
    turns = []
    for place in np.random.default_rng(0).permutation(len(labels)).tolist():
        turn = seen[labels[place]] = seen.get(labels[place], 0) + 1
        turns.append((turn, place))
    return sorted(place for _, place in sorted(turns)[:MOST])


def _compared(plain: FloatArray, mirrored: FloatArray, labels: IntArray, folds: IntArray) -> FlipEvidence:
    right = np.zeros((2, len(labels)), dtype=bool)
    for fold in np.unique(folds):
        learn, hold = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        table = Table.of(plain[learn], labels[learn], folds[learn])
        weights, bias = discriminant(table).fit(SHRINKAGE)
        for way, vectors in enumerate((plain, mirrored)):
            scores = (vectors[hold] - table.mean) / table.scale @ weights + bias
            right[way, hold] = scores.argmax(1) == labels[hold]
    own, other = right
    return FlipEvidence(
        both=int((own & other).sum()),
        lost=int((own & ~other).sum()),
        gained=int((~own & other).sum()),
        n=len(labels),
    )
