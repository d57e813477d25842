"""Ridge regression on the indicators of tags: a linear head for each, all from one factorisation.

Least squares on an indicator finds the direction of the two-class linear discriminant (Fisher 1936; Bishop,
"Pattern Recognition and Machine Learning", 4.1.5), so this is for tags what :mod:`fieldguide.heads.lda` is
for classes. The covariance is shrunk in the same way. Scores become probabilities by a logistic curve for
each tag (:mod:`fieldguide.heads.tag_promises`).

Two forms of the same algebra, as for single labels: with fewer images than features the matrix of inner
products, with more the scatter matrices of the folds, for which the images pass by in blocks.

An entry that is not known must pull in no direction: it is set to what the model itself answers, again and
again until that no longer changes (expectation-maximisation for a missing response, Dempster, Laird and Rubin
1977); then it adds nothing to the error. Only tags with such entries take part in that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from fieldguide.heads.blas import side_by_side
from fieldguide.heads.lda import MOST_BY_PRODUCTS
from fieldguide.heads.scatter import fold_sums, whole
from fieldguide.heads.training_table import BLOCK, FloatArray, IntArray, TrainingTable
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators

MOST_ROUNDS = 30
"""Times that entries which are not known are set anew."""
SETTLED = 1e-3
"""Change of such an entry, on the scale where a tag is 0 or 1, that is no longer worth a round."""
_TINY = 1e-6


@dataclass(frozen=True)
class TagTable:
    """Features with tags and folds."""

    table: TrainingTable
    """Features and folds; its class numbers are not looked at."""
    indicators: Indicators
    """Of shape (n_images, n_tags)."""

    @property
    def folds(self) -> IntArray:
        """Fold of each image, of shape (n_images,)."""
        return self.table.folds

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each tag among the images of which it is known, of shape (n_tags,)."""
        known = (self.indicators != NOT_KNOWN).sum(0)
        return np.asarray((self.indicators == PRESENT).sum(0) / np.maximum(known, 1))


@dataclass(frozen=True)
class Solution:
    """Linear heads on standardised features."""

    weights: FloatArray
    """Of shape (n_features, n_tags)."""
    bias: FloatArray
    """Of shape (n_tags,)."""

    def answers(self, rows: FloatArray) -> FloatArray:
        """Scores of images, of shape (n_images, n_tags)."""
        return np.asarray(rows @ self.weights + self.bias, dtype=np.float32)


def out_of_fold(tags: TagTable, shrinkages: Sequence[float], rows: IntArray) -> FloatArray:
    """Score some images by heads that learned without their fold.

    Parameters
    ----------
    tags
        Features, tags and folds.
    shrinkages
        Each more than 0 and less than 1.
    rows
        Which images.

    Returns
    -------
    ndarray of shape (n_shrinkages, n_rows, n_tags), float32
        Near 0 where a tag is likely absent, near 1 where it is likely present.

    Examples
    --------
    >>> shown = np.arange(24).reshape(-1, 1) % 2
    >>> vectors = (shown + 0.1 * np.sin(np.arange(72).reshape(24, 3))).astype(np.float32)
    >>> table = TrainingTable.of(vectors, np.zeros(24, np.int64), np.arange(24) // 2 % 3)
    >>> scores = out_of_fold(TagTable(table, shown.astype(np.int8)), [0.5], np.arange(24))
    >>> bool(((scores[0] > 0.5) == shown).all())
    True
    """
    scores = np.empty((len(shrinkages), len(rows), tags.indicators.shape[1]), dtype=np.float32)
    problem = _problem(tags)

    def answer(fold: int) -> None:
        hold = np.flatnonzero(tags.folds[rows] == fold)
        for number, solution in enumerate(problem.solutions(fold, shrinkages)):
            for start in range(0, len(hold), BLOCK):
                block = hold[start : start + BLOCK]
                scores[number, block] = solution.answers(tags.table.rows(rows[block]))

    for _ in side_by_side(answer, np.unique(tags.folds[rows]).tolist(), problem.numbers):
        pass
    return scores


def fit(tags: TagTable, shrinkage: float) -> Solution:
    """Heads from all images."""
    (solution,) = _problem(tags).solutions(None, (shrinkage,))
    return solution


class _Problem(Protocol):
    """A table prepared for being solved without a fold."""

    numbers: int
    """How many float32 numbers a solution needs at its worst."""

    def solutions(self, without: int | None, shrinkages: Sequence[float]) -> Iterator[Solution]:
        """Heads from all images but those of a fold, one a shrinkage."""


def _problem(tags: TagTable) -> _Problem:
    if len(tags.folds) <= min(tags.table.n_features, MOST_BY_PRODUCTS):
        return _ByProducts(tags)
    return _ByScatter(tags)


def _completed(indicators: Indicators) -> FloatArray:
    """Tags as numbers; what is not known is the share of those that are."""
    known = indicators != NOT_KNOWN
    shares = (indicators == PRESENT).sum(0) / np.maximum(known.sum(0), 1)
    return np.asarray(np.where(known, indicators == PRESENT, shares.astype(np.float32)), dtype=np.float32)


class _ByProducts:
    """The form for fewer images than features: everything follows from the inner products of the images."""

    def __init__(self, tags: TagTable) -> None:
        self._tags = tags
        self._features = tags.table.rows(slice(None))
        self._products = self._features @ self._features.T
        self.numbers = 3 * self._products.size

    def solutions(self, without: int | None, shrinkages: Sequence[float]) -> Iterator[Solution]:
        """As :class:`_Problem` says."""
        learn = (
            np.flatnonzero(self._tags.folds != without)
            if without is not None
            else np.arange(len(self._features))
        )
        features, indicators = self._features[learn], self._tags.indicators[learn]
        mean = features.mean(0)
        products = self._products[np.ix_(learn, learn)]
        products = products - products.mean(0) - products.mean(1)[:, None] + products.mean()
        average = float(np.trace(products)) / len(learn) / self._tags.table.n_features
        for shrinkage in shrinkages:
            system = products.copy()
            system[np.diag_indices_from(system)] += np.float32(_ridge(average, shrinkage) * len(learn))
            factor = scipy.linalg.cho_factor(system, overwrite_a=True, check_finite=False)
            solve = partial(self._solved, factor, features - mean, mean)
            yield _settled(indicators, solve, lambda solution: solution.answers(features))

    @staticmethod
    def _solved(factor: Any, centred: FloatArray, mean: FloatArray, targets: FloatArray) -> Solution:
        means = targets.mean(0)
        coefficients = scipy.linalg.cho_solve(factor, targets - means, check_finite=False)
        weights = centred.T @ coefficients.astype(np.float32)
        return Solution(weights, means - mean @ weights)


class _ByScatter:
    """The form for many images: the covariance follows from :func:`fieldguide.heads.scatter.fold_sums`."""

    def __init__(self, tags: TagTable) -> None:
        self._tags = tags
        self._sums = fold_sums(tags.table)
        self._names = self._sums.names.tolist()
        self.numbers = 3 * tags.table.n_features**2

    def solutions(self, without: int | None, shrinkages: Sequence[float]) -> Iterator[Solution]:
        """As :class:`_Problem` says."""
        used = [number for number, name in enumerate(self._names) if name != without]
        learn = np.flatnonzero(np.isin(self._tags.folds, [self._names[number] for number in used]))
        mean = (self._sums.sums[used].sum((0, 1)) / len(learn)).astype(np.float32)
        covariance = whole([self._sums.scatters[number] for number in used])
        covariance /= np.float32(len(learn))
        covariance -= np.outer(mean, mean)
        average = float(np.trace(covariance)) / len(mean)
        indicators = self._tags.indicators[learn]
        for shrinkage in shrinkages:
            system = covariance.copy()
            system[np.diag_indices_from(system)] += np.float32(_ridge(average, shrinkage))
            factor = scipy.linalg.cho_factor(system.T, overwrite_a=True, check_finite=False)
            solve = partial(self._solved, factor, learn, mean)
            yield _settled(indicators, solve, partial(self._answers, learn))

    def _solved(self, factor: Any, learn: IntArray, mean: FloatArray, targets: FloatArray) -> Solution:
        means = targets.mean(0)
        products = np.zeros((len(mean), targets.shape[1]), dtype=np.float32)
        for place in _blocks(np.arange(len(learn))):
            products += self._tags.table.rows(learn[place]).T @ (targets[place] - means)
        weights = scipy.linalg.cho_solve(factor, products / np.float32(len(learn)), check_finite=False)
        return Solution(weights.astype(np.float32), means - mean @ weights)

    def _answers(self, learn: IntArray, solution: Solution) -> FloatArray:
        return np.concatenate(
            [
                solution.answers(self._tags.table.rows(learn[place]))
                for place in _blocks(np.arange(len(learn)))
            ]
        )


def _ridge(average: float, shrinkage: float) -> float:
    """What is added to the covariance's diagonal, so that it makes up that share of the sum."""
    return max(average * shrinkage, _TINY) / (1 - shrinkage)


def _blocks(rows: IntArray) -> Iterator[IntArray]:
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))


def _settled(
    indicators: Indicators,
    solve: Callable[[FloatArray], Solution],
    answers: Callable[[Solution], FloatArray],
) -> Solution:
    """Heads of all tags; what is not known is filled in until it agrees with the heads."""
    targets = _completed(indicators)
    solution = solve(targets)
    not_known = indicators == NOT_KNOWN
    columns = np.flatnonzero(not_known.any(0))
    if not len(columns):
        return solution
    holes, filled = not_known[:, columns], targets[:, columns]
    for _ in range(MOST_ROUNDS):
        part = solve(filled)
        values = answers(part)[holes]
        change = float(np.abs(values - filled[holes]).max())
        filled[holes] = values
        if change < SETTLED:
            break
    part = solve(filled)
    solution.weights[:, columns], solution.bias[columns] = part.weights, part.bias
    return solution
