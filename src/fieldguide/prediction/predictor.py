"""Runs a model file: images in, predictions out, in any number and in order.

Imports no training library; `fieldguide.load` and one answer take well under a second.
"""

import contextlib
import functools
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fieldguide.errors import ModelFileError, OptionError, Refusal, RefusedInput
from fieldguide.images.decoding import ImageSource
from fieldguide.images.network_input import network_pixels, open_for
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.mixins.display import DisplayMixin
from fieldguide.modelfile.artifact import ModelFile, load_model_file
from fieldguide.modelfile.limits import limits_of
from fieldguide.modelfile.output_checks import why_no_answer
from fieldguide.modelfile.session import open_session, reason_of
from fieldguide.prediction.fetching import FetchedObject, with_objects_fetched
from fieldguide.prediction.items import EmbeddedImage
from fieldguide.prediction.predictions import Predictions
from fieldguide.prediction.result import DecisionRule, Prediction, TagDecisionRule
from fieldguide.tasks.task import Task
from fieldguide.threads import in_order, usable_cores

if TYPE_CHECKING:
    from fieldguide.explanation.explainer import Explainer, Explanation, Photo

__all__ = ["ImageSource", "Outputs", "Prediction", "PredictionInput", "Predictor", "Source", "judged", "load"]

Source: TypeAlias = ImageSource | Refusal | EmbeddedImage | FetchedObject
"""The same, an image out of a table, or an input refused before."""

BATCH = 2
"""Images that go through the network together; larger batches overflow the caches of one core."""
IMAGES_AHEAD = 32
"""Decoded images that may wait for the network."""
FEW = 4
"""Images a thread below which they count as few."""
NAMES = ["probabilities", "typicality", "embedding"]


@dataclass(frozen=True)
class Outputs:
    """What the model file computes for a batch."""

    probabilities: NDArray[np.float32]
    """Of shape (n_images, n_classes); each row sums to 1, except in a model of tags."""
    typicality: NDArray[np.float32]
    """Of shape (n_images,), from 0 to 1."""
    embedding: NDArray[np.float32]
    """Of shape (n_images, n_features): what the model's head sees."""


@dataclass(frozen=True)
class PredictionInput:
    """An answer and what it was made from; where the input was refused, the answer alone."""

    prediction: Prediction
    embedding: NDArray[np.float32] | None = None
    """Of shape (n_features,): what the model's head saw. A view into a batch; copy it to keep it."""
    pixels: NDArray[np.uint8] | None = None
    """Of shape (size, size, 3): what the network was given."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the upright image before it was made square."""


def load(path: str | os.PathLike[str], *, threads: int | None = None) -> "Predictor":
    """Load a model file.

    Parameters
    ----------
    path
        A `.onnx` file that fieldguide wrote.
    threads
        Threads for decoding and for the network, 1 or more; None takes the cores that this process may use.

    Raises
    ------
    ModelFileError
        If the file is damaged, hostile or not one of fieldguide's; docs/artifact.md lists what is refused.
    OptionError
        If `threads` is not allowed.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.load("model.onnx").predict(["new.jpg"])[0].label   # doctest: +SKIP
    """
    return Predictor(load_model_file(path), threads=threads)


class Predictor(DisplayMixin):
    """A loaded model; :func:`load` makes one. May be used from several threads at once.

    Parameters
    ----------
    model_file
        A checked model file.
    threads
        As for :func:`load`.
    """

    def __init__(self, model_file: ModelFile, *, threads: int | None = None) -> None:
        self._threads = usable_cores() if threads is None else threads
        if type(self._threads) is not int or self._threads < 1:
            raise OptionError(f"threads: must be a whole number, 1 or more; got {threads!r}")
        self._file = model_file
        self._preprocessing = model_file.preprocessing
        self._classes = model_file.classes
        self._session = open_session(model_file.content, model_file.path, self._threads)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the columns of probabilities."""
        return self._classes

    @property
    def task(self) -> Task:
        """Whether it gives one label an image or any number of tags."""
        return self._file.task

    @property
    def card(self) -> dict[str, Any]:
        """What the model file says of itself; docs/artifact.md explains every field."""
        return self._file.card

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes the network's square."""
        return self._preprocessing

    @property
    def thresholds(self) -> dict[str, float | None]:
        """`unknown`, `set` and `coverage` of the card; None where the model makes no such promise."""
        stated = self._file.card["thresholds"]
        return {name: stated.get(name) for name in ("unknown", "set", "coverage")}

    @property
    def limits(self) -> tuple[str, ...]:
        """What the model cannot say, such as `unknown`, in sentences."""
        return limits_of(self._file.card)

    @property
    def path(self) -> str:
        """The file that it was loaded from, as it was named."""
        return self._file.path

    @property
    def model_file(self) -> ModelFile:
        """The checked file."""
        return self._file

    @property
    def digest(self) -> str:
        """The SHA-256 that seals the model file."""
        return self._file.digest

    def predict(self, images: Sequence[Source], top: int = 5) -> Predictions:
        """Say what is on images.

        Parameters
        ----------
        images
            A list of paths, bytes of image files, Pillow images, or uint8 arrays of shape (height, width, 3).
        top
            How many of the most probable classes to list, 0 or more.

        Returns
        -------
        Predictions
            A list, one an image, in order; an image that cannot be read has its `error` set.
        """
        if isinstance(images, str | bytes | os.PathLike | Image.Image) or (
            isinstance(images, np.ndarray) and images.ndim < 4
        ):
            got = type(images).__name__
            raise OptionError(f"images: must be a list of images; got one {got}; write [image]")
        return Predictions(self.predict_stream(images, top=top))

    def predict_stream(self, sources: Iterable[Source], *, top: int = 5) -> Iterator[Prediction]:
        """Say what is on images, one after the other, in any number.

        Images are decoded in threads while the network works on those before them. A few go through the
        network on all cores, one after the other; many, a core a batch, which answers a quarter more in the
        same time (docs/log.md). Memory does not grow with the number of images: `sources` is read some 50
        images ahead of what was asked for.

        Yields
        ------
        Prediction
            One a source, in order.
        """
        with contextlib.closing(self.seen_stream(sources, top=top)) as stream:
            for seen in stream:
                yield seen.prediction

    def seen_stream(self, sources: Iterable[Source], *, top: int = 5) -> Generator["PredictionInput"]:
        """The same, with what stood behind each answer; for whoever looks into a model.

        Yields
        ------
        PredictionInput
            One a source, in order.
        """
        if type(top) is not int or top < 0:
            raise OptionError(f"top: must be a whole number, 0 or more; got {top!r}")
        judge = self.judge(top)
        sources = iter(sources)
        first = list(islice(sources, FEW * self._threads))
        at_once = self._threads if len(first) == FEW * self._threads else 1
        session = self._session if at_once == 1 else self._narrow_session
        arrived = with_objects_fetched(chain(first, sources), first)
        prepared = in_order(self._prepare, arrived, self._threads, IMAGES_AHEAD)
        # closing: an interrupt must stop the threads now, not when the generator is collected.
        with contextlib.closing(arrived), contextlib.closing(prepared):
            batches = iter(lambda: list(islice(prepared, BATCH)), [])
            answered = in_order(
                lambda batch: list(self._judged(batch, judge, session)), batches, at_once, at_once
            )
            with contextlib.closing(answered):
                yield from chain.from_iterable(answered)

    @functools.cached_property
    def explainer(self) -> "Explainer":
        """Explains this model's answers; it takes memory of its own once it is used."""
        from fieldguide.explanation.explainer import Explainer  # predicting needs none of it

        return Explainer(self._file, self._threads)

    def explain(self, image: "Photo", label: str | None = None) -> "Explanation":
        """Say what each place of a photo adds to the score of a class; docs/explain.md says how to read it.

        Parameters
        ----------
        image
            A path, the bytes of an image file, a Pillow image, or pixels of shape (height, width, 3), uint8.
        label
            One of :attr:`classes`; None takes the most probable one.

        Raises
        ------
        RefusedInput
            If the photo cannot be read.
        OptionError
            If the model has no such class.
        """
        return self.explainer.explain(image, label)

    def prepare(self, source: ImageSource) -> NDArray[np.uint8]:
        """Decode one image and shrink it to the network's square, which the graph then passes unchanged.

        Returns
        -------
        ndarray of shape (size, size, 3), uint8

        Raises
        ------
        RefusedInput
            If the image cannot be read.
        """
        return network_pixels(source, self._preprocessing)

    def judge(self, top: int) -> DecisionRule:
        """What turns a row of outputs into a prediction, listing the `top` most probable classes."""
        stated = self.thresholds
        unknown, floor = stated["unknown"] or 0.0, stated["set"]
        if self.task is Task.MULTIPLE:
            given_from = np.array(self.card["thresholds"]["tags"], dtype=np.float32)
            return TagDecisionRule(self._classes, unknown, floor, top, given_from=given_from)
        by_class = self.card["thresholds"].get("set_by_class")
        floors = floor if by_class is None else np.array(by_class, dtype=np.float32)
        return DecisionRule(self._classes, unknown, floors, top)

    def run(self, pixels: NDArray[np.uint8], *, alone: bool = True) -> Outputs:
        """Run the model file over a batch of pixels.

        Parameters
        ----------
        pixels
            RGB, of shape (n_images, height, width, 3), any height and width; the model resizes them.
        alone
            Whether all threads may work on this batch; False takes one, for calls beside each other.

        Raises
        ------
        ModelFileError
            If the model does not compute what its card says.
        """
        return self._run(pixels, self._session if alone else self._narrow_session)

    @functools.cached_property
    def _narrow_session(self) -> Any:
        """A session for as many calls at once as there are threads."""
        if self._threads == 1:
            return self._session
        return open_session(self._file.content, self._file.path, 1)

    def _run(self, pixels: NDArray[np.uint8], session: Any) -> Outputs:
        try:
            outputs = Outputs(*session.run(NAMES, {"image": pixels}))
        except Exception as error:  # ONNX Runtime's own kinds of exceptions have no common base
            raise ModelFileError(f"{self._file.path}: the model cannot be run: {reason_of(error)}") from error
        shapes = (outputs.probabilities.shape, outputs.typicality.shape, outputs.embedding.shape[:1])
        if shapes != ((len(pixels), len(self._classes)), (len(pixels),), (len(pixels),)):
            raise ModelFileError(
                f"{self._file.path}: the model answers {len(pixels)} images and {len(self._classes)} classes "
                f"with arrays of shapes {shapes}; train it again"
            )
        return outputs

    def _prepare(self, source: Source) -> "_Prepared":
        path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        if isinstance(source, Refusal):
            return _Prepared(source.path, None, (0, 0), source)
        if isinstance(source, EmbeddedImage):
            path, source = source.name, source.file
        if isinstance(source, FetchedObject):
            path, source = source.name, source.content
        try:
            opened = open_for(source, self._preprocessing)
            return _Prepared(path, self._preprocessing.resize(opened.image), opened.size, None)
        except RefusedInput as error:
            return _Prepared(path, None, (0, 0), Refusal(path or "", error.code, error.message))

    def _judged(
        self, batch: list["_Prepared"], judge: DecisionRule, session: Any
    ) -> Iterator["PredictionInput"]:
        pixels = [prepared.pixels for prepared in batch if prepared.pixels is not None]
        rows = iter(self._rows(np.stack(pixels), session) if pixels else ())
        for prepared in batch:
            if prepared.error is not None:
                refusal = prepared.error
                yield PredictionInput(judge.refused(prepared.path, refusal.code, refusal.message))
                continue
            probabilities, typicality, embedding = next(rows)
            answer = judged(judge, prepared.path, probabilities, typicality)
            known = answer.error is None
            yield (
                PredictionInput(answer, embedding, prepared.pixels, prepared.size)
                if known
                else PredictionInput(answer)
            )

    def _rows(
        self, pixels: NDArray[np.uint8], session: Any
    ) -> Iterator[tuple[NDArray[np.float32], np.float32, NDArray[np.float32]]]:
        outputs = self._run(pixels, session)
        return zip(outputs.probabilities, outputs.typicality, outputs.embedding, strict=True)


def judged(
    judge: DecisionRule, path: str | None, probabilities: NDArray[np.float32], typicality: np.float32
) -> Prediction:
    """The prediction for a row of outputs; one that is none is refused as ``no_answer``."""
    wrong = why_no_answer(probabilities, typicality, judge.task)
    if wrong is None:
        return judge(path, probabilities, typicality)
    return judge.refused(path, "no_answer", f"the model's answer to this image {wrong}")


@dataclass(frozen=True)
class _Prepared:
    """An input on its way: with the network's pixels, or refused."""

    path: str | None
    pixels: NDArray[np.uint8] | None
    size: tuple[int, int]
    error: Refusal | None
