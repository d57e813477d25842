"""`ImageClassifier`: training and prediction in scikit-learn's words, on lists of paths."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from fieldguide.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.files import atomic_write, cache_folder
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
        The labels, sorted.
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
            Labels, text or numbers.
        groups : sequence of length n_images, optional
            Images of one group stay on one side of every split.

        Raises
        ------
        DataError
            If lengths differ, or fewer than two classes can be learned.
        """
        paths, labels = [str(path) for path in X], np.asarray(y)
        if len(paths) != len(labels):
            raise DataError(
                f"X and y must be of equal length, got {len(paths)} paths and {len(labels)} labels"
            )
        names = {str(label): label for label in np.unique(labels)}
        dataset = Dataset(
            root=Path(),
            paths=tuple(paths),
            labels=tuple(str(label) for label in labels),
            groups=None if groups is None else tuple(str(group) for group in groups),
        )
        with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
            out = Path(folder) / "model.onnx"
            result = train_dataset(dataset, TrainOptions(Path(), out, self.recipe, self._setting()))
            self.model_ = out.read_bytes()
        self.refused_, self.choices_ = result.refused, result.choices
        learned = result.fitted.classes
        kept = [(label, learned.index(name)) for name, label in names.items() if name in learned]
        self.classes_ = np.array([label for label, _ in kept])
        self._order = np.array([place for _, place in kept])
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
        for prediction in self._predictor().predict_stream([str(path) for path in X]):
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
        with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
            self.save(Path(folder) / "model.onnx")
            return load(Path(folder) / "model.onnx")
