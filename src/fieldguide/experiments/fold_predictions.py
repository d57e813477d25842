"""What a trained recipe answers to images it has not seen, without writing a model file.

Where the network is a backbone as it came, its features are shared or cached and only the head is run; a
network that was learned runs over the pixels. Both answer as the model file would, which
:mod:`fieldguide.learning.train` writes from the very same two graphs.
"""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import BATCHES_AHEAD, Features
from fieldguide.errors import Refusal, RefusedInput
from fieldguide.images.network_input import network_pixels
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.images.read_ahead import read_ahead
from fieldguide.modelfile.session import open_session
from fieldguide.progress import Progress
from fieldguide.recipes.common import Fitted, Run
from fieldguide.threads import usable_cores

HEAD_ROWS = 2048
"""Feature vectors that a head takes at once."""
PIXEL_ROWS = 32
"""Images that a network takes at once."""
TIMED = 8
"""Images that one at a time are timed."""


@dataclass(frozen=True)
class FoldAnswers:
    """A model's answers to a list of images, refused ones left out."""

    rows: NDArray[np.int64]
    """Which of the given paths each row belongs to, growing; of shape (n_kept,)."""
    probabilities: NDArray[np.float64]
    """Of shape (n_kept, n_classes), columns as in `Fitted.classes`."""
    typicality: NDArray[np.float64]
    """Of shape (n_kept,), in [0, 1]."""
    refused: tuple[Refusal, ...] = ()
    """The paths that could not be used, in the order given."""


def answer(fitted: Fitted, paths: Sequence[str], run: Run) -> FoldAnswers:
    """Answer images.

    Parameters
    ----------
    fitted
        What a recipe gave.
    paths
        Image files.
    run
        The one `fitted` was made with: its features are shared or cached in the same way.
    """
    if not isinstance(fitted.body, ExportedBackbone):
        refused: list[Refusal] = []
        batches = _pixel_batches(fitted.preprocessing, paths, run.progress, refused)
        answers = _answers(fitted.network, batches, len(fitted.classes))
        return dataclasses.replace(answers, refused=tuple(refused))
    features = run.extract(paths, fitted.body)
    answers = _answers(fitted.head, _feature_batches(features), len(fitted.classes))
    return dataclasses.replace(answers, refused=features.refused)


def seconds_per_image(network: bytes, preprocessing: Preprocessing, paths: Sequence[str]) -> float:
    """What one photo costs from file to answer, on the clock: the median over some, each by itself.

    Nothing comes from a cache, so that recipes can be compared. Not a number where none can be read.

    Parameters
    ----------
    network
        ONNX, from `pixels` to the outputs of the contract.
    preprocessing
        How a photo becomes its input.
    paths
        Photos.
    """
    session = open_session(network, "the trained model", usable_cores())
    spent = []
    for path in paths[: TIMED + 1]:
        started = time.perf_counter()
        with contextlib.suppress(RefusedInput):
            pixels = _pixels(preprocessing, path)
            session.run(["probabilities", "typicality"], {"pixels": pixels[None]})
            spent.append(time.perf_counter() - started)
    return float(np.median(spent[1:] or spent)) if spent else float("nan")  # the first one warms up


Batch = tuple[list[int], dict[str, NDArray[Any]]]
"""Positions among the paths, and what the network is fed."""


def _feature_batches(features: Features) -> Iterator[Batch]:
    for start in range(0, len(features.rows), HEAD_ROWS):
        some = slice(start, start + HEAD_ROWS)
        yield features.rows[some].tolist(), {"features": features.vectors[some].astype(np.float32)}


def _pixel_batches(
    preprocessing: Preprocessing, paths: Sequence[str], progress: Progress, refused: list[Refusal]
) -> Iterator[Batch]:
    """Pixels of the images that can be read; the others are added to `refused`."""
    rows: list[int] = []
    images: list[NDArray[np.uint8]] = []
    ahead = BATCHES_AHEAD * PIXEL_ROWS
    read = partial(_pixels, preprocessing)
    with read_ahead(read, paths, stage="answers", progress=progress, ahead=ahead) as stream:
        for position, pixels in stream:
            if isinstance(pixels, Refusal):
                refused.append(pixels)
                continue
            rows.append(position)
            images.append(pixels)
            if len(rows) == PIXEL_ROWS:
                yield rows, {"pixels": np.stack(images)}
                rows, images = [], []
    if rows:
        yield rows, {"pixels": np.stack(images)}


def _answers(model: onnx.ModelProto, batches: Iterator[Batch], classes: int) -> FoldAnswers:
    session = _session(model)
    rows: list[int] = []
    probabilities, typicality = [np.empty((0, classes))], [np.empty(0)]
    for positions, inputs in batches:
        probable, typical = session.run(["probabilities", "typicality"], inputs)
        rows += positions
        probabilities.append(probable.astype(np.float64))
        typicality.append(typical.astype(np.float64))
    return FoldAnswers(np.array(rows, np.int64), np.concatenate(probabilities), np.concatenate(typicality))


def _session(model: onnx.ModelProto) -> Any:
    return open_session(model.SerializeToString(), "the trained model", usable_cores())


def _pixels(preprocessing: Preprocessing, path: str) -> NDArray[np.uint8]:
    return network_pixels(path, preprocessing)
