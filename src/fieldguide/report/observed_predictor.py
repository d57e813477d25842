"""A model that is looked at while it answers: what a report needs beyond the nine numbers an image.

Memory stays bounded: probabilities become counts, and features and pictures are kept of a sample drawn
beforehand.
"""

import contextlib
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.ranking_curves import Curves, ScoreCounts
from fieldguide.prediction.result import Prediction
from fieldguide.report.sprite_sheet import tile

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.prediction.predictor import PredictionInput

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

    def seen_stream(self, sources: Iterable[str]) -> "Generator[PredictionInput]":
        """The same, with what stood behind each."""


class ObservedSample:
    """Stands before a model, passes its answers on, and keeps features and pictures of a sample.

    Rows count the images that could be read, as those of the outcomes do.

    Parameters
    ----------
    predictor
        The model.
    count
        Images that it will be asked about.
    sample
        How many of them to keep features of.
    seed
        Of the sample.
    """

    def __init__(self, predictor: Observable, count: int, *, sample: int = SAMPLE, seed: int = 0) -> None:
        drawn = np.random.default_rng(seed).permutation(count)[:sample]
        self._wanted = frozenset(drawn.tolist())
        self._predictor = predictor
        self._squashed = predictor.card["preprocessing"]["mode"] == "squash"
        self._features: list[NDArray[np.float32]] = []
        self._read = 0
        self.rows: list[int] = []
        """Of the images in the sample."""
        self.tiles: list[NDArray[np.uint8]] = []
        """Their pictures, of shape (TILE, TILE, 3)."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in column order."""
        return self._predictor.classes

    @property
    def card(self) -> dict[str, Any]:
        """What the model says of itself."""
        return self._predictor.card

    @property
    def features(self) -> NDArray[np.float32]:
        """Of the sample, of shape (n_sample, n_features)."""
        return np.stack(self._features) if self._features else np.zeros((0, 1), dtype=np.float32)

    def predict_stream(self, sources: Iterable[str]) -> Iterator[Prediction]:
        """One answer a source, in order."""
        with contextlib.closing(self._predictor.seen_stream(sources)) as stream:
            for seen in stream:
                if seen.prediction.error is None:
                    self._note(seen)
                yield seen.prediction

    def _note(self, seen: "PredictionInput") -> None:
        if self._read in self._wanted:
            assert seen.embedding is not None and seen.pixels is not None, "an answer has both"
            self.rows.append(self._read)
            self._features.append(seen.embedding.copy())
            self.tiles.append(tile(seen.pixels, TILE, seen.size if self._squashed else (1, 1)))
        self._read += 1


class ObservedPredictor(ObservedSample):
    """The same for single labels, with counts for curves and the second most probable class.

    :func:`fieldguide.evaluation.measurement.answers_to` takes it for the model, once.

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
        super().__init__(predictor, len(self._truth), sample=sample, seed=seed)
        self._counts = ScoreCounts(len(predictor.classes))
        self.second: list[tuple[int, float]] = []
        """Second most probable class of every image, and its probability."""

    @property
    def curves(self) -> Curves:
        """ROC and precision-recall, a class against all others."""
        return self._counts.curves()

    def _note(self, seen: "PredictionInput") -> None:
        super()._note(seen)
        answer = seen.prediction
        assert answer.path is not None and answer.probabilities is not None, "answers to files have both"
        self._counts.add(answer.probabilities, self._truth[answer.path])
        others = np.argpartition(answer.probabilities, -2)[-2:]
        other = int(others[answer.probabilities[others].argmin()])
        self.second.append((other, float(answer.probabilities[other])))
