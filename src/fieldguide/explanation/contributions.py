"""How much each place of an image adds to a class's score, computed from a model file alone.

The file's graph is run once more with the maps before pooling as further outputs (a *companion*, in memory;
the file stays as it is, and `predict` never sees it). A score that is linear in pooled maps is then the sum
of what the cells of these maps hold:

    score = bias + Σ over parts, channels, cells of  weight · value / cells        (mean pooling)
                 + Σ over parts, channels            weight · largest value        (max pooling)

The second kind stands at the cell of the largest value (at several that are equally large, in equal shares).
Each cell's content is spread evenly over the square of pixels that it stands for, mirrored and moved views
are brought back to their places, and nothing is lost on the way: the sum over the map and the bias give the
score. That is tried on noise when a companion is made, and checked for every image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import ModelFileError
from fieldguide.explanation.occlusion import occlude
from fieldguide.explanation.readout import NotLinear, Pooled, Readout, logits_of, read_out
from fieldguide.explanation.upsampling import View, plain_view, recognise_views, spread_view
from fieldguide.modelfile.artifact import ModelFile
from fieldguide.modelfile.session import open_session, reason_of
from fieldguide.modelfile.wire_format import read_model, with_outputs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Values = Mapping[str, NDArray[Any]]

TOLERANCE = 1e-3
"""How far a map's sum and the bias may lie from the score."""
BATCH = 4
"""Images that go through the companion together."""


@dataclass(frozen=True)
class ContributionMap:
    """Maps of a batch of images, with the answers that they explain."""

    maps: NDArray[np.float32]
    """Of shape (n_images, side, side): what each place adds to the score of the image's class."""
    bias: FloatArray
    """What no place has a part in, of shape (n_images,); NaN where a map does not add up."""
    scores: FloatArray
    """The class's calibrated score, of shape (n_images,): the logarithm of its probability but for a constant
    that all classes share."""
    exact: NDArray[np.bool_]
    """Whether the map's sum and the bias are the score to 1e-3; of shape (n_images,)."""
    probabilities: NDArray[np.float32]
    """Of shape (n_images, n_classes)."""
    typicality: NDArray[np.float32]
    """Of shape (n_images,)."""


class ContributionMapper:
    """The companion of a model file.

    Parameters
    ----------
    file
        A checked model file.
    threads
        For the network, 1 or more.

    Attributes
    ----------
    size : int
        Side of the network's input, in pixels.
    why_not : str or None
        Why this model's scores cannot be taken apart exactly, in words; None where they can.
    readout : Readout or None
        Where the maps and the head are; None where the scores cannot be taken apart.
    views : list of View
        How the network looks at an image; empty where the scores cannot be taken apart.
    """

    def __init__(self, file: ModelFile, threads: int) -> None:
        model = read_model(file.content)
        self._path = file.path
        self.size: int = file.preprocessing.size
        self._logits = logits_of(model)
        self.readout: Readout | None = None
        self.views: list[View] = []
        self.why_not: str | None = None
        try:
            readout = read_out(model)
            self._session = self._open(file, threads, _names(readout))
            self.views = self._tried(readout)
            self.readout = readout
        except NotLinear as reason:
            self.why_not = str(reason)
            self._session = self._open(file, threads, [self._logits] if self._logits else [])

    def __call__(
        self, pixels: NDArray[np.uint8], columns: Sequence[int], side: int | None = None
    ) -> ContributionMap:
        """Explain one class of each image.

        Parameters
        ----------
        pixels
            RGB, of shape (n_images, size, size, 3), the network's own size.
        columns
            Number of the class that is explained, one an image.
        side
            Of the maps, in pixels; None takes the network's own size.
        """
        parts = [
            self._batch(pixels[start : start + BATCH], np.asarray(columns[start : start + BATCH]), side)
            for start in range(0, len(pixels), BATCH)
        ]
        fields = ("maps", "bias", "scores", "exact", "probabilities", "typicality")
        return ContributionMap(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))

    def _batch(self, pixels: NDArray[np.uint8], columns: IntArray, side: int | None) -> ContributionMap:
        values = self._run(pixels)
        side = side or self.size
        rows = np.arange(len(pixels))
        scores = self._scores(values)[rows, columns]
        maps, bias = np.zeros((len(pixels), side, side)), np.full(len(pixels), np.nan)
        if self.readout is not None:
            maps, bias = (
                self._contributions(self.readout, values, columns, side),
                self.readout.head.bias[columns],
            )
        exact = np.abs(maps.sum((1, 2)) + bias - scores) <= TOLERANCE
        for row in np.flatnonzero(~exact).tolist():
            maps[row] = occlude(self._scores_of, pixels[row], int(columns[row]), side)
            bias = np.where(rows == row, np.nan, bias)
        return ContributionMap(
            maps.astype(np.float32), bias, scores, exact, values["probabilities"], values["typicality"]
        )

    def _contributions(self, readout: Readout, values: Values, columns: IntArray, side: int) -> FloatArray:
        """Maps of shape (n_images, side, side) that sum to the scores less the bias."""
        total, every = np.zeros((len(columns), side, side)), readout.head.weights
        for place, part in _placed(readout, values):
            weights = part.scale * every[place][:, columns].T
            stacked = _as_map(values[part.map], part)
            views = stacked.reshape(len(self.views), len(columns), *stacked.shape[1:])
            for view, share, maps in zip(self.views, part.views or (1.0,), views, strict=True):
                cells = _in_cells(maps.astype(np.float64), share * weights, part.kind)
                rows = spread_view(side, cells.shape[1], view.rows)
                total += rows @ cells @ spread_view(side, cells.shape[2], view.columns).T
        return total

    def _tried(self, readout: Readout) -> list[View]:
        """Run an image of noise, and see whether the graph is what it was taken for."""
        noise = np.random.default_rng(0).integers(0, 256, (self.size, self.size, 3), dtype=np.uint8)
        values = self._run(noise[None])
        views: list[View] | None = [plain_view(self.size)]
        if readout.stacked is not None:
            views = recognise_views(noise, values[readout.stacked])
        if views is None:
            raise NotLinear("a view of the image is neither mirrored nor moved by a pixel")
        features = np.concatenate(
            [_pooled(values[part.map], part, len(views)) for _, part in _placed(readout, values)], axis=1
        )
        if not np.allclose(features, values[readout.head.features], rtol=1e-4, atol=1e-4):
            raise NotLinear("the features are not the maps' pooled values")
        return views

    def _run(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        names = [output.name for output in self._session.get_outputs()]
        try:
            values = self._session.run(names, {"image": pixels})
        except Exception as error:  # ONNX Runtime's own kinds of exceptions have no common base
            raise ModelFileError(f"{self._path}: the model cannot be run: {reason_of(error)}") from error
        return dict(zip(names, values, strict=True))

    def _scores(self, values: Values) -> FloatArray:
        if self._logits is not None:
            return values[self._logits].astype(np.float64)
        smallest = np.finfo(np.float32).tiny
        return np.asarray(np.log(np.maximum(values["probabilities"].astype(np.float64), smallest)))

    def _scores_of(self, pixels: NDArray[np.uint8]) -> FloatArray:
        name = self._logits or "probabilities"
        return self._scores({name: self._session.run([name], {"image": pixels})[0]})

    def _open(self, file: ModelFile, threads: int, names: list[str]) -> Any:
        return open_session(with_outputs(file.content, names), file.path, threads)


def _names(readout: Readout) -> list[str]:
    """The values that are needed beside the file's own outputs."""
    own = {"probabilities", "typicality", "embedding"}
    wanted = [readout.logits, readout.head.features, *(part.map for part in readout.parts)]
    if readout.stacked is not None:
        wanted.append(readout.stacked)
    return sorted(set(wanted) - own)


def _placed(readout: Readout, values: Values) -> list[tuple[slice, Pooled]]:
    """Each part with the columns of the features that it fills."""
    placed, start = [], 0
    for part in readout.parts:
        width = _as_map(values[part.map], part).shape[1]
        placed.append((slice(start, start + width), part))
        start += width
    width = len(readout.head.stated)
    if start != width:
        raise NotLinear(f"the maps have {start} channels, the head sees {width} features")
    return placed


def _as_map(values: NDArray[Any], part: Pooled) -> NDArray[Any]:
    """A map with its axes in the order (image, channel, row, column)."""
    if part.axes == (2, 3) and values.ndim == 4:
        return values
    if part.axes == (1, 2) and values.ndim == 4:
        return values.transpose(0, 3, 1, 2)
    side = round(values.shape[1] ** 0.5)
    if part.axes != (1,) or values.ndim != 3 or side**2 != values.shape[1]:
        raise NotLinear(f"a map of shape {values.shape} is pooled over its axes {part.axes}")
    return values.transpose(0, 2, 1).reshape(len(values), -1, side, side)


def _pooled(values: NDArray[Any], part: Pooled, views: int) -> FloatArray:
    """The features that come from a map, of shape (n_images, n_channels)."""
    maps = _as_map(values, part).astype(np.float64)
    pooled = maps.mean((2, 3)) if part.kind == "mean" else maps.max((2, 3))
    weights = np.array(part.views or (1.0,))
    return np.tensordot(weights, pooled.reshape(views, -1, pooled.shape[1]), 1) * part.scale


def _in_cells(maps: FloatArray, weights: FloatArray, kind: str) -> FloatArray:
    """What each cell of a map adds, of shape (n_images, height, width)."""
    if kind == "mean":
        cells: FloatArray = np.einsum("bchw,bc->bhw", maps, weights / (maps.shape[2] * maps.shape[3]))
        return cells
    peaks = maps.max((2, 3), keepdims=True)
    where = (maps == peaks).astype(np.float64)
    heights = weights * peaks[:, :, 0, 0] / where.sum((2, 3))
    return np.asarray(np.einsum("bchw,bc->bhw", where, heights))
