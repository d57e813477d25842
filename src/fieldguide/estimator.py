"""`ImageClassifier`: training and prediction in scikit-learn's words, on lists of paths."""

import math
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from fieldguide.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.files import atomic_write, cache_folder, scratch_folder
from fieldguide.predictor import Predictor, load
from fieldguide.recipes.common import Setting
from fieldguide.train import TrainOptions, train_dataset


class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
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

    def fit(self, X: Sequence[str | Path], y: Sequence[Any], groups: Sequence[Any] | None = None) -> Self:
        """Learn from image files.

        Parameters
        ----------
        X : sequence of paths of length n_images
        y : sequence of length n_images
            Labels: all text, or all whole numbers or booleans.
        groups : sequence of length n_images, optional
            Images of one group stay on one side of every split.

        Raises
        ------
        DataError
            If lengths differ, a label is missing or empty or text stands beside numbers, or fewer than two
            classes can be learned.
        """
        paths, labels = _as_paths(X), _as_labels(y)
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
            groups=None if groups is None else tuple(str(group) for group in groups),
        )
        with scratch_folder() as folder:
            out = folder / "model.onnx"
            result = train_dataset(dataset, TrainOptions(Path(), out, self.recipe, self._setting()))
            self.model_ = out.read_bytes()
        self.refused_, self.choices_ = result.refused, result.choices
        learned = result.fitted.classes
        kept = [place for place, name in enumerate(names) if name in learned]
        self.classes_ = classes[kept]
        self._order = np.array([learned.index(names[place]) for place in kept])
        return self

    def predict(self, X: Sequence[str | Path]) -> NDArray[Any]:
        """Return the most probable label of each image, of shape (n_images,)."""
        probabilities = self.predict_proba(X)  # before `classes_`, which is not there before `fit`
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def predict_proba(self, X: Sequence[str | Path]) -> NDArray[np.float64]:
        """Return calibrated probabilities of shape (n_images, n_classes), columns as in `classes_`.

        Raises
        ------
        DataError
            If an image cannot be read; ``fieldguide.load(...).predict`` marks such images instead.
        """
        check_is_fitted(self)
        rows = []
        for prediction in self._predictor().predict_stream(_as_paths(X)):
            if prediction.error is not None or prediction.probabilities is None:
                reason = prediction.error.message if prediction.error else "no answer"
                raise DataError(f"{prediction.path}: {reason}; take it out of the list")
            rows.append(np.asarray(prediction.probabilities, dtype=np.float64)[self._order])
        return np.stack(rows) if rows else np.empty((0, len(self.classes_)))

    def save(self, path: str | Path) -> None:
        """Write the model file, for :func:`fieldguide.load` and everything else that runs ONNX."""
        check_is_fitted(self)
        with atomic_write(path) as file:
            file.write(self.model_)

    def _setting(self) -> Setting:
        cache = cache_folder() / "features" if self.use_cache else None
        return Setting(backbone=self.backbone, preset=self.preset, seed=self.seed, cache=cache)

    def _predictor(self) -> Predictor:
        with scratch_folder() as folder:
            self.save(folder / "model.onnx")
            return load(folder / "model.onnx")


def _as_paths(images: Sequence[str | Path]) -> list[str]:
    if isinstance(images, (str, Path)):
        raise DataError(f"X must be a list of paths, got one path, {str(images)!r}; put it into a list")
    return [str(path) for path in images]


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
                f"labels must be text that is not empty, or whole numbers; "
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
