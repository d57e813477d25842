"""What a linear probe makes of mirror images: the evidence on whether training may mirror the photos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import extract
from fieldguide.data.folds import deal, deal_tags
from fieldguide.data.splits import duplicate_groups
from fieldguide.heads import ridge
from fieldguide.heads.lda import discriminant
from fieldguide.heads.training_table import TrainingTable
from fieldguide.progress import Progress, silent
from fieldguide.recipes.networks.flips import FlipEvidence
from fieldguide.tasks.tags import ABSENT, NOT_KNOWN, PRESENT, Indicators, Tags, indicators, names_of

MOST = 500
"""Images that are looked at; so many tell a loss of three points of accuracy from chance."""
SHRINKAGE = 0.8
"""The one that the preset `fast` takes without a search."""

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


def mirror_evidence(
    paths: Sequence[str],
    labels: Sequence[str] | Sequence[Tags],
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
        Image files and their classes or tags.
    backbone
        From :func:`fieldguide.backbones.export.export`.
    groups
        The group column; images of one group are held out together.
    cache
        Folder where features are kept.
    progress
        Callback for progress: the stage `features`.

    Returns
    -------
    FlipEvidence
        With n = 0 if fewer than two classes or two separate photos could be read.
    """
    texts = [label if isinstance(label, str) else "\n".join(label.present) for label in labels]
    chosen = _sample(texts)
    plain = extract([paths[place] for place in chosen], backbone, cache=cache, progress=progress)
    kept = [chosen[row] for row in plain.rows]
    if len({texts[place] for place in kept}) < 2:
        return FlipEvidence(0, 0, 0, 0)
    own = None if groups is None else [groups[place] for place in kept]
    together = duplicate_groups(len(kept), plain.digests, plain.signatures, own)
    if int(together.max()) < 1:
        return FlipEvidence(0, 0, 0, 0)
    means = extract([paths[place] for place in kept], backbone, flips=True, cache=cache, progress=progress)
    # `flips` gives the mean of an image's features and its mirror image's.
    mirrored = 2 * means.vectors.astype(np.float32) - plain.vectors
    vectors = np.asarray(plain.vectors, np.float32)
    tags = [label for place in kept if not isinstance(label := labels[place], str)]
    if tags:
        folds = deal_tags(tags, together, seed=0)
        return _compared_tags(vectors, mirrored, indicators(tags, names_of(tags)), folds)
    _, numbers = np.unique([texts[place] for place in kept], return_inverse=True)
    folds = deal([texts[place] for place in kept], together, seed=0)
    return _compared(vectors, mirrored, numbers.astype(np.int64), folds)


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
        table = TrainingTable.of(plain[learn], labels[learn], folds[learn])
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


def _compared_tags(
    plain: FloatArray, mirrored: FloatArray, tags: Indicators, folds: IntArray
) -> FlipEvidence:
    """The same of tags: an image is lost if more of its tags are wrong when it is mirrored."""
    wrong = np.zeros((2, len(tags)), dtype=np.int64)
    known = tags != NOT_KNOWN
    for fold in np.unique(folds):
        learn, hold = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        table = TrainingTable.of(plain[learn], np.zeros(len(learn), np.int64), folds[learn])
        solution = ridge.fit(ridge.TagTable(table, tags[learn]), SHRINKAGE)
        middle = _middles(solution.answers(table.rows(slice(None))), tags[learn])
        for way, vectors in enumerate((plain, mirrored)):
            given = solution.answers((vectors[hold] - table.mean) / table.scale) > middle
            wrong[way, hold] = ((given != (tags[hold] == PRESENT)) & known[hold]).sum(1)
    lost, gained = int((wrong[1] > wrong[0]).sum()), int((wrong[1] < wrong[0]).sum())
    return FlipEvidence(len(tags) - lost - gained, lost, gained, len(tags), of_tags=True)


def _middles(scores: FloatArray, tags: Indicators) -> NDArray[np.float64]:
    """For each tag the score half-way between the images with it and those without."""
    sides = []
    for value in (PRESENT, ABSENT):
        own = tags == value
        sides.append((scores * own).sum(0, dtype=np.float64) / np.maximum(own.sum(0), 1))
    return np.asarray((sides[0] + sides[1]) / 2)
