"""What recipes learn tags from: images with features, tags, and folds that keep look-alikes together."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import Features
from fieldguide.data.dataset import Dataset
from fieldguide.data.folds import deal_tags
from fieldguide.data.leaks import Fingerprints
from fieldguide.data.splits import duplicate_groups
from fieldguide.errors import DataError
from fieldguide.heads.ridge import TagTable
from fieldguide.heads.tag_probe import combinations
from fieldguide.heads.training_table import TrainingTable
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.labelled_features import fingerprint, folds_summary
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators, Tags, indicators


@dataclass(frozen=True)
class TaggedFeatures:
    """The images of a data set that could be used, and what is needed to learn tags from them."""

    kept: Dataset
    """Without the refused images."""
    features: Features
    """One row for each image of `kept`."""
    classes: tuple[str, ...]
    """The tags, in column order."""
    tags: Indicators
    """Of shape (n_kept, n_tags)."""
    folds: NDArray[np.int64]
    """Fold of each image, of shape (n_kept,); near-duplicates and groups share one."""
    folding: str
    """A sentence on the folds."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over contents and tags."""
        return fingerprint(self.features.digests, tag_texts(self.kept))

    def side(self) -> Fingerprints:
        """What tells that another image is one of these."""
        features = self.features
        return Fingerprints(self.kept.paths, features.digests, features.signatures, self.kept.groups)

    def table(self) -> TagTable:
        """Features, tags and folds as heads learn from them."""
        table = TrainingTable.of(self.features.vectors, combinations(self.tags), self.folds)
        return TagTable(table, self.tags)


def learn_tags_from(dataset: Dataset, body: ExportedBackbone, options: Options, run: Run) -> TaggedFeatures:
    """Extract features and deal the images into folds.

    Raises
    ------
    DataError
        If without the refused images there are not two tags, or nothing can be held out.
    """
    features = run.extract(dataset.paths, body)
    kept = dataset.take(features.rows)
    tags = [one or Tags() for one in kept.tags or ()]
    if len(kept.classes) < 2:
        raise DataError(
            f"{kept.called}: need two tags on images that can be read, got {len(kept)} images with "
            f"{len(kept.classes)} after {len(features.refused)} were refused; "
            f"{kept.refusals_named(features.refused)}"
        )
    groups = duplicate_groups(len(kept), features.digests, features.signatures, kept.groups)
    if groups.max() < 1:
        raise DataError(
            f"{kept.called}: need two separate photos, so that one can be held out to measure by, got copies "
            "of one; add photos (duplicates and images of one group count once)"
        )
    folds = deal_tags(tags, groups, options.seed)
    matrix = indicators(tags, kept.classes)
    return TaggedFeatures(kept, features, kept.classes, matrix, folds, folds_summary(folds, groups))


def tag_texts(dataset: Dataset) -> list[str]:
    """The tags of each image as one text."""
    known = (tags or Tags() for tags in dataset.tags or ())
    return [json.dumps([one.present, one.not_known]) for one in known]


def indicator_texts(tags: NDArray[np.integer[Any]], names: Sequence[str]) -> list[str]:
    """The same from a matrix of photos and tags.

    Examples
    --------
    >>> indicator_texts(np.array([[1, 0], [0, -1]]), ["beach", "dog"])
    ['[["beach"], []]', '[[], ["dog"]]']
    """

    def named(row: NDArray[np.bool_]) -> list[str]:
        return [names[place] for place in np.flatnonzero(row).tolist()]

    return [json.dumps([named(row == PRESENT), named(row == NOT_KNOWN)]) for row in tags]


def tags_summary(tags: NDArray[np.integer[Any]], names: Sequence[str]) -> str:
    """A sentence on how many photos have each tag, and what is not known.

    Parameters
    ----------
    tags
        Of shape (n_images, n_tags).
    names
        Of the tags.
    """
    counts = (tags == PRESENT).sum(0)
    most, least = int(counts.argmax()), int(counts.argmin())
    unknown = int((tags == NOT_KNOWN).sum())
    extremes = (
        f"each on {counts[most]} photos"
        if counts[most] == counts[least]
        else f"most often {names[most]!r} ({counts[most]}), least often {names[least]!r} ({counts[least]})"
    )
    said = f"tags: {counts.sum() / len(tags):.1f} a photo; {extremes}"
    entries = "1 entry" if unknown == 1 else f"{unknown} entries"
    return f"{said}; {entries} not known, which count neither way" if unknown else said
