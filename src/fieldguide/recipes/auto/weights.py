"""Weights of a pool of models, from their answers to images that they had not seen.

Greedy selection with replacement: the model whose answers lower the pool's log loss most is taken, again and
again, and its weight is the share of the rounds in which it was (Caruana, Niculescu-Mizil, Crew and Ksikes,
"Ensemble Selection from Libraries of Models", ICML 2004). So weights are convex, most of them 0.

A pool is linear, the weighted mean of probabilities, or logarithmic, the weighted mean of their logarithms
(Genest and Zidek, "Combining Probability Distributions", Statistical Science 1986).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Kind = Literal["linear", "logarithmic"]
KINDS: tuple[Kind, ...] = ("linear", "logarithmic")

ROUNDS = 16
"""Of the selection: weights are multiples of a sixteenth."""
MOST_MEMBERS = 3
"""Models of a pool: each costs its own share of an answer's time."""
MOST_ANSWERS = 2_000_000
"""Probabilities of a model that weights are chosen by; more would take longer and change little."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def pooled(probabilities: FloatArray, weights: FloatArray, kind: Kind) -> FloatArray:
    """The pool's log-probabilities, of shape (n_images, n_classes).

    Parameters
    ----------
    probabilities
        Of shape (n_models, n_images, n_classes), each more than 0.
    weights
        Of shape (n_models,), 0 or more, with a sum of 1.
    kind
        Whether probabilities are averaged, or their logarithms.

    Examples
    --------
    >>> sure, unsure = np.array([[0.98, 0.02]]), np.array([[0.5, 0.5]])
    >>> even = np.array([0.5, 0.5])
    >>> np.exp(pooled(np.stack([sure, unsure]), even, "linear")).round(2).tolist()
    [[0.74, 0.26]]
    >>> np.exp(pooled(np.stack([sure, unsure]), even, "logarithmic")).round(3).tolist()
    [[0.875, 0.125]]
    """
    return _normalised(np.tensordot(weights, _terms(probabilities, kind), axes=1), kind)


def chosen(probabilities: FloatArray, labels: IntArray, kind: Kind, seed: int) -> FloatArray:
    """Choose the weights of a pool.

    Parameters
    ----------
    probabilities
        Of images that the models had not seen, of shape (n_models, n_images, n_classes), each more than 0.
    labels
        True class numbers, of shape (n_images,).
    kind
        Of the pool.
    seed
        Draws the images where there are very many.

    Returns
    -------
    ndarray of shape (n_models,)
        0 or more, with a sum of 1; at most :data:`MOST_MEMBERS` are more than 0.

    Examples
    --------
    >>> labels = np.array([0, 1] * 50)
    >>> telling, guessing = np.eye(2)[labels] * 0.8 + 0.1, np.full((100, 2), 0.5)
    >>> chosen(np.stack([guessing, telling]), labels, "linear", seed=0).tolist()
    [0.0, 1.0]
    """
    rows = _sample(len(labels), MOST_ANSWERS // probabilities.shape[2], seed)
    terms, truth = _terms(probabilities[:, rows], kind), labels[rows]
    counts = np.zeros(len(terms), dtype=np.int64)
    total = np.zeros(terms.shape[1:])
    for done in range(ROUNDS):
        full = np.count_nonzero(counts) >= MOST_MEMBERS
        open_to = [model for model in range(len(terms)) if counts[model] or not full]
        losses = [_loss((total + terms[model]) / (done + 1), truth, kind) for model in open_to]
        best = open_to[int(np.argmin(losses))]
        counts[best] += 1
        total += terms[best]
    return np.asarray(counts / ROUNDS)


def cross_fitted(
    probabilities: FloatArray, labels: IntArray, folds: IntArray, kind: Kind, seed: int
) -> FloatArray:
    """The pool's log-probabilities of each image, by weights that were chosen without its fold.

    Parameters
    ----------
    folds
        Number of each image's fold, of shape (n_images,); two or more different ones.
    """
    answers = np.empty(probabilities.shape[1:])
    for fold in np.unique(folds):
        held = folds == fold
        weights = chosen(probabilities[:, ~held], labels[~held], kind, seed)
        answers[held] = pooled(probabilities[:, held], weights, kind)
    return answers


def _terms(probabilities: FloatArray, kind: Kind) -> FloatArray:
    return probabilities if kind == "linear" else np.log(probabilities)


def _normalised(mean: FloatArray, kind: Kind) -> FloatArray:
    """Log-probabilities from the weighted mean of terms."""
    if kind == "linear":
        return np.asarray(np.log(mean / mean.sum(1, keepdims=True)))
    return np.asarray(mean - logsumexp(mean, axis=1, keepdims=True))


def _loss(mean: FloatArray, labels: IntArray, kind: Kind) -> float:
    rows = np.arange(len(labels))
    if kind == "linear":
        return -float(np.log(mean[rows, labels] / mean.sum(1)).mean())
    return float((logsumexp(mean, axis=1) - mean[rows, labels]).mean())


def _sample(count: int, most: int, seed: int) -> IntArray:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
