"""Which of several trials is taken, or which pool of a few, and what may be expected of it on new photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.selection_bias import Corrected, corrected
from fieldguide.recipes.auto import weights as pools
from fieldguide.recipes.auto.trial import (
    FittedCandidate,
    FloatArray,
    HeldOutAnswers,
    IntArray,
    evidence_of,
    losses_of,
)

FOLDS = 5
"""Parts of the images; a pool is judged on each by weights that were chosen without it."""
REFIT = 0.05
"""Share by which the first trial's log loss falls once it also learns from images held out for a network that
cannot: as in fine-tuning (recipes/finetune/interpolation.py)."""


@dataclass(frozen=True)
class ModelPool:
    """Several trials that answer together."""

    kind: pools.Kind
    members: tuple[int, ...]
    """Trials of a weight above 0, by number."""
    weights: tuple[float, ...]
    """Of these."""
    rows: IntArray
    """Images that none of the members had seen."""
    labels: IntArray
    """Their true class numbers."""
    scores: FloatArray
    """Log-probabilities of these images by weights chosen without their fold, (n_rows, n_classes)."""


@dataclass(frozen=True)
class PoolChoice:
    """What is taken."""

    trial: int
    """By number; of a pool the first member."""
    pool: ModelPool | None
    """None where a single trial is best."""
    sentence: str
    """What was compared, and what may be expected."""
    involved: tuple[int, ...]
    """Trials that what is taken consists of."""


def choose(trials: Sequence[FittedCandidate], groups: Sequence[str] | None, seed: int) -> PoolChoice:
    """Take the trial or pool of the lowest log loss on images that none of the trials had seen.

    The first trial stays unless another is better by more than the luck of choosing; a pool must beat the
    best single one by more than a standard error, since its answers cost more.

    Parameters
    ----------
    trials
        At least one; the first is the one to be beaten.
    groups
        Group of each image of the data set; images of one group are redrawn together.
    seed
        Of folds and redrawing.
    """
    choice = _chosen(list(trials), groups, seed)
    if all(trials[number].whole for number in choice.involved):
        whole = [number for number, trial in enumerate(trials) if trial.whole]
        if len(whole) < len(trials):  # more images can be asked where nothing rests on those held out
            again = _chosen([trials[number] for number in whole], groups, seed)
            return _renumbered(again, whole)
    return choice


def _renumbered(choice: PoolChoice, numbers: list[int]) -> PoolChoice:
    pool = choice.pool
    if pool is not None:
        members = tuple(numbers[member] for member in pool.members)
        pool = ModelPool(pool.kind, members, pool.weights, pool.rows, pool.labels, pool.scores)
    involved = tuple(numbers[member] for member in choice.involved)
    return PoolChoice(numbers[choice.trial], pool, choice.sentence, involved)


def _chosen(trials: list[FittedCandidate], groups: Sequence[str] | None, seed: int) -> PoolChoice:
    evidence = evidence_of(trials)
    if len(trials) == 1:
        return PoolChoice(0, None, f"{trials[0].name}: {_reached(evidence, 0)}", (0,))
    numbers = _groups(evidence.rows, groups)
    found = _pools(trials, evidence, numbers, seed)
    losses = np.concatenate([evidence.losses, *(losses_of(np.exp(p.scores), p.labels)[None] for p in found)])
    answers = [p.scores.argmax(1) == p.labels for p in found]
    right = np.concatenate([evidence.right, *(answer[None] for answer in answers)])
    best = _best(losses, len(trials))
    expected = corrected(losses, right, losses, numbers, seed) if len(np.unique(numbers)) > 1 else None
    if best and not _pays(trials, found, losses, best, expected):
        best = 0
    sentence = _sentence(trials, found, _Reached(losses, right, evidence.noun), best, expected)
    if best < len(trials):
        return PoolChoice(best, None, sentence, (best,))
    pool = found[best - len(trials)]
    return PoolChoice(pool.members[0], pool, sentence, pool.members)


def _groups(rows: IntArray, groups: Sequence[str] | None) -> IntArray:
    if groups is None:
        return np.arange(len(rows))
    return np.unique([groups[row] for row in rows], return_inverse=True)[1].astype(np.int64)


def _pools(
    trials: list[FittedCandidate], evidence: HeldOutAnswers, groups: IntArray, seed: int
) -> list[ModelPool]:
    """A pool of each kind of those that see the same square of pixels; those of one member are left out.

    Of tags there are none: the file of a pool has one softmax over its classes.
    """
    if evidence.given is not None:
        return []
    labels = np.asarray(evidence.labels, dtype=np.int64)
    together = _poolable(trials)
    parts = np.random.default_rng(seed).permutation(int(groups.max()) + 1)[groups] % FOLDS
    if len(together) < 2 or len(np.unique(parts)) < FOLDS:
        return []
    table, found = evidence.probabilities[together], []
    for kind in pools.KINDS:
        weights = pools.chosen(table, labels, kind, seed)
        if np.count_nonzero(weights) > 1:
            scores = pools.cross_fitted(table, labels, parts, kind, seed)
            taken = np.flatnonzero(weights)
            members = tuple(together[place] for place in taken)
            shares = tuple(weights[taken].tolist())
            found.append(ModelPool(kind, members, shares, evidence.rows, labels, scores))
    return found


def _poolable(trials: list[FittedCandidate]) -> list[int]:
    """Trials of the input size of the best whole one, which can share one square in one file.

    Networks that learned stand alone: their own size differs, and they answered the square of that size.
    """
    whole = [number for number, trial in enumerate(trials) if trial.whole]
    losses = evidence_of([trials[number] for number in whole]).losses.mean(1)
    square = trials[whole[int(losses.argmin())]].square
    return [number for number in whole if trials[number].square == square]


def _best(losses: FloatArray, singles: int) -> int:
    """The lowest loss; a pool must beat the best single one by a standard error of the difference."""
    means = losses.mean(1)
    single, lowest = int(means[:singles].argmin()), int(means.argmin())
    gain = losses[single] - losses[lowest]
    error = float(gain.std(ddof=1) / len(gain) ** 0.5) if len(gain) > 1 else np.inf
    return lowest if lowest < singles or float(gain.mean()) > error else single


def _pays(
    trials: list[FittedCandidate],
    found: list[ModelPool],
    losses: FloatArray,
    best: int,
    expected: Corrected | None,
) -> bool:
    """Whether the gain over the first trial outlasts the luck of choosing."""
    members = (best,) if best < len(trials) else found[best - len(trials)].members
    needed = 0.0 if all(trials[member].whole for member in members) else REFIT * float(losses[0].mean())
    return expected is not None and expected.gain.value > needed


def _reached(evidence: HeldOutAnswers, number: int) -> str:
    right, loss = evidence.right[number], float(evidence.losses[number].mean())
    count = f"{evidence.noun}{int(right.sum())}"
    return f"{count} of {len(right)} images that it had not seen right, log loss {loss:.3f}"


@dataclass(frozen=True)
class _Reached:
    """What was compared; arrays of shape (n_trials, n_images)."""

    losses: FloatArray
    right: NDArray[np.bool_]
    noun: str


def _sentence(
    trials: list[FittedCandidate],
    found: list[ModelPool],
    reached: _Reached,
    best: int,
    expected: Corrected | None,
) -> str:
    losses, right = reached.losses, reached.right
    names = [trial.name for trial in trials] + [f"{pool.kind} pool" for pool in found]
    tried = "; ".join(
        f"{name} {reached.noun}{int(row.sum())} right, log loss {float(loss.mean()):.3f}"
        for name, row, loss in zip(names, right, losses, strict=True)
    )
    text = f"taken: {_taken(trials, found, best)}: of {right.shape[1]} images not seen: {tried}"
    if expected is None or best == 0:
        return f"{text}; nothing else is better by more than the luck of choosing"
    share = "an accuracy" if not reached.noun else "a share of photos with all tags right"
    return (
        f"{text}; chosen among {len(names)}, so on new photos {share} of {expected.accuracy.value:.3f} "
        f"and a log loss of {expected.log_loss.value:.3f} may be expected, {expected.gain.value:.3f} lower "
        "than that of the first"
    )


def _taken(trials: list[FittedCandidate], found: list[ModelPool], best: int) -> str:
    if best < len(trials):
        return trials[best].name
    pool = found[best - len(trials)]
    parts = zip(pool.members, pool.weights, strict=True)
    return f"{pool.kind} pool of " + ", ".join(
        f"{trials[member].name} ({share:g})" for member, share in parts
    )
