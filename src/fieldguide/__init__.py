"""Image classifiers that people can trust: from a folder of photos to one file that runs everywhere.

>>> import fieldguide
>>> model = fieldguide.load("model.onnx")            # doctest: +SKIP
>>> model.predict(["a.jpg"])[0].label                # doctest: +SKIP

The names below are fetched when they are first used, so that importing the package costs nothing and using a
model never loads a training library.
"""

import os
from typing import TYPE_CHECKING, Any

# ONNX Runtime 1.29 and later tells its maker of each model and run unless this is set before its first import
# (microsoft/onnxruntime#27379). Nothing goes over the network here unless it was asked for.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from fieldguide.estimator import ImageClassifier as ImageClassifier
    from fieldguide.explain import Explanation as Explanation
    from fieldguide.predictor import Prediction as Prediction
    from fieldguide.predictor import Predictor as Predictor
    from fieldguide.predictor import load as load

    __version__: str

_HOMES = {
    "load": "fieldguide.predictor",
    "Prediction": "fieldguide.predictor",
    "Predictor": "fieldguide.predictor",
    "Explanation": "fieldguide.explain",
    "ImageClassifier": "fieldguide.estimator",
}

__all__ = ["Explanation", "ImageClassifier", "Prediction", "Predictor", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("fieldguide")
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'fieldguide' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
