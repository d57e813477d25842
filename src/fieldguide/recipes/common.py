"""What every recipe takes and gives."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import Features, extract
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.data.dataset import Dataset
from fieldguide.data.leaks import Fingerprints
from fieldguide.errors import OptionError, Refusal
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.graph import join, read_model
from fieldguide.progress import Progress, silent
from fieldguide.recipes.training_outcome import TrainingOutcome
from fieldguide.tasks.task import Task


def _unheard(row: Mapping[str, float]) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Options:
    """What a person wishes of a training: with the data it decides the model file."""

    backbone: str | None = None
    """A backbone, or several joined by "+"; None lets the preset choose."""
    preset: str = "balanced"
    """`fast`, `balanced` or `best`."""
    seed: int = 0
    """The same data, seed and versions give the same file."""
    weights: Path | None = None
    """A local weights file of the backbone."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What only some recipes take, by name."""
    precision: float | None = None
    """Share of the tags given that are to be true, between 0 and 1; None gives tags for the best F1."""


@dataclass(frozen=True)
class Run:
    """What a run needs, whatever is wished: where things are kept, who is told, what it watches."""

    cache: Path | None = None
    """Folder where features are kept; None keeps none."""
    progress: Progress = silent
    """Told of each stage of the work."""
    validation: Dataset | None = None
    """DATA's validation split, for recipes that watch their training; None has them hold some images out."""
    preview: Path | None = None
    """A PNG to write that shows what augmentation does to a few images; None writes none."""
    folder: Path | None = None
    """Where a recipe that trains step by step keeps checkpoints; None keeps none."""
    report: Callable[[Mapping[str, float]], None] = _unheard
    """Called with each row of the history as soon as it is there."""
    memory: FeatureMemory | None = None
    """Features that several fits over the same images share; None has each fit extract its own."""
    body: ExportedBackbone | None = None
    """What `linear-probe` learns from, where that has been exported already; None has it exported."""

    def extract(self, paths: Sequence[str], body: ExportedBackbone) -> Features:
        """The features of images: from what fits share where there is such, else by way of the cache.

        Whatever learns from a body's features asks here, so that comparing recipes costs one pass.
        """
        if self.memory is not None:
            return self.memory.extract(paths, body, self.progress)
        return extract(paths, body, cache=self.cache, progress=self.progress)


@dataclass(frozen=True)
class OutOfFold:
    """How models that had not seen an image answered it: what the promises are made from."""

    rows: NDArray[np.int64]
    """Images of the data set, of shape (n_images,)."""
    labels: NDArray[np.integer[Any]]
    """True class numbers, of shape (n_images,); of tags :data:`fieldguide.tasks.tags.Indicators`."""
    probabilities: NDArray[np.float64]
    """Of shape (n_images, n_classes)."""
    typicality: NDArray[np.float64]
    """Of shape (n_images,)."""


@dataclass(frozen=True)
class LearnedHead:
    """From features to answers, with the promises; what differs between single labels and tags."""

    head: onnx.ModelProto
    """From `features` to the outputs of the contract."""
    set_threshold: float
    """Classes at least this probable belong to the prediction set."""
    out_of_fold: OutOfFold
    choices: tuple[str, ...]
    """A sentence for each automatic choice."""
    tag_thresholds: NDArray[np.float64] | None = None
    """Tags at least this probable are given, of shape (n_tags,); None for single labels."""
    class_set_thresholds: NDArray[np.float64] | None = None
    """As `set_threshold`, a number a class, of shape (n_classes,); None where one serves all."""


@dataclass(frozen=True)
class Fitted:
    """What a recipe gives: a network with its promises, ready to be joined with preprocessing."""

    body: ExportedBackbone | onnx.ModelProto
    """From `pixels` to `features`: a backbone as it is, whose features the cache keeps, or a network that
    was learned."""
    head: onnx.ModelProto
    """From `features` to the outputs of the contract."""
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    backbone: Mapping[str, Any] | None
    """Name, licence, source and digest for the card; None for a network of the recipe's own."""
    set_threshold: float
    """Classes at least this probable belong to the prediction set."""
    out_of_fold: OutOfFold
    used: int
    """Images learned from."""
    fingerprint: str
    """SHA-256 over contents and labels of these images."""
    digests: tuple[str, ...]
    """SHA-256 of each image learned from, those held out of training to watch it included."""
    refused: tuple[Refusal, ...]
    choices: tuple[str, ...]
    """A sentence for each automatic choice: what and why."""
    seconds: Mapping[str, float]
    history: tuple[Mapping[str, float], ...] = ()
    """A row an epoch, for recipes that have epochs."""
    measured_on: str = "training images, each by a model that had not seen it (out-of-fold)"
    """What the answers of `out_of_fold` were given to, in words."""
    watched_validation: bool = False
    """Whether DATA's validation split chose anything, so that it measures no longer quite from outside."""
    kept_epoch: int | None = None
    """The epoch, from 1, whose weights were kept."""
    side: Fingerprints | None = None
    """What tells that another image is one of those learned from, where the recipe has it at hand."""
    made_with: tuple[str, ...] = ()
    """Packages whose version the model depends on, beyond those that every model file is made with."""
    tag_thresholds: NDArray[np.float64] | None = None
    """Tags at least this probable are given, of shape (n_tags,); None for single labels."""
    class_set_thresholds: NDArray[np.float64] | None = None
    """As `set_threshold`, a number a class, of shape (n_classes,); None where one serves all."""
    outcome: TrainingOutcome | None = None
    """What training did to the weights, for recipes that train a network step by step."""
    interrupted: bool = False
    """Whether Ctrl-C ended training early; the network is the best until then."""

    @property
    def task(self) -> Task:
        """Whether it gives one label an image or any number of tags."""
        return Task.SINGLE if self.tag_thresholds is None else Task.MULTIPLE

    @property
    def set_floors(self) -> float | NDArray[np.float64]:
        """What a class must reach to belong to the prediction set: a number for all, or one a class."""
        return self.set_threshold if self.class_set_thresholds is None else self.class_set_thresholds

    @property
    def network(self) -> onnx.ModelProto:
        """From `pixels` to the outputs of the contract."""
        body = read_model(self.body.path) if isinstance(self.body, ExportedBackbone) else self.body
        return join(body, self.head, ("features",))


def number_option(
    options: Options, name: str, *, least: float, most: float = math.inf, least_is_allowed: bool = False
) -> float | None:
    """Read a setting that is a number.

    Returns
    -------
    float or None
        None if it was not given.

    Raises
    ------
    OptionError
        If it is no number, not above `least` (or below it, where that is allowed itself), or above `most`.
    """
    value = options.settings.get(name)
    if value is None:
        return None
    range_text = f"{least:g} or more" if least_is_allowed else f"more than {least:g}"
    range_text += f" and at most {most:g}" if math.isfinite(most) else ""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not least <= value <= most or (value == least and not least_is_allowed):
        raise OptionError(f"{name}: must be a number, {range_text}; got {value!r}")
    return float(value)
