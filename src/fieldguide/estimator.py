"""`ImageClassifier`: training and prediction in scikit-learn's words, on lists of paths."""

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Self, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import extract
from fieldguide.data.dataset import Dataset
from fieldguide.data.frames import Frame, FrameColumns, is_frame, read_frame
from fieldguide.data.split_names import split_of
from fieldguide.errors import DataError, DataValueError, Refusal, RefusedInput
from fieldguide.files import atomic_write, cache_folder, scratch_folder
from fieldguide.images.decoding import open_image
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.mixins.sklearn_bases import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from fieldguide.prediction.predictor import ImageSource, Predictor, load
from fieldguide.recipes import classical_features, linear_probe
from fieldguide.recipes.common import Options, Run

Images: TypeAlias = "Sequence[ImageSource] | Frame"
"""Paths, bytes of image files, Pillow images or arrays of pixels; or a frame with a column of images."""


CLASSICAL = "classical"
"""In place of a backbone: edges, texture and colour, nothing pretrained."""


class ImageClassifier(ClassifierMixin, BaseEstimator):
    """An image classifier that scikit-learn's tools can clone, cross-validate and search.

    Parameters
    ----------
    recipe : str, default="linear-probe"
        The way to train.
    backbone : str or None, default=None
        A pretrained network; None lets the preset choose.
    preset : {"fast", "balanced", "best"}, default="balanced"
        From quickest to most accurate.
    seed : int, default=0
        The same images, seed and versions give the same model.
    use_cache : bool, default=True
        Whether features are kept in the user's cache folder, so that cross-validation passes each image
        through the network once and not once a fold.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted, of the dtype that they were given in.
    refused_ : tuple of Refusal
        Training images that could not be read and were left out.
    choices_ : tuple of str
        What was chosen automatically, and why.
    """

    def __init__(
        self,
        recipe: str = "linear-probe",
        *,
        backbone: str | None = None,
        preset: str = "balanced",
        seed: int = 0,
        use_cache: bool = True,
    ) -> None:
        self.recipe = recipe
        self.backbone = backbone
        self.preset = preset
        self.seed = seed
        self.use_cache = use_cache

    def fit(self, X: Images, y: Sequence[Any] | None = None, groups: Sequence[Any] | None = None) -> Self:
        """Learn from image files.

        Parameters
        ----------
        X : sequence of length n_images, or frame
            Paths, bytes of image files, Pillow images or uint8 arrays of shape (height, width, 3). A frame
            of pandas or polars, or a data set of Hugging Face, has a column `path` or `image`; where it has
            `split`, train is learned from, validation tuned on, and test never opened.
        y : sequence of length n_images
            Labels: all text, or all whole numbers or booleans. May be left out where a frame has a column
            `label`.
        groups : sequence of length n_images, optional
            Images of one group stay on one side of every split. A frame may have a column `group`.

        Raises
        ------
        DataError
            If lengths differ, a label is missing or empty or text stands beside numbers, or fewer than two
            classes can be learned.
        """
        with _value_errors(), scratch_folder() as folder:
            given = _given(X, y, groups, folder)
            return self._fit(given, folder)

    def _fit(self, given: "_Given", folder: Path) -> Self:
        paths, labels, groups = given.paths, _as_labels(given.labels), given.groups
        if not len(paths) == len(labels) == len(paths if groups is None else groups):
            tied = "" if groups is None else f" and {len(groups)} groups"
            raise DataError(
                "X, y and groups must be of equal length, "
                f"got {len(paths)} paths, {len(labels)} labels{tied}; drop or add some"
            )
        classes, places = np.unique(labels, return_inverse=True)
        names = [str(label) for label in classes]
        dataset = Dataset(
            root=Path(),
            paths=tuple(paths),
            labels=tuple(names[place] for place in places),
            splits=given.splits,
            groups=None if groups is None else tuple(str(group) for group in groups),
        )
        out = folder / "model.onnx"
        result = train_dataset(dataset, self._wanted(out))
        self.model_: bytes = out.read_bytes()
        self.refused_: tuple[Refusal, ...] = result.refused
        self.choices_: tuple[str, ...] = result.choices
        learned = result.fitted.classes
        kept = [place for place, name in enumerate(names) if name in learned]
        self.classes_: NDArray[Any] = classes[kept]
        self._order = np.array([learned.index(names[place]) for place in kept])
        return self

    def predict(self, X: Images) -> NDArray[Any]:
        """Return the most probable label of each image, of shape (n_images,)."""
        probabilities = self.predict_proba(X)  # before `classes_`, which is not there before `fit`
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def predict_proba(self, X: Images) -> NDArray[np.float64]:
        """Return calibrated probabilities of shape (n_images, n_classes), columns as in `classes_`.

        Raises
        ------
        DataError
            If an image cannot be read; ``fieldguide.load(...).predict`` marks such images instead.
        """
        check_is_fitted(self)
        rows = []
        with _value_errors(), _paths_of(X) as paths:
            for prediction in self._predictor().predict_stream(paths):
                if prediction.error is not None or prediction.probabilities is None:
                    reason = prediction.error.message if prediction.error else "no answer"
                    raise DataError(f"{prediction.path}: {reason}; take it out of the list")
                rows.append(np.asarray(prediction.probabilities, dtype=np.float64)[self._order])
        return np.stack(rows) if rows else np.empty((0, len(self.classes_)))

    def __sklearn_tags__(self) -> Any:
        tags: Any = super().__sklearn_tags__()
        return _for_photos(tags)

    def save(self, path: str | Path) -> None:
        """Write the model file, for :func:`fieldguide.load` and everything else that runs ONNX."""
        check_is_fitted(self)
        with atomic_write(path) as file:
            file.write(self.model_)

    def _wanted(self, out: Path) -> TrainOptions:
        options = Options(backbone=self.backbone, preset=self.preset, seed=self.seed)
        run = Run(cache=cache_folder() / "features" if self.use_cache else None)
        return TrainOptions(Path(), out, self.recipe, options, run)

    def _predictor(self) -> Predictor:
        with scratch_folder() as folder:
            self.save(folder / "model.onnx")
            return load(folder / "model.onnx")


class ImageFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Photos to what a pretrained network, or classical computer vision, sees in them.

    Any model of scikit-learn can stand on these features. Nothing is learned from the photos, so a pipeline
    with it may be cross-validated; each photo passes the network once, for features are kept by content.

    Parameters
    ----------
    backbone : str or None, default=None
        A pretrained network; ``"classical"`` for edges, texture and colour; None lets the preset choose.
    preset : {"fast", "balanced", "best"}, default="balanced"
        From quickest to most telling.
    use_cache : bool, default=True
        Whether features are kept in the user's cache folder.

    Attributes
    ----------
    choice_ : str
        What was chosen, and why.
    parts_ : dict of str to slice
        Which columns hold which kind of feature: edges, texture and colours of the classical ones, depths of
        a network.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(ImageFeatures("classical"), LogisticRegression())
    >>> model.fit(["a.jpg", "b.jpg"], ["cat", "dog"])    # doctest: +SKIP
    """

    def __init__(
        self, backbone: str | None = None, *, preset: str = "balanced", use_cache: bool = True
    ) -> None:
        self.backbone = backbone
        self.preset = preset
        self.use_cache = use_cache

    def fit(self, X: Images, y: object = None) -> Self:
        """See that the network can be had; nothing is learned.

        Raises
        ------
        OptionError
            If the preset is unknown.
        BackboneError
            If the weights cannot be had.
        """
        body = self._body()
        self._n_features_out = body.features
        ends = np.cumsum([width for _, width in body.depths]).tolist()
        self.parts_: dict[str, slice] = {
            name: slice(end - width, end) for (name, width), end in zip(body.depths, ends, strict=True)
        }
        self.choice_: str = f"{body.name}, {body.preprocessing.size} × {body.preprocessing.size} pixels"
        return self

    def transform(self, X: Images) -> NDArray[np.float32]:
        """Return the features of images, of shape (n_images, n_features).

        Raises
        ------
        DataError
            If an image cannot be read.
        """
        check_is_fitted(self)
        with _value_errors(), _paths_of(X) as paths:
            if not paths:
                return np.empty((0, self._n_features_out), np.float32)
            found = extract(paths, self._body(), cache=self._run().cache)
            if found.refused:
                first = found.refused[0]
                raise DataError(f"{first.path}: {first.message}; take it out of the list")
            return np.asarray(found.vectors, dtype=np.float32)

    def _body(self) -> ExportedBackbone:
        if self.backbone == CLASSICAL:
            return classical_features.body(Options(), self._run())
        return linear_probe.body(Options(backbone=self.backbone, preset=self.preset), self._run())

    def _run(self) -> Run:
        return Run(cache=cache_folder() / "features" if self.use_cache else None)

    def __sklearn_tags__(self) -> Any:
        tags: Any = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # photos are of no dtype that features could keep
        return _for_photos(tags)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_n_features_out")


def _for_photos(tags: Any) -> Any:
    """What scikit-learn is told of X: paths and photos, no table of numbers."""
    tags.input_tags.two_d_array = False
    tags.input_tags.string = True
    return tags


@contextlib.contextmanager
def _value_errors() -> Iterator[None]:
    """What is wrong with X or y is a ValueError as well, as scikit-learn's tools expect it."""
    try:
        yield
    except DataValueError:
        raise
    except DataError as error:
        raise DataValueError(str(error)) from error


@dataclass(frozen=True)
class _Given:
    """What is learned from, however it was given."""

    paths: list[str]
    labels: Sequence[Any]
    groups: Sequence[Any] | None
    splits: tuple[str, ...] | None = None


def _given(
    images: Images, labels: Sequence[Any] | None, groups: Sequence[Any] | None, folder: Path
) -> _Given:
    if is_frame(images):
        columns = read_frame(images, lambda: folder)
        labels = columns.labels if labels is None else labels
        if labels is None:
            raise DataError(f"{columns.title}: need a column label, or y; got neither, add one")
        splits = None if columns.splits is None else tuple(map(_split_named, columns.splits))
        return _Given(_files(columns), labels, columns.groups if groups is None else groups, splits)
    if labels is None:
        raise DataError(
            "requires y to be passed, but the target y is None: y must hold a label for each path; "
            "give the labels"
        )
    return _Given(_as_paths(images, folder), labels, groups)


def _split_named(text: str) -> str:
    split = split_of(text.strip())
    if split is None:
        raise DataError(f"the column split must name train, validation or test, got {text!r}; mend it")
    return split


def _files(columns: FrameColumns) -> list[str]:
    """The file of each row; a row without one has its number, under which it is refused."""
    return [image.path if isinstance(image, Refusal) else image for image in columns.images]


@contextlib.contextmanager
def _paths_of(images: Images) -> Iterator[list[str]]:
    """Paths, for as long as images that stood in a frame are needed."""
    with scratch_folder() as folder:
        yield _files(read_frame(images, lambda: folder)) if is_frame(images) else _as_paths(images, folder)


def _as_paths(images: Images, folder: Path) -> list[str]:
    """The file of each image; what was given as pixels or bytes is written into the folder, without loss."""
    if isinstance(images, (str, Path)):
        raise DataError(f"X must be a list of paths, got one path, {str(images)!r}; put it into a list")
    listed = enumerate(cast("Sequence[ImageSource]", images))
    return [_as_path(image, folder / f"{place:07}.png") for place, image in listed]


def _as_path(image: ImageSource, out: Path) -> str:
    if isinstance(image, (str, os.PathLike)):
        return os.fspath(image)
    try:
        open_image(image).save(out, "PNG", compress_level=1)
    except RefusedInput as error:
        place = int(out.stem)
        raise DataError(f"the image at position {place} of X: {error.message}; take it out") from error
    return str(out)


def _as_labels(y: Any) -> NDArray[Any]:
    """One label an image, with a dtype whose values differ as text as well: text, or whole numbers.

    A list goes through objects, for numpy makes one text of ``1`` and ``"1"``, and ``"nan"`` of nothing.
    """
    labels = np.asarray(y) if hasattr(y, "dtype") else np.array([*y, None], dtype=object)[:-1]
    if labels.ndim != 1:
        raise DataError(f"y must hold one label an image, got the shape {labels.shape}; give one dimension")
    kinds: dict[str, int] = {}
    for place, label in enumerate(labels):
        kinds.setdefault(_kind_of(label), place)
    for kind, place in kinds.items():
        if kind not in ("text", "whole numbers"):
            raise DataError(
                f"{'Unknown label type: ' if kind.startswith('the number') else ''}"
                "labels must be text that is not empty, or whole numbers; "
                f"the one at position {place} of y is {kind}; mend it or leave the image out"
            )
    if len(kinds) > 1:
        places = " and ".join(f"{kind} (first at position {place})" for kind, place in kinds.items())
        raise DataError(f"labels must be all text or all whole numbers, got {places}; convert them")
    by_itself = labels.dtype == object and ("whole numbers" in kinds or not hasattr(y, "dtype"))
    return np.array(labels.tolist()) if by_itself else labels


def _kind_of(label: Any) -> str:
    if isinstance(label, str):
        return "text" if label else "empty"
    if label is None:
        return "missing"
    if not isinstance(label, (Real, np.bool_)):
        return f"of the type {type(label).__name__}"
    value = float(label)
    if math.isnan(value):
        return "missing"
    return "whole numbers" if value.is_integer() else f"the number {label}"
