"""From out-of-fold scores of tags to everything that a model of tags promises.

scores, tags → a logistic curve for each tag, thresholds for the best F1, that of sets that miss few tags

The scores must be *out-of-fold*, as for single labels (:mod:`fieldguide.heads.promises`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from fieldguide.heads import calibration
from fieldguide.heads.promises import COVERAGE, FEWEST_FOR_UNKNOWN
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators

FloatArray = NDArray[np.float64]
Scores = NDArray[np.float32] | NDArray[np.float64]

FLATTEST = 1e-3
"""Least slope of a logistic curve on standardised scores: no tag is turned into its opposite."""
STEPS = 50
"""Steps of Newton's method at most."""
_AT_ONCE = 4_000_000
"""Numbers of a block of tags that are fitted together."""


GIVEN, SET = "tags given: ", "set: "
"""How the sentences begin that say from which probabilities on tags are given, and are in the set."""


@dataclass(frozen=True)
class LogisticCurves:
    """How the scores of each tag become its probability: sigmoid(slope · score + intercept)."""

    slopes: FloatArray
    """Of shape (n_tags,), each more than 0."""
    intercepts: FloatArray
    """Of shape (n_tags,)."""

    def probabilities(self, scores: Scores) -> FloatArray:
        """Of the same shape as the scores."""
        return np.asarray(expit(scores * self.slopes + self.intercepts), dtype=np.float64)


@dataclass(frozen=True)
class TagPromises:
    """What held-out images say of a model's answers to new ones."""

    probabilities: FloatArray
    """Calibrated, of shape (n_held, n_tags)."""
    typicality: FloatArray
    """Of shape (n_held,): of each image among all held out."""
    thresholds: FloatArray
    """Of shape (n_tags,): a tag of at least this probability is given."""
    set_threshold: float
    """Tags at least this probable, and those given, are in the set that holds nearly all true ones."""
    curves: LogisticCurves
    """How scores become probabilities."""
    chosen: int
    """Which of the trials was taken."""
    losses: tuple[float, ...]
    """Mean log loss of each trial over images and tags, once calibrated."""
    unseen: int = 0
    """Tags that no held-out image has, whose curve and threshold are those of all tags together."""

    def summary(self) -> tuple[str, ...]:
        """Sentences on calibration, thresholds and, with fewer than 100 held-out images, on `unknown`."""
        sentences = [
            "probabilities: a logistic curve for each tag, which makes the out-of-fold tags most probable",
            f"{GIVEN}{span_of(self.thresholds)}, for the best F1",
            set_summary(self.set_threshold),
        ]
        if self.unseen:
            tags = "1 tag is" if self.unseen == 1 else f"{self.unseen} tags are"
            sentences.append(
                f"{tags} on no photo held out: curve and threshold are those of all tags together"
            )
        if len(self.typicality) < FEWEST_FOR_UNKNOWN:
            sentences.append(
                f"unknown: never said by this model, since {len(self.typicality)} images cannot show a false-"
                "alarm rate of 1 % (100 can); its typicality still ranks images"
            )
        return tuple(sentences)


def span_of(thresholds: FloatArray) -> str:
    """From which probabilities on tags are given, for a sentence.

    Examples
    --------
    >>> span_of(np.array([0.104, 0.5])), span_of(np.array([0.521, 0.519]))
    ('from probabilities of 0.10 to 0.50 on, by tag', 'from a probability of 0.52 on')
    """
    low, high = f"{thresholds.min():.2f}", f"{thresholds.max():.2f}"
    return (
        f"from a probability of {low} on"
        if low == high
        else f"from probabilities of {low} to {high} on, by tag"
    )


def set_summary(threshold: float) -> str:
    """A sentence on the set.

    Examples
    --------
    >>> set_summary(1.0)
    'set: just the tags given, which hold 95% of the true ones on average'
    """
    if threshold >= 1:
        return f"{SET}just the tags given, which hold {COVERAGE:.0%} of the true ones on average"
    if threshold <= 0:
        return f"{SET}every tag, since too few photos show which may be left out"
    return (
        f"{SET}the tags given and those from a probability of {threshold:.2g} on; {COVERAGE:.0%} of the true "
        "ones on average"
    )


def promise_tags(trials: Sequence[Scores] | Scores, tags: Indicators, distances: FloatArray) -> TagPromises:
    """Choose among models by their calibrated log loss, and derive the promises of the best.

    Parameters
    ----------
    trials
        Out-of-fold scores of one model or of several, of shape (n_trials, n_held, n_tags).
    tags
        Of shape (n_held, n_tags).
    distances
        Out-of-fold distances from what was learned, of shape (n_held,); larger is less familiar.

    Examples
    --------
    >>> tags = (np.arange(80).reshape(40, 2) // 3 % 2).astype(np.int8)
    >>> telling, guessing = tags * 4.0, np.zeros((40, 2))
    >>> promises = promise_tags([guessing, telling], tags, distances=np.arange(40.0))
    >>> promises.chosen, bool(((promises.probabilities >= promises.thresholds) == tags).all())
    (1, True)
    """
    fitted = [_with_common_curve(fit_curves(scores, tags), scores, tags) for scores in trials]
    losses = [
        log_loss(curves.probabilities(scores), tags) for curves, scores in zip(fitted, trials, strict=True)
    ]
    chosen = int(np.argmin(losses))
    probabilities = fitted[chosen].probabilities(trials[chosen])
    thresholds = _with_common_threshold(best_f1_thresholds(probabilities, tags), probabilities, tags)
    return TagPromises(
        probabilities=probabilities,
        typicality=calibration.own_typicality(distances),
        thresholds=thresholds,
        set_threshold=missed_share_threshold(probabilities, tags, thresholds, 1 - COVERAGE),
        curves=fitted[chosen],
        chosen=chosen,
        losses=tuple(losses),
        unseen=int(_unseen(tags).sum()),
    )


def _unseen(tags: Indicators) -> NDArray[np.bool_]:
    """Tags that no image has; none where nothing could stand in for them, since no image has any."""
    lacking = ~(tags == PRESENT).any(0)
    return np.asarray(lacking & ~lacking.all())


def _with_common_curve(curves: LogisticCurves, scores: Scores, tags: Indicators) -> LogisticCurves:
    """Tags that no held-out image has get the curve of all tags: their own would call none likely."""
    rare = _unseen(tags)
    if not rare.any():
        return curves
    common = fit_curves(scores.reshape(-1, 1), tags.reshape(-1, 1))
    return LogisticCurves(
        np.where(rare, common.slopes, curves.slopes), np.where(rare, common.intercepts, curves.intercepts)
    )


def _with_common_threshold(thresholds: FloatArray, probabilities: FloatArray, tags: Indicators) -> FloatArray:
    """Tags that no held-out image has are given from the threshold on that suits all tags together."""
    rare = _unseen(tags)
    if not rare.any():
        return thresholds
    (common,) = best_f1_thresholds(probabilities.reshape(-1, 1), tags.reshape(-1, 1))
    return np.where(rare, common, thresholds)


def log_loss(probabilities: FloatArray, tags: Indicators) -> float:
    """Mean negative log-probability of what is known of the tags, in nats."""
    total, count = 0.0, 0
    for column in range(tags.shape[1]):
        known = tags[:, column] != NOT_KNOWN
        shown = tags[known, column] == PRESENT
        own = np.where(shown, probabilities[known, column], 1 - probabilities[known, column])
        total -= float(np.log(np.maximum(own, 1e-12)).sum())
        count += int(known.sum())
    return total / max(count, 1)


def fit_curves(scores: Scores, tags: Indicators) -> LogisticCurves:
    """Fit a logistic curve to the scores of each tag.

    Platt's "Probabilistic outputs for support vector machines" (1999) with his smoothed targets: n images
    with a tag cannot show that it is never missed. Newton's method, for all tags at once.

    Parameters
    ----------
    scores
        Out-of-fold, of shape (n_images, n_tags).
    tags
        Of the same shape; what is not known counts neither way.

    Examples
    --------
    >>> shown = np.repeat([[0], [1]], 50, axis=0).astype(np.int8)
    >>> curves = fit_curves(shown * 2.0, shown)
    >>> curves.probabilities(np.array([[0.0], [2.0]])).round(2).ravel().tolist()
    [0.02, 0.98]
    """
    slopes, intercepts = np.empty(tags.shape[1]), np.empty(tags.shape[1])
    width = max(1, _AT_ONCE // max(len(tags), 1))
    for start in range(0, tags.shape[1], width):
        part = slice(start, start + width)
        slopes[part], intercepts[part] = _fitted(scores[:, part].astype(np.float64), tags[:, part])
    return LogisticCurves(slopes, intercepts)


def _fitted(scores: FloatArray, tags: Indicators) -> tuple[FloatArray, FloatArray]:
    mean, spread = scores.mean(0), np.maximum(scores.std(0), 1e-9)
    x = (scores - mean) / spread
    known, shown = (tags != NOT_KNOWN).astype(np.float64), tags == PRESENT
    with_tag, without = shown.sum(0), known.sum(0) - shown.sum(0)
    target = np.where(shown, (with_tag + 1) / (with_tag + 2), 1 / (without + 2))
    slope, intercept = np.ones(tags.shape[1]), np.log((with_tag + 1) / (without + 1))
    for _ in range(STEPS):
        probability = expit(slope * x + intercept)
        gap, weight = known * (probability - target), known * probability * (1 - probability)
        down = np.array([(gap * x).sum(0), gap.sum(0)])
        a, b, c = (weight * x * x).sum(0) + 1e-6, (weight * x).sum(0), weight.sum(0) + 1e-6
        step = np.array([c * down[0] - b * down[1], a * down[1] - b * down[0]]) / (a * c - b * b)
        step *= np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(0), 1e-12))  # far steps overshoot
        slope, intercept = np.maximum(slope - step[0], FLATTEST), intercept - step[1]
        if np.abs(step).max() < 1e-8:
            break
    return slope / spread, intercept - slope * mean / spread


def best_f1_thresholds(probabilities: FloatArray, tags: Indicators) -> FloatArray:
    """Find for each tag from which probability on giving it makes the best F1.

    Parameters
    ----------
    probabilities
        Out-of-fold, calibrated, of shape (n_images, n_tags).
    tags
        Of the same shape.

    Returns
    -------
    ndarray of shape (n_tags,)
        Half-way between two images; 1 for a tag that no image has.

    Examples
    --------
    >>> probabilities = np.array([[0.9], [0.6], [0.3], [0.1]])
    >>> best_f1_thresholds(probabilities, np.array([[1], [1], [0], [0]], np.int8)).round(2).tolist()
    [0.45]
    """
    return np.array([_best_f1(probabilities[:, tag], tags[:, tag]) for tag in range(tags.shape[1])])


def _best_f1(probabilities: FloatArray, tags: NDArray[np.int8]) -> float:
    known = tags != NOT_KNOWN
    order = np.argsort(-probabilities[known], kind="stable")
    ranked, shown = probabilities[known][order], tags[known][order] == PRESENT
    if not shown.any():
        return 1.0
    f1 = 2 * np.cumsum(shown) / (np.arange(1, len(ranked) + 1) + shown.sum())
    f1[:-1][ranked[:-1] == ranked[1:]] = 0  # equal probabilities are given together
    last = int(f1.argmax())
    below = ranked[last + 1] if last + 1 < len(ranked) else 0.0
    return float((ranked[last] + below) / 2)


def missed_share_threshold(
    probabilities: FloatArray, tags: Indicators, thresholds: FloatArray, most_missed: float
) -> float:
    """Find how probable a tag must be to be in the set, so that sets miss at most a share of the true tags.

    Conformal risk control of the false-negative share (Angelopoulos, Bates, Fisch, Lei and Schuster,
    "Conformal Risk Control", ICLR 2024): over new images that have tags, the mean share of an image's tags
    outside of its set is at most `most_missed`. Images without tags have nothing to miss and are not counted.

    Parameters
    ----------
    probabilities
        Out-of-fold, of shape (n_images, n_tags).
    tags
        Of the same shape.
    thresholds
        Tags at least this probable are in the set anyway, since they are given; of shape (n_tags,).
    most_missed
        More than 0, less than 1.

    Returns
    -------
    float
        In [0, 1]; 0, which puts every tag in the set, where there are too few images for the promise; 1 where
        the tags given miss no more than that by themselves.

    Examples
    --------
    >>> tags, nothing_given = np.ones((99, 1), np.int8), np.array([1.0])
    >>> probabilities = np.linspace(0.01, 0.99, 99)[:, None]
    >>> round(missed_share_threshold(probabilities, tags, nothing_given, most_missed=0.05), 2)
    0.05
    """
    shown = tags == PRESENT
    budget = most_missed * (int(shown.any(1).sum()) + 1) - 1
    if budget < 0:
        return 0.0
    missable = shown & (probabilities < thresholds)
    weights = (missable / np.maximum(shown.sum(1, keepdims=True), 1))[missable]
    order = np.argsort(probabilities[missable], kind="stable")
    if weights.sum() <= budget:
        return 1.0
    missed_before = np.cumsum(weights[order]) - weights[order]
    fitting = np.flatnonzero(missed_before <= budget + 1e-9)
    return float(probabilities[missable][order][fitting[-1]])
