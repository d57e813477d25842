"""Which unlabelled photos to label next: those that the model is unsure of or has never seen the like of.

Each photo becomes the gradient that its label would give to the last layer if the model were right, as in
BADGE (Ash et al., "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds", ICLR 2020): the
outer product of how unsure the answer is and what the network saw. Its length is the uncertainty, its
direction what the photo is about. One column is added for what no class explains: how far typicality lies
below :data:`ODD`. From there photos are taken farthest first, each the one least like those taken before
(k-center greedy; Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set
Approach", ICLR 2018), where BADGE draws at random: the same photos give the same list, and no kind comes
twice while others wait.

In a model of tags each tag has a gradient of its own, as if the tags above one half were right: the doubts
about all tags add up, and photos are unlike if the model doubts other tags, or if they show other things.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.mixins.display import DisplayMixin, TableMixin
from fieldguide.prediction.inputs import Item, path_of
from fieldguide.prediction.suggestion import ODD, Suggestion, TagSuggestion
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from fieldguide.prediction.predictor import PredictionInput

WIDTH = 256
"""Random directions that embeddings are projected on (Johnson and Lindenstrauss, 1984), 1 KB a photo."""
FIRST = 256
"""Photos by which the spread of each feature is estimated before the first is projected."""
COUNT = 50
"""Photos listed where no number is given."""

Floats = NDArray[np.float32]


class EmbedsInOrder(Protocol):
    """What is needed of a model."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Its classes or tags, in the order of the columns of probabilities."""

    def seen_stream(self, sources: Iterable[Item], *, top: int = 5) -> "Generator[PredictionInput]":
        """One answer a source with what stood behind it, in order."""


@dataclass(frozen=True, repr=False)
class Suggestions(DisplayMixin, TableMixin):
    """What to label next, the most useful first."""

    photos: tuple[Suggestion | TagSuggestion, ...]
    seen: int
    """Photos that could be read."""
    refused: tuple[Refusal, ...]

    @property
    def of_tags(self) -> bool:
        """Whether the model gives tags."""
        return any(isinstance(photo, TagSuggestion) for photo in self.photos)

    def as_dict(self) -> dict[str, Any]:
        """The photos as rows, with what could not be read."""
        return {
            "seen": self.seen,
            "photos": [photo.as_dict() for photo in self.photos],
            "refused": [refusal.as_dict() for refusal in self.refused],
        }


def next_to_label(
    model: EmbedsInOrder, items: Sequence[Item], *, count: int = COUNT, progress: Progress = silent
) -> Suggestions:
    """Choose photos to label.

    Parameters
    ----------
    model
        A loaded model file.
    items
        Paths, or refusals, as :func:`fieldguide.prediction.inputs.find_inputs` lists them.
    count
        How many to choose, 1 or more; fewer where there are no more photos.
    progress
        Callback for progress: the stages ``looking`` and ``choosing``.

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

    Examples
    --------
    >>> doubts = np.array([[0.9], [0.8], [0.5]], np.float32)
    >>> directions = np.array([[1, 0], [1, 0], [0, 1]], np.float32)  # the first two are of one kind
    >>> farthest_first(doubts, directions, count=2)[0]
    [0, 2]
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

    photos: list[Suggestion | TagSuggestion]
    """Without their reasons."""
    residuals: list[Floats]
    """Probabilities less one for what is most probable: one class, or each tag above one half."""
    projected: list[Floats]
    refused: list[Refusal]

    def doubts(self) -> Floats:
        """Residuals with the column for what no class explains."""
        strange = np.maximum(0.0, 1 - np.array([photo.typicality for photo in self.photos]) / ODD)
        return np.column_stack([np.stack(self.residuals), strange]).astype(np.float32)

    def directions(self) -> Floats:
        """Unit vectors from the middle of all photos."""
        rows = np.concatenate(self.projected)
        rows = rows - rows.mean(axis=0)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        # Photos that all look the same still differ in how unsure they are.
        unit = np.where(length > 1e-6, rows / np.maximum(length, 1e-6), 1 / np.sqrt(WIDTH))
        return np.asarray(unit, dtype=np.float32)

    def suggestion(self, place: int, gap: float) -> Suggestion | TagSuggestion:
        """The photo with why it is there."""
        photo, reasons = self.photos[place], []
        if photo.typicality < ODD:
            reasons.append(f"unlike the photos learned from (typicality {photo.typicality:.3f})")
        if doubt := photo.doubt():
            reasons.append(doubt)
        if not reasons:
            reasons.append(f"{photo.sure()}, {'unlike those above' if gap > 0 else 'like one above'}")
        return replace(photo, reason="; ".join(reasons))


def _look(model: EmbedsInOrder, items: Sequence[Item], progress: Progress) -> _Pool:
    pool = _Pool([], [], [], [])
    projection, classes = _Projection(pool.projected), model.classes
    for done, seen in enumerate(_with_progress(model.seen_stream(items, top=2), len(items), progress)):
        answer = seen.prediction
        if answer.error is not None or answer.probabilities is None or seen.embedding is None:
            pool.refused.append(answer.error or Refusal(path_of(items[done]), "no_answer", "no answer"))
            continue
        single = answer.labels is None
        pool.photos.append(Suggestion.of(answer) if single else TagSuggestion.of(answer, classes))
        pool.residuals.append(_residual(answer.probabilities, single))
        projection.add(seen.embedding)
    projection.flush()
    return pool


def _residual(probabilities: Floats, single: bool) -> Floats:
    """What the gradient of the last layer is made of: probabilities less the label that they speak for."""
    if not single:
        return np.asarray(probabilities - (probabilities >= 0.5), dtype=np.float32)
    residual = probabilities.astype(np.float32).copy()
    residual[int(residual.argmax())] -= 1
    return residual


def _with_progress(
    stream: "Generator[PredictionInput]", total: int, progress: Progress
) -> "Iterator[PredictionInput]":
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
