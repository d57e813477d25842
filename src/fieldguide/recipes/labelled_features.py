"""What recipes learn from: images with their features, classes, and folds that keep look-alikes together."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import Features
from fieldguide.data.dataset import Dataset
from fieldguide.data.folds import deal
from fieldguide.data.leaks import Fingerprints
from fieldguide.data.splits import duplicate_groups
from fieldguide.errors import DataError
from fieldguide.heads.training_table import TrainingTable
from fieldguide.recipes.common import Options, Run


@dataclass(frozen=True)
class LabelledFeatures:
    """The images of a data set that could be used, and what is needed to learn from them."""

    kept: Dataset
    """Without the refused images."""
    features: Features
    """One row for each image of `kept`."""
    classes: tuple[str, ...]
    """In column order."""
    numbers: NDArray[np.int64]
    """Class number of each image, of shape (n_kept,)."""
    folds: NDArray[np.int64]
    """Fold of each image, of shape (n_kept,); near-duplicates and groups share one."""
    folding: str
    """A sentence on the folds."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over contents and labels."""
        return fingerprint(self.features.digests, self.kept.labels)

    def side(self) -> Fingerprints:
        """What tells that another image is one of these."""
        features = self.features
        return Fingerprints(self.kept.paths, features.digests, features.signatures, self.kept.groups)

    def table(self) -> TrainingTable:
        """Features, labels and folds as heads learn from them."""
        return TrainingTable.of(self.features.vectors, self.numbers, self.folds)


def learn_from(dataset: Dataset, body: ExportedBackbone, options: Options, run: Run) -> LabelledFeatures:
    """Extract features and deal the images into folds.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    """
    features = run.extract(dataset.paths, body)
    kept = dataset.take(features.rows)
    classes = check_classes(kept, features)
    folds, folding = _folds(kept, features, options.seed)
    numbers = np.searchsorted(np.array(classes), np.array(kept.labels)).astype(np.int64)
    return LabelledFeatures(kept, features, classes, numbers, folds, folding)


def check_classes(kept: Dataset, features: Features) -> tuple[str, ...]:
    """The class names, in column order.

    Raises
    ------
    DataError
        If fewer than two are left.
    """
    if len(kept.classes) < 2:
        raise DataError(
            f"{kept.called}: need images of two classes that can be read, got {len(kept)} images of "
            f"{len(kept.classes)} after {len(features.refused)} were refused; "
            f"{kept.refusals_named(features.refused)}"
        )
    return kept.classes


def _folds(kept: Dataset, features: Features, seed: int) -> tuple[NDArray[np.int64], str]:
    """Deal images into folds so that near-duplicates and groups stay together."""
    groups = duplicate_groups(len(kept), features.digests, features.signatures, kept.groups)
    shared = Counter(label for _, label in set(zip(groups.tolist(), kept.labels, strict=True)))
    if max(shared.values()) < 2:
        raise DataError(
            f"{kept.called}: no class has two separate photos, so nothing can be held out to measure by; "
            "add photos (duplicates and images of one group count once)"
        )
    folds = deal(kept.labels, groups, seed)
    return folds, folds_summary(folds, groups)


def folds_summary(folds: NDArray[np.int64], groups: NDArray[np.int64]) -> str:
    """A sentence on the folds."""
    twins = len(groups) - int(groups.max()) - 1
    kept_together = f"; {twins} near-duplicates or group members kept on one side" if twins else ""
    return f"{folds.max() + 1}-fold cross-validation inside the training images{kept_together}"


def shares_summary(labels: Sequence[str], used: bool) -> str:
    """A sentence on class imbalance and what was done about it."""
    counts = Counter(labels).most_common()
    (most, many), (least, few) = counts[0], counts[-1]
    if many <= 1.5 * few:
        return "class shares: nearly equal, no class is favoured"
    how = "expect the shares of the training images"
    if not used:
        how = "do not expect these shares, since with them more out-of-fold answers were wrong"
    return (
        f"class shares: unequal ({most!r} {many}, {least!r} {few}); every class counts the same when the "
        f"classifier is fitted, and probabilities {how}"
    )


def fingerprint(digests: Sequence[str], labels: Sequence[str]) -> str:
    """SHA-256 over contents and labels, whatever the order of the images."""
    lines = sorted(f"{digest} {label}" for digest, label in zip(digests, labels, strict=True))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def card_of(backbone: ExportedBackbone) -> dict[str, str]:
    """What a model's card says of the backbone that it was made with."""
    return {
        "name": backbone.name,
        "licence": backbone.licence,
        "source": backbone.source,
        "digest": backbone.digest,
    }
