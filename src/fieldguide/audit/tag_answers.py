"""How models that had not seen a photo answer its tags, and which tags are probably missing or wrong.

Confident learning (:mod:`fieldguide.audit.confident_learning`) on each tag by itself: present or absent are
its two classes, as in Thyagarajan et al., "Identifying Incorrect Annotations in Multi-Label Classification
Data" (2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.audit.confident_learning import doubtful_labels
from fieldguide.data.folds import deal_tags
from fieldguide.heads import out_of_distribution, ridge
from fieldguide.heads.blas import threads_for
from fieldguide.heads.linear_head import held_out_sample
from fieldguide.heads.ridge import TagTable
from fieldguide.heads.tag_probe import combinations
from fieldguide.heads.tag_promises import promise_tags
from fieldguide.heads.training_table import TrainingTable
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators, Tags, indicators

SHRINKAGES = (0.4, 0.6, 0.8)
"""Candidates; the one with the lowest log loss is taken."""
FEWEST = 5
"""Photos with a tag, and without, below which nothing is said of it."""


@dataclass(frozen=True)
class TagAnswers:
    """Out-of-fold answers."""

    rows: NDArray[np.int64]
    """Photos that were answered, growing; of shape (n_rows,)."""
    classes: tuple[str, ...]
    """The tags, in column order."""
    tags: Indicators
    """As given, of shape (n_rows, n_tags)."""
    probabilities: NDArray[np.float32]
    """Calibrated, of the same shape."""
    distances: NDArray[np.float64]
    """From the nearest mean of a combination of tags, as behind typicality, of shape (n_rows,)."""


@dataclass(frozen=True)
class TagDoubt:
    """A tag of a photo that is probably not as given."""

    place: int
    """The photo among the answered ones."""
    tag: int
    """The tag's column."""
    probability: float
    """That the photo has the tag, by models that had not seen it."""


def tag_answers(
    vectors: NDArray[np.float32], tags: Sequence[Tags], groups: NDArray[np.int64], seed: int = 0
) -> TagAnswers | None:
    """Answer every photo by models that have not seen it, nor its look-alikes.

    Parameters
    ----------
    vectors
        From :func:`fieldguide.audit.out_of_fold.deep_features`, of shape (n_images, n_deep).
    tags
        Of each photo.
    groups
        Photos of one number are held out together.
    seed
        Of the folds.

    Returns
    -------
    TagAnswers or None
        None where there are no two tags, or nothing can be held out.
    """
    classes = tuple(sorted({name for one in tags for name in one.present}))
    if len(classes) < 2 or len(np.unique(groups)) < 2:
        return None
    matrix, folds = indicators(tags, classes), deal_tags(tags, groups, seed)
    with threads_for(len(tags)):
        table = TrainingTable.of(vectors, combinations(matrix), folds)
        held = held_out_sample(len(tags), len(classes), seed)
        scores = ridge.out_of_fold(TagTable(table, matrix), SHRINKAGES, held)
        distances = out_of_distribution.out_of_fold_distances(table, np.arange(vectors.shape[1]), held, seed)
        made = promise_tags(scores, matrix[held], distances.astype(np.float64))
    narrow = made.probabilities.astype(np.float32)
    return TagAnswers(held, classes, matrix[held], narrow, distances.astype(np.float64))


def doubtful_tags(answers: TagAnswers, given: int) -> list[TagDoubt]:
    """Tags that are given (:data:`~fieldguide.tasks.tags.PRESENT`) or absent, and probably should not be so.

    Returns
    -------
    list of TagDoubt
        The surest first.

    Examples
    --------
    >>> tags = np.array([[1, 0]] * 10 + [[0, 1]] * 10, np.int8)
    >>> probabilities = np.where(tags == 1, 0.9, 0.1).astype(np.float32)
    >>> tags[3, 0], probabilities[3, 0] = 0, 0.95
    >>> answers = TagAnswers(np.arange(20), ("dog", "sea"), tags, probabilities, np.ones(20))
    >>> [(doubt.place, doubt.tag) for doubt in doubtful_tags(answers, given=0)]
    [(3, 0)]
    """
    found: list[TagDoubt] = []
    for tag in range(len(answers.classes)):
        known = np.flatnonzero(answers.tags[:, tag] != NOT_KNOWN)
        own, chance = answers.tags[known, tag], answers.probabilities[known, tag]
        if min((own == PRESENT).sum(), (own != PRESENT).sum()) < FEWEST:
            continue
        both = np.stack([1 - chance, chance], axis=1)
        doubted = doubtful_labels(both, (own == PRESENT).astype(np.int64)).rows
        found += [TagDoubt(int(known[row]), tag, float(chance[row])) for row in doubted if own[row] == given]
    return sorted(found, key=lambda doubt: (doubt.probability * (1 if given == PRESENT else -1), doubt.place))
