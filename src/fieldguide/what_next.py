"""Which unlabelled photos to label next: those that the model is unsure of or has never seen the like of.

Each photo becomes the gradient that its label would give to the last layer if the model were right, as in
BADGE (Ash et al., "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds", ICLR 2020): the
outer product of how unsure the answer is and what the network saw. Its length is the uncertainty, its
direction what the photo is about. One column is added for what no class explains: how far typicality lies
below :data:`ODD`. From there photos are taken farthest first, each the one least like those taken before
(k-center greedy; Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set
Approach", ICLR 2018), where BADGE draws at random: the same photos give the same list, and no kind comes
twice while others wait.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.predict_inputs import Item
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from fieldguide.predictor import Seen

WIDTH = 256
"""Random directions that embeddings are projected on (Johnson and Lindenstrauss, 1984), 1 KB a photo."""
FIRST = 256
"""Photos by which the spread of each feature is estimated before the first is projected."""
ODD = 0.05
"""Typicality below which a photo counts as strange, the more the lower."""
UNSURE = 0.8
"""Probability of the most probable class below which the answer is called unsure."""
COUNT = 50
"""Photos listed where no number is given."""

Floats = NDArray[np.float32]


class AnyPredictor(Protocol):
    """What is needed of a model."""

    def seen_stream(self, sources: Iterable[Item], *, top: int = 5) -> "Generator[Seen]":
        """One answer a source with what stood behind it, in order."""


@dataclass(frozen=True)
class Suggestion:
    """A photo to label."""

    path: str
    label: str
    """The model's guess."""
    probability: float
    second: str
    """The next most probable class; empty for a model of one class."""
    margin: float
    """Lead of the first class over the second, 0 to 1."""
    typicality: float
    reason: str
    """Why this one, in a few words."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as a row of results."""
        return dict(vars(self))


@dataclass(frozen=True)
class Suggestions:
    """What to label next, the most useful first."""

    photos: tuple[Suggestion, ...]
    seen: int
    """Photos that could be read."""
    refused: tuple[Refusal, ...]


def what_next(
    model: AnyPredictor, items: Sequence[Item], *, count: int = COUNT, progress: Progress = silent
) -> Suggestions:
    """Choose photos to label.

    Parameters
    ----------
    model
        A loaded model file.
    items
        Paths, or refusals, as :func:`fieldguide.predict_inputs.find_inputs` lists them.
    count
        How many to choose, 1 or more; fewer where there are no more photos.
    progress
        Told of the stages ``looking`` and ``choosing``.

    Raises
    ------
    OptionError
        If `count` is not allowed.
    DataError
        If no photo can be read.
    """
    if count < 1:
        raise OptionError(f"count: must be 1 or more, got {count}; {COUNT} is usual")
    pool = _look(model, items, progress)
    if not pool.photos:
        first = f"; the first: {pool.refused[0].path}: {pool.refused[0].message}" if pool.refused else ""
        raise DataError(f"none of the {len(items)} photos could be read{first}; give readable photos")
    order, gaps = farthest_first(pool.doubts(), pool.directions(), count, progress)
    chosen = [pool.suggestion(place, gap) for place, gap in zip(order, gaps, strict=True)]
    return Suggestions(tuple(chosen), len(pool.photos), tuple(pool.refused))


def farthest_first(
    doubts: Floats, directions: Floats, count: int, progress: Progress = silent
) -> tuple[list[int], list[float]]:
    """Take photos one by one, each the farthest from all taken before, the first the farthest from none.

    Parameters
    ----------
    doubts
        What is unsure about each photo, of shape (n_photos, n_columns).
    directions
        Unit vectors of what it shows, of shape (n_photos, n_directions). The points are the outer products of
        both; they are never formed, since their inner products are products of inner products.
    count
        How many to take.

    Returns
    -------
    list of int, list of float
        Positions in the order taken, and the distance each had then.
    """
    norms = (doubts**2).sum(1) * (directions**2).sum(1)
    nearest = norms.copy()
    order: list[int] = []
    gaps: list[float] = []
    for done in range(min(count, len(doubts))):
        place = int(nearest.argmax())
        order.append(place)
        gaps.append(float(max(nearest[place], 0.0)) ** 0.5)
        products = (doubts @ doubts[place]) * (directions @ directions[place])
        nearest = np.minimum(nearest, norms + norms[place] - 2 * products)
        nearest[order] = -1.0
        progress("choosing", done + 1, min(count, len(doubts)))
    return order, gaps


@dataclass
class _Pool:
    """What is kept of each photo."""

    photos: list[tuple[str, str, str]]
    """Path, first and second class."""
    numbers: list[tuple[float, float, float]]
    """Probability of the first, margin, typicality."""
    residuals: list[Floats]
    """Probabilities less one for the first class."""
    projected: list[Floats]
    refused: list[Refusal]

    def doubts(self) -> Floats:
        """Residuals with the column for what no class explains."""
        strange = np.maximum(0.0, 1 - np.array([row[2] for row in self.numbers]) / ODD)
        return np.column_stack([np.stack(self.residuals), strange]).astype(np.float32)

    def directions(self) -> Floats:
        """Unit vectors from the middle of all photos."""
        rows = np.concatenate(self.projected)
        rows = rows - rows.mean(axis=0)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        # Photos that all look the same still differ in how unsure they are.
        unit = np.where(length > 1e-6, rows / np.maximum(length, 1e-6), 1 / np.sqrt(WIDTH))
        return np.asarray(unit, dtype=np.float32)

    def suggestion(self, place: int, gap: float) -> Suggestion:
        """The photo in words."""
        (path, label, second), (probability, margin, typicality) = self.photos[place], self.numbers[place]
        reasons = []
        if typicality < ODD:
            reasons.append(f"unlike the photos learned from (typicality {typicality:.3f})")
        if second and probability < UNSURE:
            rest = probability - margin
            reasons.append(f"unsure: {label!r} {probability:.2f} or {second!r} {rest:.2f}")
        if not reasons:
            other = "unlike those above" if gap > 0 else "like one above"
            reasons.append(f"{label!r} {probability:.2f}, {other}")
        return Suggestion(path, label, probability, second, margin, typicality, "; ".join(reasons))


def _look(model: AnyPredictor, items: Sequence[Item], progress: Progress) -> _Pool:
    pool = _Pool([], [], [], [], [])
    projection = _Projection(pool.projected)
    for done, seen in enumerate(_told(model.seen_stream(items, top=2), len(items), progress)):
        answer = seen.prediction
        if answer.error is not None or answer.probabilities is None or seen.embedding is None:
            pool.refused.append(answer.error or Refusal(str(items[done]), "no_answer", "no answer"))
            continue
        (first, share), *others = answer.top
        second, rest = others[0] if others else ("", 0.0)
        residual = answer.probabilities.astype(np.float32).copy()
        residual[int(residual.argmax())] -= 1
        pool.photos.append((answer.path or "", first, second))
        pool.numbers.append((share, share - rest, float(answer.typicality or 0.0)))
        pool.residuals.append(residual)
        projection.add(seen.embedding)
    projection.flush()
    return pool


def _told(stream: "Generator[Seen]", total: int, progress: Progress) -> "Iterator[Seen]":
    progress("looking", 0, total)
    for done, seen in enumerate(stream, start=1):
        yield seen
        progress("looking", done, total)


class _Projection:
    """Embeddings on a common scale, made short by random directions."""

    def __init__(self, out: list[Floats]) -> None:
        self._out = out
        self._waiting: list[Floats] = []
        self._matrix: Floats | None = None

    def add(self, embedding: Floats) -> None:
        """Take one embedding."""
        self._waiting.append(embedding.copy())
        if len(self._waiting) == FIRST:
            self.flush()

    def flush(self) -> None:
        """Project those that wait."""
        if not self._waiting:
            return
        rows = np.stack(self._waiting)
        self._waiting.clear()
        if self._matrix is None:
            width = rows.shape[1]
            spread = rows.std(axis=0) if len(rows) > 1 else np.ones(width)
            scale = np.where(spread > 1e-6 * (1 + np.abs(rows).max(axis=0)), spread, np.inf)
            chance = np.random.default_rng(0).standard_normal((width, WIDTH)) / np.sqrt(WIDTH)
            self._matrix = (chance / scale[:, None]).astype(np.float32)
        self._out.append(rows @ self._matrix)
