"""Forests of randomised trees as a few arrays, grown with scikit-learn.

Extremely randomised trees (Geurts, Ernst and Wehenkel, Machine Learning 2006), the kin of random forests
(Breiman, Machine Learning 2001) that draws thresholds too: a tree costs less than half (docs/log.md).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from fieldguide.heads.training_table import FloatArray, IntArray
from fieldguide.threads import usable_cores

MOST_LEAVES = 2_000_000
"""In a forest. A tree of n images has at most n leaves and as many nodes above them, of 12 bytes each, so
that a forest takes at most 48 MB besides the distinct distributions of its leaves."""
MOST_SHARES = 100_000_000
"""Numbers in the leaves of a forest for tags, were they all distinct."""
AT_ONCE = 25
"""Trees that scikit-learn holds at once; it keeps a number for each node and class."""
BLOCK = 512


@dataclass(frozen=True)
class Forest:
    """All nodes of all trees, one after the other.

    An image goes on from a node by 1 where its feature is at most the threshold, else by the offset. A leaf's
    threshold is below every number and its offset 0, so whoever has arrived stays.
    """

    roots: NDArray[np.int32]
    """First node of each tree, of shape (n_trees,)."""
    feature: NDArray[np.uint16]
    """Of shape (n_nodes,), like the next three; 0 in a leaf."""
    threshold: FloatArray
    offset: NDArray[np.int32]
    row: NDArray[np.uint16] | NDArray[np.int32]
    """A leaf's row of `distributions`; 0 above the leaves."""
    distributions: FloatArray
    """Distinct class shares of leaves, of shape (n_rows, n_classes)."""
    depth: int
    """Steps after which every image has arrived."""
    known: NDArray[np.bool_]
    """Of shape (n_classes,): classes that it has seen."""
    tags: bool = False
    """Whether leaves hold the share of images with each tag, rather than the shares of classes."""

    @property
    def smoothing(self) -> float:
        """Added to shares before their logarithm: one vote among all trees."""
        return 1 / len(self.roots)

    def scores(self, features: FloatArray) -> FloatArray:
        """Score features of shape (n_images, n_features): log of the mean share, (n_images, n_classes).

        Minus infinity for a class that was not seen; of tags the log odds.
        """
        blocks = [self._shares(features[at : at + BLOCK]) for at in range(0, len(features), BLOCK)]
        shares, smoothing = np.concatenate(blocks), np.float32(self.smoothing)
        logarithms = np.log(shares + smoothing)
        if self.tags:
            return np.asarray(logarithms - np.log(1 - shares + smoothing), dtype=np.float32)
        return np.where(self.known, logarithms, -np.inf).astype(np.float32)

    def _shares(self, features: FloatArray) -> FloatArray:
        at = np.broadcast_to(self.roots, (len(features), len(self.roots)))
        for _ in range(self.depth):
            low = np.take_along_axis(features, self.feature[at].astype(np.int64), 1) <= self.threshold[at]
            at = at + np.where(low, 1, self.offset[at])
        total = np.zeros((len(features), self.distributions.shape[1]), dtype=np.float32)
        for tree in range(len(self.roots)):
            total += self.distributions[self.row[at[:, tree]]]
        return total / np.float32(len(self.roots))


def grow(
    features: FloatArray,
    labels: IntArray,
    n_classes: int,
    trees: int,
    seed: int,
    share: float | None = None,
) -> Forest:
    """Grow a forest, each tree to the end, from all images or from as many drawn as `MOST_LEAVES` allows.

    Every class counts the same (``class_weight="balanced"``).

    Parameters
    ----------
    features
        Of shape (n_images, n_features), float32: at most 65,536 features.
    labels
        Class numbers of shape (n_images,); not every class need be there.
    trees
        How many.
    seed
        The same seed gives the same forest, on however many cores.
    share
        Of the features that each split looks at, more than 0 and at most 1; None takes the square root of
        their number.

    Examples
    --------
    >>> features = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5, dtype=np.float32)
    >>> labels = (features[:, 0] != features[:, 1]).astype(np.int64)  # exclusive or: no line tells them apart
    >>> forest = grow(features, labels, n_classes=2, trees=20, seed=0)
    >>> forest.scores(features[:4]).argmax(axis=1).tolist()
    [0, 1, 1, 0]
    """
    drawn = MOST_LEAVES // trees
    many = len(labels) > drawn
    collected = _Collected(n_classes)
    for first in range(0, trees, AT_ONCE):
        grown = ExtraTreesClassifier(
            n_estimators=min(AT_ONCE, trees - first),
            max_features="sqrt" if share is None else share,
            class_weight="balanced",
            bootstrap=many,
            max_samples=drawn if many else None,
            random_state=seed + first,
            n_jobs=usable_cores(),
        ).fit(features, labels)
        for tree in grown.estimators_:
            collected.add(tree.tree_, tree.tree_.value[:, 0], grown.classes_)
    return collected.forest(np.bincount(labels, minlength=n_classes) > 0)


def grow_for_tags(
    features: FloatArray, shown: NDArray[np.bool_], trees: int, seed: int, share: float | None = None
) -> Forest:
    """Grow a forest whose leaves hold the share of images with each tag.

    Splits lessen the variance of all tags together, which for tags that are present or absent is the Gini
    impurity summed over them.

    Parameters
    ----------
    features
        As for :func:`grow`.
    shown
        Whether an image has a tag, of shape (n_images, n_tags).
    trees, seed, share
        As for :func:`grow`.

    Examples
    --------
    >>> features = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5, dtype=np.float32)
    >>> forest = grow_for_tags(features, features > 0.5, trees=20, seed=0)
    >>> (forest.scores(features[:4]) > 0).astype(int).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    drawn = min(MOST_LEAVES, MOST_SHARES // shown.shape[1]) // trees
    many = len(shown) > drawn
    collected = _Collected(shown.shape[1])
    for first in range(0, trees, AT_ONCE):
        grown = ExtraTreesRegressor(
            n_estimators=min(AT_ONCE, trees - first),
            max_features="sqrt" if share is None else share,
            bootstrap=many,
            max_samples=drawn if many else None,
            random_state=seed + first,
            n_jobs=usable_cores(),
        ).fit(features, shown.astype(np.float64))
        for tree in grown.estimators_:
            collected.add(tree.tree_, tree.tree_.value[:, :, 0], None)
    return replace(collected.forest(np.asarray(shown.any(0))), tags=True)


class _Collected:
    """Trees as they are turned into arrays, one at a time."""

    def __init__(self, n_classes: int) -> None:
        self._n_classes = n_classes
        self._parts: list[tuple[NDArray[np.uint16], FloatArray, NDArray[np.int32], NDArray[np.int32]]] = []
        self._rows: dict[bytes, int] = {}
        self._depth = 0

    def add(self, tree: Any, values: NDArray[np.float64], classes: IntArray | None) -> None:
        """Add a tree of scikit-learn, in which the left child follows its parent.

        `values` are those of its nodes: shares of tags, or weights of the classes that `classes` numbers.
        """
        leaf = tree.children_left < 0
        places = np.arange(tree.node_count)
        assert (tree.children_left[~leaf] == places[~leaf] + 1).all()
        # Images are float32 and thresholds float64: the next float32 below decides every image alike.
        threshold = tree.threshold.astype(np.float32)
        high = threshold.astype(np.float64) > tree.threshold
        threshold[high] = np.nextafter(threshold[high], np.float32(-np.inf))
        threshold[leaf] = np.finfo(np.float32).min
        feature = np.where(leaf, 0, tree.feature).astype(np.uint16)
        offset = np.where(leaf, 0, tree.children_right - places).astype(np.int32)
        row = np.zeros(tree.node_count, dtype=np.int32)
        row[leaf] = self._rows_of(values[leaf], classes)
        self._parts.append((feature, threshold, offset, row))
        self._depth = max(self._depth, tree.max_depth)

    def _rows_of(self, values: NDArray[np.float64], classes: IntArray | None) -> list[int]:
        shares = values.astype(np.float32)
        if classes is not None:
            shares = np.zeros((len(values), self._n_classes), dtype=np.float32)
            shares[:, classes] = values / values.sum(1, keepdims=True)
        return [self._rows.setdefault(share.tobytes(), len(self._rows)) for share in shares]

    def forest(self, known: NDArray[np.bool_]) -> Forest:
        """Everything added so far."""
        feature, threshold, offset, row = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        ends = np.cumsum([len(part[0]) for part in self._parts])
        table = np.frombuffer(b"".join(self._rows), np.float32).reshape(-1, self._n_classes)
        return Forest(
            roots=np.r_[0, ends[:-1]].astype(np.int32),
            feature=feature,
            threshold=threshold,
            offset=offset,
            row=row.astype(np.uint16) if len(table) <= 65_536 else row,
            distributions=table,
            depth=self._depth,
            known=known,
        )
