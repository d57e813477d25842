"""What the card of a model file says of how the model came to be."""

import importlib.metadata
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.data.dataset import Dataset
from fieldguide.evaluation.result import Evaluation
from fieldguide.evaluation.tag_result import TagEvaluation
from fieldguide.heads.promises import COVERAGE
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.card import SPEC, SPEC_OF_TAGS
from fieldguide.modelfile.contents import ContentSketch
from fieldguide.modelfile.limits import limits_of
from fieldguide.recipes.common import Fitted, Options
from fieldguide.recipes.labelled_features import card_of
from fieldguide.tasks.task import Task

UNKNOWN_THRESHOLD = 0.01
"""Images less typical than this are unknown: about 1 % false alarms."""
PACKAGES = ("fieldguide", "numpy", "onnx", "onnxruntime", "pillow", "scipy")
"""Their versions stand in the card of every model, beside those of what its recipe and backbone were made
with: the same versions give the same bytes, whatever else is installed."""


def trained_card(
    fitted: Fitted, training: Dataset, recipe: str, options: Options, measured: Evaluation | TagEvaluation
) -> dict[str, Any]:
    """The card of a model that a recipe gave.

    Parameters
    ----------
    fitted
        What the recipe gave.
    training
        What it was given, refused images included.
    recipe
        Its name, as the person wrote it.
    options
        Preset and seed.
    measured
        What the model answers to images held out.
    """
    counts = _images_of_classes(fitted, training)
    card = {
        **common_card(fitted.classes, fitted.preprocessing, fitted.made_with),
        "recipe": recipe,
        "preset": options.preset,
        "seed": options.seed,
        "backbone": dict(fitted.backbone) if fitted.backbone else None,
        "thresholds": {
            "unknown": UNKNOWN_THRESHOLD,
            "coverage": COVERAGE,
            "set": fitted.set_threshold,
            **set_by_class(fitted.class_set_thresholds),
        },
        "metrics": metrics_summary(measured),
        "data": {
            "images": fitted.used,
            "refused": len(fitted.refused),
            "per_class": {label: counts[label] for label in fitted.classes},
            "fingerprint": fitted.fingerprint,
            "contents": ContentSketch.of(fitted.digests).as_dict(),
        },
        "choices": list(fitted.choices),
        "history": [_without_seconds(epoch) for epoch in fitted.history],
    }
    if fitted.outcome is not None:
        card["outcome"] = fitted.outcome.as_dict()
    if fitted.tag_thresholds is not None:
        card |= {"spec": SPEC_OF_TAGS, "task": str(Task.MULTIPLE)}
        card["thresholds"]["tags"] = fitted.tag_thresholds.tolist()
        if options.precision is not None:
            card["thresholds"]["precision"] = options.precision
    return card | {"limits": list(limits_of(card))}


def set_by_class(floors: NDArray[np.float64] | None) -> dict[str, list[float]]:
    """The thresholds of the prediction set that classes have of their own, where they have."""
    return {} if floors is None else {"set_by_class": floors.tolist()}


def _images_of_classes(fitted: Fitted, training: Dataset) -> Counter[str]:
    """How many images learned from have each class or tag."""
    refused = {refusal.path for refusal in fitted.refused}
    used = [row for row, path in enumerate(training.paths) if path not in refused]
    if training.tags is None:
        return Counter(training.labels[row] for row in used)
    return Counter(name for row in used if (tags := training.tags[row]) for name in tags.present)


def pretrained_card(exported: ExportedBackbone) -> dict[str, Any]:
    """The card of a backbone with its own classes, which has seen no image here."""
    card = {
        **common_card(exported.classes or (), exported.preprocessing, exported.made_with),
        "recipe": "pretrained",
        "backbone": card_of(exported),
        "thresholds": {"unknown": UNKNOWN_THRESHOLD, "coverage": None, "set": None},
        "metrics": {},
        "data": {"note": "the network's own classes, not trained here; typicality is 1 for every image"},
        "choices": [],
    }
    return card | {"limits": list(limits_of(card))}


def _without_seconds(epoch: Mapping[str, float]) -> dict[str, float]:
    """A stopwatch never shows the same twice, and the same run must give the same bytes."""
    return {name: value for name, value in epoch.items() if name != "seconds"}


def common_card(
    classes: tuple[str, ...], preprocessing: Preprocessing, made_with: tuple[str, ...]
) -> dict[str, Any]:
    """What stands in every card."""
    return {
        "spec": SPEC,
        "classes": list(classes),
        "preprocessing": preprocessing.as_dict(),
        "created": {name: importlib.metadata.version(name) for name in sorted({*PACKAGES, *made_with})},
    }


def metrics_summary(measured: Evaluation | TagEvaluation) -> dict[str, Any]:
    """The measurement without what grows with the number of classes."""
    whole = measured.as_dict()
    left_out = ("refused", "per_class", "confusion", "labels_not_in_model", "taken_for", "task", "curves")
    return {"measured_on": "out-of-fold"} | {
        key: value for key, value in whole.items() if key not in left_out
    }
