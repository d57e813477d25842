"""scikit-learn's base classes with types: the library has none, and editors should know what they bring."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Self

    import numpy as np
    from numpy.typing import NDArray

    class BaseEstimator:
        """Parameters that can be read, set and cloned."""

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...  # noqa: D102
        def set_params(self, **params: Any) -> Self: ...  # noqa: D102
        def __sklearn_tags__(self) -> Any: ...

    class ClassifierMixin:
        """A classifier, scored by its accuracy."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...  # noqa: D102

    class TransformerMixin:
        """A transformer, whose output may become a frame."""

        def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> NDArray[np.float32]: ...  # noqa: D102
        def set_output(self, *, transform: str | None = None) -> Self: ...  # noqa: D102

    class ClassNamePrefixFeaturesOutMixin:
        """Features named after the class and numbered."""

        def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]: ...  # noqa: D102

else:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        TransformerMixin,
    )

__all__ = ["BaseEstimator", "ClassNamePrefixFeaturesOutMixin", "ClassifierMixin", "TransformerMixin"]
