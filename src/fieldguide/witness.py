"""A model that is looked at while it answers: what a report needs beyond the nine numbers an image.

Memory stays bounded: probabilities become counts, and features and pictures are kept of a sample drawn
beforehand.
"""

import contextlib
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.page_thumbnails import tile
from fieldguide.prediction import Prediction
from fieldguide.ranking_curves import Curves, ScoreCounts

if TYPE_CHECKING:
    from fieldguide.dataset import Dataset
    from fieldguide.predictor import Seen

SAMPLE = 2_000
"""Images whose features are kept: 10 MB with 1,280 features, and as many points as a map can show."""
TILE = 64
"""Side of their pictures in pixels."""


class Observable(Protocol):
    """What is needed of a model."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in column order."""

    @property
    def card(self) -> dict[str, Any]:
        """What the model says of itself."""

    def seen_stream(self, sources: Iterable[str]) -> "Generator[Seen]":
        """The same, with what stood behind each."""


class Witness:
    """Stands before a model, passes its answers on, and keeps what a report shows.

    :func:`fieldguide.evaluate.answers_to` takes it for the model, once. Rows count the images that could be
    read, as those of the outcomes do.

    Parameters
    ----------
    predictor
        The model.
    images
        The labelled images.
    sample
        How many images to keep features of.
    seed
        Of the sample.
    """

    def __init__(
        self, predictor: Observable, images: "Dataset", *, sample: int = SAMPLE, seed: int = 0
    ) -> None:
        numbers = {label: number for number, label in enumerate(predictor.classes)}
        pairs = zip(images.paths, images.labels, strict=True)
        self._truth = {path: numbers[label] for path, label in pairs if label in numbers}
        drawn = np.random.default_rng(seed).permutation(len(self._truth))[:sample]
        self._wanted = frozenset(drawn.tolist())
        self._predictor = predictor
        self._squashed = predictor.card["preprocessing"]["mode"] == "squash"
        self._counts = ScoreCounts(len(predictor.classes))
        self._features: list[NDArray[np.float32]] = []
        self.rows: list[int] = []
        """Of the images in the sample."""
        self.tiles: list[NDArray[np.uint8]] = []
        """Their pictures, of shape (TILE, TILE, 3)."""
        self.second: list[tuple[int, float]] = []
        """Second most probable class of every image, and its probability."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in column order."""
        return self._predictor.classes

    @property
    def features(self) -> NDArray[np.float32]:
        """Of the sample, of shape (n_sample, n_features)."""
        return np.stack(self._features) if self._features else np.zeros((0, 1), dtype=np.float32)

    @property
    def curves(self) -> Curves:
        """ROC and precision-recall, a class against all others."""
        return self._counts.curves()

    def predict_stream(self, sources: Iterable[str]) -> Iterator[Prediction]:
        """One answer a source, in order."""
        with contextlib.closing(self._predictor.seen_stream(sources)) as stream:
            for seen in stream:
                if seen.prediction.error is None:
                    self._note(seen)
                yield seen.prediction

    def _note(self, seen: "Seen") -> None:
        answer = seen.prediction
        assert answer.path is not None and answer.probabilities is not None, "answers to files have both"
        self._counts.add(answer.probabilities, self._truth[answer.path])
        if len(self.second) in self._wanted:
            assert seen.embedding is not None and seen.pixels is not None, "an answer has both"
            self.rows.append(len(self.second))
            self._features.append(seen.embedding.copy())
            self.tiles.append(tile(seen.pixels, TILE, seen.size if self._squashed else (1, 1)))
        others = np.argpartition(answer.probabilities, -2)[-2:]
        other = int(others[answer.probabilities[others].argmin()])
        self.second.append((other, float(answer.probabilities[other])))
