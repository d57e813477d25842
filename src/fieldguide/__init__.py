"""Image classifiers that people can trust: from a folder of photos to one file that runs everywhere.

>>> import fieldguide
>>> model = fieldguide.load("model.onnx")            # doctest: +SKIP
>>> model.predict(["a.jpg"])[0].label                # doctest: +SKIP
>>> fieldguide.train("photos", out="model.onnx")     # doctest: +SKIP

There is a function for each command of the command line, with the same options and defaults: docs/python.md.

The names below are fetched when they are first used, so that importing the package costs nothing and using a
model never loads a training library.
"""

import os

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` takes longer than all the rest
# ONNX Runtime 1.29 and later tells its maker of each model and run unless this is set before its first import
# (microsoft/onnxruntime#27379). Nothing goes over the network here unless it was asked for.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# torch's threads wait for each other by spinning: beside other work that costs several times the step itself
# (docs/log.md). Whoever has set it, or imported torch before, keeps what is there.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from typing import Any

    from fieldguide.api.architectures import architecture as architecture
    from fieldguide.api.checking import check as check
    from fieldguide.api.data import open_dataset as open_dataset
    from fieldguide.api.experimenting import compare as compare
    from fieldguide.api.experimenting import novelty as novelty
    from fieldguide.api.exporting import export as export
    from fieldguide.api.filing import undo as undo
    from fieldguide.api.measuring import evaluate as evaluate
    from fieldguide.api.merging import merge as merge
    from fieldguide.api.naming import zero_shot as zero_shot
    from fieldguide.api.predicting import explain as explain
    from fieldguide.api.predicting import next_to_label as next_to_label
    from fieldguide.api.predicting import predict as predict
    from fieldguide.api.rate_finding import find_rate as find_rate
    from fieldguide.api.tracking import log_to as log_to
    from fieldguide.api.training import pretrained as pretrained
    from fieldguide.api.training import train as train
    from fieldguide.api.training import tune as tune
    from fieldguide.api.writing import convert as convert
    from fieldguide.api.writing import split as split
    from fieldguide.data.dataset import Dataset as Dataset
    from fieldguide.estimator import ImageClassifier as ImageClassifier
    from fieldguide.estimator import ImageFeatures as ImageFeatures
    from fieldguide.explanation.explainer import Explanation as Explanation
    from fieldguide.prediction.predictor import Prediction as Prediction
    from fieldguide.prediction.predictor import Predictor as Predictor
    from fieldguide.prediction.predictor import load as load

    __version__: str

_HOMES = {
    "load": "fieldguide.prediction.predictor",
    "Prediction": "fieldguide.prediction.predictor",
    "Predictor": "fieldguide.prediction.predictor",
    "Explanation": "fieldguide.explanation.explainer",
    "ImageClassifier": "fieldguide.estimator",
    "ImageFeatures": "fieldguide.estimator",
    "Dataset": "fieldguide.data.dataset",
    "open_dataset": "fieldguide.api.data",
    "architecture": "fieldguide.api.architectures",
    "check": "fieldguide.api.checking",
    "split": "fieldguide.api.writing",
    "convert": "fieldguide.api.writing",
    "export": "fieldguide.api.exporting",
    "train": "fieldguide.api.training",
    "tune": "fieldguide.api.training",
    "pretrained": "fieldguide.api.training",
    "find_rate": "fieldguide.api.rate_finding",
    "log_to": "fieldguide.api.tracking",
    "compare": "fieldguide.api.experimenting",
    "novelty": "fieldguide.api.experimenting",
    "evaluate": "fieldguide.api.measuring",
    "merge": "fieldguide.api.merging",
    "predict": "fieldguide.api.predicting",
    "explain": "fieldguide.api.predicting",
    "next_to_label": "fieldguide.api.predicting",
    "undo": "fieldguide.api.filing",
    "zero_shot": "fieldguide.api.naming",
}

__all__ = [
    "Dataset",
    "Explanation",
    "ImageClassifier",
    "ImageFeatures",
    "Prediction",
    "Predictor",
    "__version__",
    "architecture",
    "check",
    "compare",
    "convert",
    "evaluate",
    "explain",
    "export",
    "find_rate",
    "load",
    "log_to",
    "merge",
    "next_to_label",
    "novelty",
    "open_dataset",
    "predict",
    "pretrained",
    "split",
    "train",
    "tune",
    "undo",
    "zero_shot",
]


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        from importlib.metadata import version

        return version("fieldguide")
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'fieldguide' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
