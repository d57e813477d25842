"""The training images that a photo is most like, as the model sees them: by their embeddings.

Features of different depths differ in size a hundredfold, so each is centred and divided by its deviation
over DATA; two images are as alike as the cosine between what is then left.
"""

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import DataError, OutputError, Refusal
from fieldguide.explanation.explainer import Explainer, Photo
from fieldguide.images.read_ahead import read_ahead
from fieldguide.progress import Progress, silent
from fieldguide.storage import checksummed_files

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset

MOST = 20_000
"""Images of DATA that are looked at, a sample where there are more; so many embeddings fit into memory."""
BATCH = 2
"""Images that go through the network together; larger batches overflow the caches of one core."""
ROWS = 1024
"""Embeddings that are compared at once."""


class Embedded(Protocol):
    """What comes of running a model over a batch of pixels, as far as it is looked at here."""

    @property
    def embedding(self) -> NDArray[np.float32]:
        """Of shape (n_images, n_features)."""


class EmbeddingModel(Protocol):
    """A model that gives embeddings, such as :class:`fieldguide.Predictor`."""

    @property
    def digest(self) -> str:
        """SHA-256 of the model file."""

    @property
    def explainer(self) -> Explainer:
        """Makes a photo into the pixels that the model sees."""

    def run(self, pixels: NDArray[np.uint8]) -> Embedded:
        """Run the model over pixels of shape (n_images, height, width, 3)."""


@dataclass(frozen=True)
class Neighbour:
    """An image of DATA."""

    path: str
    """Where it lies."""
    label: str
    """Its class, or its tags joined by ``|``; empty where it has none."""
    similarity: float
    """To the photo, from -1 to 1."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return {"path": self.path, "label": self.label, "similarity": self.similarity}


def nearest(
    model: EmbeddingModel,
    image: Photo,
    dataset: "Dataset",
    *,
    count: int = 5,
    cache: Path | None = None,
    progress: Progress = silent,
) -> tuple[Neighbour, ...]:
    """Find the images of a data set that a photo is most like.

    Parameters
    ----------
    model
        A loaded model file.
    image
        The photo.
    dataset
        What it is compared with; images that cannot be read are passed over.
    count
        How many to give at most.
    cache
        Folder where embeddings are kept for the next photo, by model file and by path, size and time of each
        image; None keeps none.
    progress
        Callback for progress: the stage `embedding`.

    Returns
    -------
    tuple of Neighbour
        The most alike first.

    Raises
    ------
    RefusedInput
        If the photo cannot be read.
    DataError
        If no image of DATA can.
    """
    own = model.run(model.explainer.pixels(image)[None]).embedding[0].astype(np.float64)
    places = _chosen(len(dataset))
    paths = [dataset.paths[place] for place in places]
    vectors = _embeddings(model, paths, cache, progress)
    kept = np.flatnonzero(np.isfinite(vectors[:, 0]))
    if not len(kept):
        raise DataError(
            f"{dataset.called}: none of its {len(dataset)} images can be read; give readable images"
        )
    alike = _similarities(own, vectors, kept)
    best = np.argsort(-alike, kind="stable")[:count]
    return tuple(
        Neighbour(paths[kept[row]], _label(dataset, places[kept[row]]), round(float(alike[row]), 6))
        for row in best.tolist()
    )


def _label(dataset: "Dataset", place: int) -> str:
    tags = dataset.tags_at(place)
    return dataset.labels[place] if tags is None else "|".join(tags.present)


def _chosen(images: int) -> list[int]:
    if images <= MOST:
        return list(range(images))
    return sorted(np.random.default_rng(0).choice(images, MOST, replace=False).tolist())


def _similarities(
    own: NDArray[np.float64], vectors: NDArray[np.float16], kept: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Cosines of shape (n_kept,)."""
    total, squares = np.zeros(len(own)), np.zeros(len(own))
    for block in _blocks(vectors, kept):
        total += block.sum(0)
        squares += (block**2).sum(0)
    mean = total / len(kept)
    deviation = np.sqrt(np.maximum(squares / len(kept) - mean**2, 0.0))
    weights = np.divide(1.0, deviation, out=np.zeros_like(mean), where=deviation > 1e-6 * (1 + np.abs(mean)))
    photo = (own.astype(np.float16).astype(np.float64) - mean) * weights
    found = []
    for block in _blocks(vectors, kept):
        others = (block - mean) * weights
        lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(photo)
        found.append(np.divide(others @ photo, lengths, out=np.zeros(len(block)), where=lengths > 0))
    return np.concatenate(found)


def _blocks(vectors: NDArray[np.float16], kept: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, len(kept), ROWS):
        yield vectors[kept[start : start + ROWS]].astype(np.float64)


def _embeddings(
    model: EmbeddingModel, paths: list[str], cache: Path | None, progress: Progress
) -> NDArray[np.float16]:
    """Of shape (n_paths, n_features); NaN for an image that cannot be read."""
    file = None if cache is None else cache / "embeddings" / f"{_key(model, paths)}.embeddings"
    known = None if file is None else _kept(file, len(paths))
    if known is not None:
        return known
    rows = np.concatenate(list(_computed(model, paths, progress)))
    if file is not None:
        # A cache that cannot be written costs time the next time, and nothing now.
        with contextlib.suppress(OSError, OutputError):
            file.parent.mkdir(parents=True, exist_ok=True)
            content = io.BytesIO()
            np.save(content, rows, allow_pickle=False)
            checksummed_files.write(file, content.getvalue())
    return rows


def _computed(model: EmbeddingModel, paths: list[str], progress: Progress) -> Iterator[NDArray[np.float16]]:
    most = float(np.finfo(np.float16).max)
    done = 0
    side = model.explainer.side
    blank = np.zeros((side, side, 3), np.uint8)
    with read_ahead(model.explainer.pixels, paths, ahead=8 * BATCH) as stream:
        while some := [image for _, image in islice(stream, BATCH)]:
            refused = [isinstance(image, Refusal) for image in some]
            pixels = np.stack([blank if isinstance(image, Refusal) else image for image in some])
            rows = model.run(pixels).embedding.clip(-most, most).astype(np.float16)
            rows[refused] = np.nan
            done += len(some)
            progress("embedding", done, len(paths))
            yield rows


def _key(model: EmbeddingModel, paths: list[str]) -> str:
    facts: list[Any] = [model.digest]
    for path in paths:
        try:
            status = Path(path).stat()
            facts.append([path, status.st_size, status.st_mtime_ns])
        except (OSError, ValueError):
            facts.append([path])
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _kept(file: Path, count: int) -> NDArray[np.float16] | None:
    """What an earlier run has kept; None where there is none, or it is damaged in any way."""
    content = checksummed_files.read(file, "embeddings")
    if content is None:
        return None
    rows: NDArray[np.float16] = np.load(io.BytesIO(content), allow_pickle=False)
    return rows if len(rows) == count else None
