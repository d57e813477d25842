"""The whole line from DATA to a measured model file."""

import dataclasses
import importlib.metadata
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fieldguide import additions, recipes
from fieldguide.artifact import SPEC
from fieldguide.backbone_export import export
from fieldguide.corrections import corrected, read_corrections, told
from fieldguide.dataset import Dataset, open_dataset
from fieldguide.errors import DataError, OutputError, Refusal
from fieldguide.evaluate import evaluate
from fieldguide.evaluation import Evaluation, Outcomes, measure
from fieldguide.files import atomic_write
from fieldguide.graph import join, model_file, pretrained_head_model, read_model
from fieldguide.leaks import Leaks, Side, find_leaks
from fieldguide.model_card import MAX_CLASSES, MAX_NAME, may_be_class
from fieldguide.predictor import load
from fieldguide.preprocess import Preprocessing
from fieldguide.probe import COVERAGE
from fieldguide.progress import Progress, silent
from fieldguide.recipes.common import Fitted, Setting

UNKNOWN_THRESHOLD = 0.01
"""Images less typical than this are unknown: about 1 % false alarms."""
PACKAGES = ("fieldguide", "numpy", "onnx", "onnxruntime", "pillow", "scikit-learn", "scipy", "timm", "torch")
"""Their versions stand in the card: the same versions give the same bytes."""


@dataclass(frozen=True)
class TrainOptions:
    """What a person decides about ``fieldguide train``."""

    data: Path
    """DATA in any form."""
    out: Path
    """The model file to write."""
    recipe: str = "linear-probe"
    """A key of :data:`fieldguide.recipes.RECIPES`."""
    setting: Setting = field(default_factory=Setting)
    """Backbone, preset, seed and the like."""
    corrections: Path | None = None
    """A table of corrections to apply to the data first; docs/check.md has its form."""
    add: Path | None = None
    """More photos of DATA's classes to learn from, in any form that DATA may have."""


@dataclass(frozen=True)
class TrainResult:
    """What a training run gave."""

    options: TrainOptions
    fitted: Fitted
    validation: Evaluation
    """Out of sample: on DATA's validation split where there is one, else out-of-fold."""
    measured_on: str
    """Which of the two, in words."""
    refused: tuple[Refusal, ...]
    """Images that were not learned from, by the name the person knows."""
    notes: tuple[str, ...]
    """Sentences about the data."""
    seconds: Mapping[str, float]

    @property
    def choices(self) -> tuple[str, ...]:
        """A sentence for each automatic choice."""
        return self.fitted.choices

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``train --json``, with `choices`, `notes` and `interrupted` added."""
        setting, backbone = self.options.setting, self.fitted.backbone
        return {
            "model": str(self.options.out),
            "recipe": self.options.recipe,
            "backbone": backbone["name"] if backbone else None,
            "preset": setting.preset,
            "seed": setting.seed,
            "images": {"used": self.fitted.used, "refused": len(self.refused)},
            "refused": [refusal.as_dict() for refusal in self.refused],
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "validation": self.validation.as_dict() | {"measured_on": self.measured_on},
            "history": [dict(epoch) for epoch in self.fitted.history],
            "choices": list(self.choices),
            "notes": list(self.notes),
            "interrupted": self.fitted.interrupted,
        }


def train(options: TrainOptions) -> TrainResult:
    """Learn from DATA, write the model file and measure it.

    Raises
    ------
    OptionError
        If a recipe or preset is unknown.
    DataError
        If DATA cannot be used.
    BackboneError
        If the backbone's weights cannot be had.
    OutputError
        If the model file cannot be written.
    """
    started = time.perf_counter()
    recipes.find(options.recipe)
    check_writable(options.out)
    with ExitStack() as stack:
        opened = partial(open_dataset, progress=options.setting.progress)
        dataset = stack.enter_context(opened(options.data))
        more = stack.enter_context(opened(options.add, minimum_classes=1)) if options.add else None
        scan = time.perf_counter() - started
        result = train_dataset(dataset, options, more)
    return dataclasses.replace(
        result,
        seconds={"total": time.perf_counter() - started, "scan": scan, **_without_total(result.seconds)},
    )


def train_dataset(dataset: Dataset, options: TrainOptions, more: Dataset | None = None) -> TrainResult:
    """Do the same with data sets that are open already; `options.data` and `add` are not looked at."""
    started = time.perf_counter()
    if options.corrections is not None:
        dataset = corrected(dataset, read_corrections(options.corrections))
    if more is not None:
        dataset = additions.extended(dataset, more)
    training, validation = _parts(dataset)
    check_names(training)
    setting = dataclasses.replace(
        options.setting, validation=validation, folder=options.out.with_name(options.out.name + ".training")
    )
    fitted: Fitted = recipes.find(options.recipe).fit(training, setting)
    learned = time.perf_counter()
    leaks = None if validation is None else _leaks(fitted, training, validation, setting)
    fitted = dataclasses.replace(fitted, choices=(*_told(dataset, leaks), *fitted.choices))
    measured = measure(_outcomes(fitted), fitted.classes)
    _write(options.out, fitted, _card(fitted, training, options, measured))
    written = time.perf_counter()
    measured_on = fitted.measured_on
    notes = dataset.notes
    if validation is not None:
        try:
            measured = evaluate(load(options.out), validation, leaks=leaks, progress=options.setting.progress)
            measured_on = "DATA's validation split"
            if fitted.watched_validation:
                measured_on += ", which also watched training and set the calibration"
        except DataError as error:  # the model is good; only this measurement cannot be had
            notes = (*notes, f"the validation split could not be measured on: {error}")
    ended = time.perf_counter()
    refused = (*dataset.refused, *(_shown(refusal, dataset) for refusal in fitted.refused))
    seconds = {
        "total": ended - started,
        **fitted.seconds,
        "write": written - learned,
        "validation": ended - written,
    }
    return TrainResult(options, fitted, measured, measured_on, refused, notes, seconds)


def pretrained(backbone: str, out: Path, *, weights: Path | None = None, progress: Progress = silent) -> None:
    """Write a model file of a backbone's own ImageNet classes.

    Its typicality is 1 for every image, since it never saw held-out ones, and its sets hold the top class.

    Raises
    ------
    BackboneError
        If the backbone's weights cannot be had, or have no classes of their own.
    OutputError
        If the model file cannot be written.
    """
    check_writable(out)
    exported = export(backbone, head=True, weights=weights, progress=progress)
    classes = exported.classes or ()
    network = join(
        read_model(exported.path),
        pretrained_head_model(len(classes), exported.features),
        ("logits", "features"),
    )
    card = {
        **_common_card(classes, exported.preprocessing),
        "recipe": "pretrained",
        "backbone": {
            "name": exported.name,
            "licence": exported.licence,
            "source": exported.source,
            "digest": exported.digest,
        },
        "thresholds": {"unknown": UNKNOWN_THRESHOLD, "coverage": None, "set": None},
        "metrics": {},
        "data": {"note": "the network's own classes, not trained here; typicality is 1 for every image"},
        "choices": [],
    }
    _write_bytes(out, model_file(network, exported.preprocessing, card))


def _without_total(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in seconds.items() if name != "total"}


def _parts(dataset: Dataset) -> tuple[Dataset, Dataset | None]:
    """Training images and, where DATA has them, validation images; the test split is never opened."""
    labelled = dataset.labelled()
    if labelled.splits is None:
        return labelled, None
    validation = labelled.select("validation") if "validation" in labelled.splits else None
    return labelled.select("train"), validation


def _leaks(fitted: Fitted, training: Dataset, validation: Dataset, setting: Setting) -> Leaks:
    """Which validation images were learned from as well."""
    look = partial(Side.of, cache=setting.cache, progress=setting.progress)
    return find_leaks(look(validation), fitted.side or look(training))


def _told(dataset: Dataset, leaks: Leaks | None) -> tuple[str, ...]:
    """Sentences on what was corrected and added, and on leaks into the validation split."""
    return (*told(dataset), *additions.told(dataset), *((leaks.told(),) if leaks else ()))


def _outcomes(fitted: Fitted) -> Outcomes:
    held = fitted.out_of_fold
    return Outcomes.of(
        held.labels,
        held.probabilities,
        held.typicality,
        set_threshold=fitted.set_threshold,
        unknown_threshold=UNKNOWN_THRESHOLD,
    )


def _write(out: Path, fitted: Fitted, card: Mapping[str, Any]) -> None:
    _write_bytes(out, model_file(fitted.network, fitted.preprocessing, card))


def _write_bytes(out: Path, content: bytes) -> None:
    with atomic_write(out) as file:
        file.write(content)


def _card(fitted: Fitted, training: Dataset, options: TrainOptions, measured: Evaluation) -> dict[str, Any]:
    counts = Counter(training.labels)
    for row in _refused_rows(fitted, training):
        counts[training.labels[row]] -= 1
    return {
        **_common_card(fitted.classes, fitted.preprocessing),
        "recipe": options.recipe,
        "preset": options.setting.preset,
        "seed": options.setting.seed,
        "backbone": dict(fitted.backbone) if fitted.backbone else None,
        "thresholds": {"unknown": UNKNOWN_THRESHOLD, "coverage": COVERAGE, "set": fitted.set_threshold},
        "metrics": _summary(measured),
        "data": {
            "images": fitted.used,
            "refused": len(fitted.refused),
            "per_class": {label: counts[label] for label in fitted.classes},
            "fingerprint": fitted.fingerprint,
        },
        "choices": list(fitted.choices),
        "history": [_without_seconds(epoch) for epoch in fitted.history],
    }


def _without_seconds(epoch: Mapping[str, float]) -> dict[str, float]:
    """A stopwatch never shows the same twice, and the same run must give the same bytes."""
    return {name: value for name, value in epoch.items() if name != "seconds"}


def _common_card(classes: tuple[str, ...], preprocessing: Preprocessing) -> dict[str, Any]:
    return {
        "spec": SPEC,
        "classes": list(classes),
        "preprocessing": preprocessing.as_dict(),
        "created": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _summary(measured: Evaluation) -> dict[str, Any]:
    """The measurement without what grows with the number of classes."""
    whole = measured.as_dict()
    left_out = ("refused", "per_class", "confusion", "labels_not_in_model")
    return {"measured_on": "out-of-fold"} | {
        key: value for key, value in whole.items() if key not in left_out
    }


def _refused_rows(fitted: Fitted, training: Dataset) -> list[int]:
    refused = {refusal.path for refusal in fitted.refused}
    return [row for row, path in enumerate(training.paths) if path in refused]


def _shown(refusal: Refusal, dataset: Dataset) -> Refusal:
    return Refusal(dataset.display(refusal.path), refusal.code, refusal.message)


def check_names(dataset: Dataset) -> None:
    """Stop before the work where no model file could hold what it gives.

    Raises
    ------
    DataError
        If the name of a class is too long or holds NUL, or there are too many classes.
    """
    for name in dataset.classes:
        if not may_be_class(name):
            shown = f"{name[:40]!r} of {len(name):,}" if len(name) > MAX_NAME else repr(name)
            raise DataError(
                f"DATA: the name of a class must have 1 to {MAX_NAME:,} characters and no NUL, got {shown}; "
                "rename it"
            )
    if len(dataset.classes) > MAX_CLASSES:
        raise DataError(
            f"DATA: at most {MAX_CLASSES:,} classes fit a model file, got {len(dataset.classes):,}; put some "
            "together"
        )


def check_writable(out: Path) -> None:
    """Stop before the work, not after it.

    Raises
    ------
    OutputError
        If the model file could not be written.
    """
    folder = out.parent
    if out.is_dir():
        raise OutputError(f"{out}: is a folder; give a file name such as {out / 'model.onnx'}")
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such folder for the model file; make it or choose another")
    try:  # permissions alone do not tell of read-only and full disks, nor anything to root
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = error.strerror
        raise OutputError(f"{folder}: this folder cannot be written to ({reason}); choose another") from error
