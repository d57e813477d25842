"""A classifier from the words for its classes: images are compared with texts by the angle between vectors.

Radford et al., "Learning transferable visual models from natural language supervision" (ICML 2021). Where
some photos have labels, a linear classifier of these photos is added by a share that held-out photos choose,
the idea of Zhang et al., "Tip-Adapter: training-free adaption of CLIP" (ECCV 2022), with the discriminant of
`linear-probe` in place of their cache of photos.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnx.compose
from numpy.typing import NDArray

from fieldguide.heads import calibration
from fieldguide.heads.lda import discriminant
from fieldguide.heads.onnx_heads import parsed
from fieldguide.heads.training_table import TrainingTable

FloatArray = NDArray[np.float64]

SCALE = 100.0
"""Of cosines, where no photo says otherwise: what CLIP was trained to, and near SigLIP's 113 to 117."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the photos' own classifier in the pool with the texts'."""
SHRINKAGE = 0.8
LEAST_LENGTH = 1e-12

_BODY = """
    taken = Slice (features, start, end, last_axis)
    squares = Mul (taken, taken)
    norm = ReduceSum <keepdims: int = 1> (squares, last_axis)
    kept = Max (norm, least)
    length = Sqrt (kept)
    unit = Div (taken, length)
    scores = Gemm (unit, weights, bias)"""


@dataclass(frozen=True)
class CosineClassifier:
    """Scores that are linear in the direction of some of the features."""

    columns: slice
    """Which features."""
    weights: FloatArray
    """Of shape (n_columns, n_classes)."""
    bias: FloatArray
    """Of shape (n_classes,)."""

    def scores(self, features: NDArray[np.float32] | NDArray[np.float16]) -> FloatArray:
        """Of shape (n_images, n_classes)."""
        return units(features, self.columns) @ self.weights + self.bias


def of_texts(texts: FloatArray, columns: slice) -> CosineClassifier:
    """The classifier of texts alone.

    Parameters
    ----------
    texts
        A vector of length 1 a class, of shape (n_classes, n_columns).
    columns
        Features in one space with them.
    """
    return CosineClassifier(columns, SCALE * texts.T, np.zeros(len(texts)))


def units(features: NDArray[np.float32] | NDArray[np.float16], columns: slice) -> FloatArray:
    """Some of the features as directions: rows of length 1.

    Examples
    --------
    >>> units(np.array([[9.0, 3.0, 4.0]], dtype=np.float32), slice(1, 3)).tolist()
    [[0.6, 0.8]]
    """
    taken = np.asarray(features[:, columns], dtype=np.float64)
    return np.asarray(taken / np.sqrt(np.maximum((taken**2).sum(1, keepdims=True), LEAST_LENGTH)))


@dataclass(frozen=True)
class Pools:
    """Classifiers of texts and photos in several shares, and their answers to photos held out."""

    classifiers: tuple[CosineClassifier, ...]
    """From texts alone to photos alone."""
    scores: tuple[FloatArray, ...]
    """Of each, out of fold, of shape (n_images, n_classes)."""


def pooled(
    texts: CosineClassifier,
    features: NDArray[np.float32] | NDArray[np.float16],
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
) -> Pools:
    """Pool the texts' classifier with one that learns from labelled photos.

    Parameters
    ----------
    texts
        From :func:`of_texts`.
    features
        Of shape (n_images, n_features).
    labels
        Class numbers, each class at least once, of shape (n_images,).
    folds
        Of shape (n_images,). Where a class lies in one fold only, texts alone are left.
    """
    table = TrainingTable.of(units(features, texts.columns).astype(np.float32), labels, folds)
    problem = discriminant(table)
    rows = np.arange(len(labels))
    by_photos = problem.out_of_fold((SHRINKAGE,), rows)[0].astype(np.float64)
    by_texts = texts.scores(features)
    if not np.isfinite(by_photos).all():  # a class whose photos all share a fold
        return Pools((texts,), (by_texts,))
    even = np.zeros(len(texts.bias))
    factors = [1 / calibration.fit_temperature(scores, labels, even) for scores in (by_texts, by_photos)]
    weights, bias = problem.fit(SHRINKAGE)
    photos = weights.astype(np.float64) / table.scale[:, None].astype(np.float64)
    offset = bias.astype(np.float64) - table.mean.astype(np.float64) @ photos
    classifiers, scores = [], []
    for share in SHARES:
        of_text, of_photos = (1 - share) * factors[0], share * factors[1]
        classifiers.append(
            CosineClassifier(texts.columns, of_text * texts.weights + of_photos * photos, of_photos * offset)
        )
        scores.append(of_text * by_texts + of_photos * by_photos)
    return Pools(tuple(classifiers), tuple(scores))


def cosine_model(classifier: CosineClassifier, features: int) -> onnx.ModelProto:
    """Build the model from `features` to `scores` and `features_seen`.

    Parameters
    ----------
    classifier
        What it computes.
    features
        Width of what comes in.
    """
    start, end, _ = classifier.columns.indices(features)
    constants: dict[str, NDArray[Any]] = {
        "start": np.array([start], dtype=np.int64),
        "end": np.array([end], dtype=np.int64),
        "last_axis": np.array([1], dtype=np.int64),
        "least": np.array(LEAST_LENGTH, dtype=np.float32),
        "weights": classifier.weights.astype(np.float32),
        "bias": classifier.bias.astype(np.float32),
    }
    return parsed(_BODY, constants, (features, len(classifier.bias)))


def without_promises(classifier: onnx.ModelProto, head: onnx.ModelProto) -> onnx.ModelProto:
    """Put a head from :func:`~fieldguide.modelfile.graph.pretrained_head_model` behind a classifier."""
    unique = onnx.compose.add_prefix(
        classifier, "classifier/", rename_inputs=False, rename_outputs=False, rename_nodes=True
    )
    names = [("scores", "logits"), ("features_seen", "features")]
    joined = onnx.compose.merge_models(unique, head, io_map=names)
    joined.graph.name = head.graph.name
    return joined
