"""Why a model answers what it answers: maps of what each place of a photo adds to a class's score.

The score is the model file's *calibrated* one, temperature and class shares included: the probabilities are
its softmax, so a difference of two classes' scores is the logarithm of the ratio of their probabilities.
Where it is linear in pooled maps (`linear-probe`, `finetune`, `cnn`, most `pretrained`) the explanation is
exact: the sum of the map and the bias is the score. Elsewhere (`svm`, `random-forest`, networks with layers
behind the pooling) it is measured by covering places, an approximation.
:mod:`fieldguide.explanation.contributions` has the method.
"""

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fieldguide.errors import OptionError, Refusal, RefusedInput
from fieldguide.explanation.contributions import BATCH, ContributionMap, ContributionMapper
from fieldguide.images.network_input import network_pixels, open_for
from fieldguide.mixins.display import DisplayMixin, PlotMixin
from fieldguide.modelfile.artifact import ModelFile
from fieldguide.modelfile.output_checks import why_no_answer
from fieldguide.tasks.task import Task

Photo: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""A path, the bytes of an image file, a Pillow image or an array of pixels."""
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels."""


@dataclass(frozen=True, repr=False)
class Explanation(DisplayMixin, PlotMixin):
    """What each place of a photo adds to the score of one class."""

    path: str | None
    """The photo as it was named; None for one given as pixels."""
    label: str
    """The class that is explained."""
    probability: float
    """Of `label`, calibrated, from 0 to 1."""
    predicted: str
    """The most probable class."""
    rival: str
    """The most probable class other than `label`."""
    typicality: float
    """Share of held-out images of known classes that look no more familiar, from 0 to 1."""
    unknown: bool
    """Whether typicality is below the model's threshold: not one of its classes."""
    score: float
    """Of `label`, calibrated: the logarithm of its probability but for a constant that all classes share; of
    a tag its log odds."""
    bias: float | None
    """What no place has a part in; None where the map does not add up."""
    map: NDArray[np.float32] = field(repr=False, compare=False)
    """Of shape (height, width), a grid over `area`: above 0 speaks for the class, below 0 against it. Where
    `exact`, its sum and `bias` are `score` to 1e-3."""
    area: Box
    """The part of the upright photo that the model sees and the map lies on."""
    size: tuple[int, int]
    """Width and height of the upright photo, in pixels."""
    method: Literal["contributions", "occlusion"]
    """`contributions`: the score taken apart. `occlusion`: what it loses while a place is covered."""
    exact: bool
    """Whether the map adds up; an approximation where not."""
    labels: tuple[str, ...] | None = None
    """The tags given, the most probable first; None in a model of single labels."""

    @property
    def answer(self) -> str:
        """What the model says of the photo, for a person."""
        if self.unknown:
            return f"unknown (nearest class: {self.predicted})"
        return self.predicted if self.labels is None else ", ".join(self.labels) or "no tag"

    def as_dict(self) -> dict[str, Any]:
        """The explanation as ``explain --json`` holds it; the map row by row, from the top."""
        plain = (
            "path",
            "label",
            "probability",
            "predicted",
            "rival",
            "typicality",
            "unknown",
            "score",
            "bias",
        )
        tags = {} if self.labels is None else {"labels": list(self.labels)}
        return {
            **{name: getattr(self, name) for name in plain},
            **tags,
            "method": self.method,
            "exact": self.exact,
            "size": list(self.size),
            "area": list(self.area),
            "map": [[float(f"{value:.7g}") for value in row] for row in self.map.tolist()],
        }


class Explainer:
    """Explains the answers of a model file; :attr:`fieldguide.Predictor.explainer` is one.

    Parameters
    ----------
    file
        A checked model file.
    threads
        For the network, 1 or more.
    """

    def __init__(self, file: ModelFile, threads: int) -> None:
        self._file, self._threads = file, threads
        self._columns = {label: column for column, label in enumerate(file.classes)}
        self._unknown = np.float32(file.card["thresholds"].get("unknown") or 0.0)

    @functools.cached_property
    def heat(self) -> ContributionMapper:
        """The file's graph with its maps as outputs; made when first asked for."""
        return ContributionMapper(self._file, self._threads)

    @property
    def side(self) -> int:
        """Side of the network's input, in pixels."""
        return self._file.preprocessing.size

    @property
    def exact(self) -> bool:
        """Whether this model's maps add up to its scores."""
        return self.heat.why_not is None

    def column(self, label: str) -> int:
        """The number of a class.

        Raises
        ------
        OptionError
            If the model has no such class.
        """
        if label not in self._columns:
            some = ", ".join(map(repr, self._file.classes[:8])) + (", …" if len(self._columns) > 8 else "")
            raise OptionError(f"label: must be one of the model's classes, which are {some}; got {label!r}")
        return self._columns[label]

    def area(self, width: int, height: int) -> Box:
        """The part of an upright photo of this size that the model sees and maps lie on."""
        return self._file.preprocessing.area(width, height)

    def pixels(self, image: Photo) -> NDArray[np.uint8]:
        """The network's square of an image, of shape (size, size, 3)."""
        return network_pixels(image, self._file.preprocessing)

    def explain(self, image: Photo, label: str | None = None) -> Explanation:
        """Explain one class of one photo.

        Parameters
        ----------
        image
            The photo.
        label
            A class; None takes the most probable one.

        Raises
        ------
        RefusedInput
            If the photo cannot be read, or the model gives no number for it.
        OptionError
            If the model has no such class.
        """
        column = None if label is None else self.column(label)
        opened = open_for(image, self._file.preprocessing)
        pixels = self._file.preprocessing.resize(opened.image)[None]
        heat = self.heat(pixels, [column or 0])
        wrong = why_no_answer(heat.probabilities, heat.typicality, self._file.task)
        if wrong is not None:
            raise RefusedInput("no_answer", f"the model's answer to this image {wrong}")
        best = int(heat.probabilities[0].argmax())
        if column is None and best != 0:
            heat = self.heat(pixels, [best])
        path = os.fspath(image) if isinstance(image, str | os.PathLike) else None
        return self._summary(path, opened.size, best if column is None else column, heat)

    def _summary(
        self, path: str | None, size: tuple[int, int], column: int, heat: ContributionMap
    ) -> Explanation:
        probabilities = heat.probabilities[0]
        order = np.argsort(-probabilities, kind="stable").tolist()
        rival = next((other for other in order if other != column), column)
        exact = bool(heat.exact[0])
        return Explanation(
            path=path,
            label=self._file.classes[column],
            probability=float(str(probabilities[column])),
            predicted=self._file.classes[order[0]],
            rival=self._file.classes[rival],
            typicality=float(str(heat.typicality[0])),
            unknown=bool(heat.typicality[0] < self._unknown),
            score=float(heat.scores[0]),
            bias=float(heat.bias[0]) if exact else None,
            map=heat.maps[0],
            area=self.area(*size),
            size=size,
            method="contributions" if exact else "occlusion",
            exact=exact,
            labels=self._given(probabilities, order),
        )

    def _given(self, probabilities: NDArray[np.float32], order: Sequence[int]) -> tuple[str, ...] | None:
        if self._file.task is Task.SINGLE:
            return None
        least = np.array(self._file.card["thresholds"]["tags"], dtype=np.float32)
        return tuple(self._file.classes[tag] for tag in order if probabilities[tag] >= least[tag])


class Explainable(Protocol):
    """What is needed of a model."""

    @property
    def explainer(self) -> Explainer:
        """Explains its answers."""


def heat_maps(
    model: Explainable,
    images: Iterable[Photo | Refusal],
    labels: Iterable[str],
    side: int | None = None,
) -> NDArray[np.float32]:
    """Compute one map an image, many at a time, for small pictures of them.

    A map that adds up costs about as much as a prediction; where ``model.explainer.exact`` is false, each
    costs some 120 predictions.

    Parameters
    ----------
    model
        A loaded model file.
    images
        As for ``predict``.
    labels
        The class to explain, one an image.
    side
        Of the maps, in pixels; None takes the network's own size. Whatever it is, the sum stays the same.

    Returns
    -------
    ndarray of shape (n_images, side, side)
        In the order of the images; NaN for one that cannot be read. Each lies on the part of its photo that
        ``explainer.area(width, height)`` tells, which but for `pretrained` is the whole photo.

    Raises
    ------
    OptionError
        If a label is no class of the model, or there are not as many as images.
    """
    explainer = model.explainer
    photos, columns = list(images), [explainer.column(label) for label in labels]
    if len(photos) != len(columns):
        raise OptionError(
            f"labels: must be one an image, {len(photos)} in all; got {len(columns)}; name the class of each"
        )
    size = side or explainer.heat.size
    maps = np.full((len(photos), size, size), np.nan, dtype=np.float32)
    pairs = list(zip(photos, columns, strict=True))
    for start in range(0, len(pairs), BATCH):
        maps[start : start + BATCH] = _batch(explainer, pairs[start : start + BATCH], size)
    return maps


def _batch(
    explainer: Explainer, some: Sequence[tuple[Photo | Refusal, int]], side: int
) -> NDArray[np.float32]:
    read = list(_read(explainer, some))
    maps = np.full((len(some), side, side), np.nan, dtype=np.float32)
    if read:
        pixels = np.stack([image for _, image in read])
        places = [place for place, _ in read]
        maps[places] = explainer.heat(pixels, [some[place][1] for place in places], side).maps
    return maps


def _read(
    explainer: Explainer, some: Sequence[tuple[Photo | Refusal, int]]
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for place, (image, _) in enumerate(some):
        if isinstance(image, Refusal):
            continue
        try:
            yield place, explainer.pixels(image)
        except RefusedInput:
            continue
