"""The whole line from DATA to a measured model file."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from fieldguide import recipes
from fieldguide.data import additions
from fieldguide.data.corrections import corrected, corrections_summary, judged, read_corrections
from fieldguide.data.dataset import Data, Dataset, open_dataset
from fieldguide.data.leaks import Fingerprints, Leaks, find_leaks
from fieldguide.data.options import DataOptions
from fieldguide.data.plausibility.deep_grey import deep_grey_doubt
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.data.scan import shown_names
from fieldguide.data.split_names import SplitChoice
from fieldguide.errors import OptionError, Refusal
from fieldguide.evaluation.result import Evaluation
from fieldguide.evaluation.tag_result import TagEvaluation
from fieldguide.files import atomic_write, scratch_folder
from fieldguide.learning.card import trained_card
from fieldguide.learning.checks import check_names, check_writable, training_folder
from fieldguide.learning.measuring import Watched, held_out, measured_on_validation, paths_of
from fieldguide.learning.stated_precision import check_stated, with_stated_precision
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin
from fieldguide.modelfile.artifact import checked_model_file
from fieldguide.modelfile.graph import model_file
from fieldguide.modelfile.limits import limits_of
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.recipes.common import Fitted, Options, Run
from fieldguide.tasks.task import EITHER, ONE_LABEL, Task, refuse_unsupported


def _begun(dataset: Dataset) -> None:
    """Nobody asked to be told."""


@dataclass(frozen=True)
class TrainOptions:
    """What a person decides about ``fieldguide train``."""

    data: Data
    """DATA in any form."""
    out: Path | None
    """The model file to write; None keeps the model in memory, as :attr:`TrainResult.held`."""
    recipe: str = "linear-probe"
    """A key of :data:`fieldguide.recipes.RECIPES`."""
    options: Options = field(default_factory=Options)
    """Backbone, preset, seed and the like."""
    run: Run = field(default_factory=Run)
    """Cache and progress; the images to watch and the folder for checkpoints follow from DATA and `out`."""
    corrections: Path | None = None
    """A table of corrections to apply to the data first; docs/check.md has its form."""
    add: Data | None = None
    """More photos of DATA's classes to learn from, in any form that DATA may have."""
    splits: SplitChoice = field(default_factory=SplitChoice)
    """Which folders or cells are which split, where names do not say it."""
    reading: DataOptions = field(default_factory=DataOptions)
    """Which form DATA is of, and which column or part of a path means what."""
    begin: Callable[[Dataset], None] = _begun
    """Called with the data as it was understood, before the work begins; what it raises ends the run."""
    add_form: str | None = None
    """Which form `add` is of; None recognises it."""

    @property
    def file(self) -> Path:
        """`out`, where the model is to become a file."""
        assert self.out is not None, "train_dataset gives a run a file of its own where none is wanted"
        return self.out


@dataclass(frozen=True, repr=False)
class TrainResult(DisplayMixin, PlotMixin, TableMixin):
    """What a training run gave."""

    options: TrainOptions
    fitted: Fitted
    validation: Evaluation | TagEvaluation
    """Out of sample: on DATA's validation split where there is one, else out-of-fold."""
    measured_on: str
    """Which of the two, in words."""
    refused: tuple[Refusal, ...]
    """Images that were not learned from, by the name the person knows."""
    notes: tuple[str, ...]
    """Sentences about the data."""
    doubts: tuple[Doubt, ...]
    """What of the data may be meant otherwise, or was lost."""
    seconds: Mapping[str, float]
    limits: tuple[str, ...] = ()
    """What the model cannot say, in sentences."""
    held: bytes | None = field(default=None, repr=False, compare=False)
    """The model file's content, where it was not to be written; :meth:`save` writes it."""

    @cached_property
    def model(self) -> Predictor:
        """The model, ready to predict."""
        if self.held is None:
            return load(self.options.file)
        return Predictor(checked_model_file(self.held, "the model that is held in memory"))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        content = self.options.file.read_bytes() if self.held is None else self.held
        with atomic_write(path) as file:
            file.write(content)

    @property
    def choices(self) -> tuple[str, ...]:
        """A sentence for each automatic choice."""
        return self.fitted.choices

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``train --json``, with `choices`, `notes` and `interrupted` added."""
        wanted, backbone = self.options, self.fitted.backbone
        return {
            "model": None if self.held is not None else str(wanted.out),
            "recipe": wanted.recipe,
            "backbone": backbone["name"] if backbone else None,
            "preset": wanted.options.preset,
            "seed": wanted.options.seed,
            "images": {"used": self.fitted.used, "refused": len(self.refused)},
            "refused": [refusal.as_dict() for refusal in self.refused],
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "validation": self.validation.as_dict() | {"measured_on": self.measured_on},
            "history": [dict(epoch) for epoch in self.fitted.history],
            "outcome": self.fitted.outcome and self.fitted.outcome.as_dict(),
            "choices": list(self.choices),
            "notes": list(self.notes),
            "limits": list(self.limits),
            "doubts": [doubt.as_dict() for doubt in self.doubts],
            "interrupted": self.fitted.interrupted,
        }


def train(wanted: TrainOptions) -> TrainResult:
    """Learn from DATA, write the model file and measure it.

    Raises
    ------
    OptionError
        If a recipe or preset is unknown, or another run was interrupted and `restart` is not set.
    DataError
        If DATA cannot be used.
    BackboneError
        If the backbone's weights cannot be had.
    OutputError
        If the model file cannot be written.
    """
    started = time.perf_counter()
    if wanted.out is not None:
        check_writable(wanted.out)
    recipes.find(wanted.recipe)
    with ExitStack() as stack:
        opened = partial(open_dataset, progress=wanted.run.progress, tasks=EITHER)
        dataset = stack.enter_context(opened(wanted.data, splits=wanted.splits, options=wanted.reading))
        # What is added is read as DATA was: one tag in each row is still a photo with tags.
        read_as = Task.MULTIPLE if dataset.task is Task.MULTIPLE and _is_named(wanted.add) else None
        added = DataOptions(form=wanted.add_form, task=read_as)
        fewest = 0 if read_as else 1  # photos of none of the tags teach as well
        more = (
            None
            if wanted.add is None
            else stack.enter_context(opened(wanted.add, minimum_classes=fewest, options=added))
        )
        scan = time.perf_counter() - started
        result = train_dataset(dataset, wanted, more)
    return dataclasses.replace(
        result,
        seconds={"total": time.perf_counter() - started, "scan": scan, **_without_total(result.seconds)},
    )


def train_dataset(dataset: Dataset, wanted: TrainOptions, more: Dataset | None = None) -> TrainResult:
    """Do the same with data sets that are open already; `wanted.data` and `add` are not looked at."""
    if wanted.out is not None:
        return _trained(dataset, wanted, more)
    with scratch_folder() as folder:
        out = folder / "model.onnx"
        result = _trained(dataset, dataclasses.replace(wanted, out=out), more)
        return dataclasses.replace(result, options=wanted, held=out.read_bytes())


def _trained(dataset: Dataset, wanted: TrainOptions, more: Dataset | None) -> TrainResult:
    started = time.perf_counter()
    _check_task(dataset, wanted, more)
    check_stated(wanted.options, dataset.task)
    changes = None
    if wanted.corrections is not None:
        before, dataset = dataset, corrected(dataset, read_corrections(wanted.corrections))
        changes = judged(before, dataset)
    if more is not None:
        dataset = additions.extended(dataset, more)
    training, validation = _parts(dataset)
    check_names(training)
    dataset = _looked_at(dataset, training)
    wanted.begin(dataset)
    run = dataclasses.replace(wanted.run, validation=validation, folder=training_folder(wanted.file))
    fitted: Fitted = recipes.find(wanted.recipe).fit(training, wanted.options, run)
    fitted = with_stated_precision(fitted, wanted.options)
    learned = time.perf_counter()
    leaks = None if validation is None else _leaks(fitted, training, validation, run)
    fitted = dataclasses.replace(fitted, choices=(*_data_summary(dataset, leaks), *fitted.choices))
    measured = held_out(fitted, paths_of(training, validation), changes)
    card = _write(wanted, fitted, training, measured)
    written = time.perf_counter()
    checked = None
    if validation is not None:
        watched = Watched(validation, leaks, fitted.watched_validation, changes)
        checked = measured_on_validation(wanted.file, watched, run.cache, run.progress)
    ended = time.perf_counter()
    seconds = {
        "total": ended - started,
        **fitted.seconds,
        "write": written - learned,
        "validation": ended - written,
    }
    return TrainResult(
        options=wanted,
        fitted=fitted,
        validation=(checked and checked.evaluation) or measured,
        measured_on=checked.measured_on if checked and checked.evaluation else fitted.measured_on,
        refused=_refused(dataset, fitted.refused, checked.refused if checked else ()),
        notes=(*dataset.notes, *(checked.notes if checked else ())),
        doubts=(*_lost_classes(training, fitted, dataset), *dataset.doubts),
        seconds=seconds,
        limits=limits_of(card),
    )


def _check_task(dataset: Dataset, wanted: TrainOptions, more: Dataset | None) -> None:
    """Stop before tags are given to what learns single labels only."""
    recipe = recipes.find(wanted.recipe)
    handled = getattr(recipe, "TASKS", ONE_LABEL)
    refuse_unsupported(dataset.task, handled, f"recipe {wanted.recipe}", OptionError)
    if more is not None:
        refuse_unsupported(more.task, {dataset.task}, "--add", OptionError)


def _is_named(data: Data | None) -> bool:
    """Whether it is still to be opened, so that it may be said how it is read."""
    return data is not None and not isinstance(data, Dataset)


def _looked_at(dataset: Dataset, training: Dataset) -> Dataset:
    """The data with the doubts that only a look into its images raises."""
    deep = deep_grey_doubt(training.paths)
    return dataset if deep is None else dataclasses.replace(dataset, doubts=(*dataset.doubts, deep))


def _lost_classes(training: Dataset, fitted: Fitted, dataset: Dataset) -> tuple[Doubt, ...]:
    lost = [label for label in training.classes if label not in fitted.classes]
    if not lost:
        return ()
    labels = dict(zip(training.paths, training.labels, strict=True))
    own = [refusal for refusal in fitted.refused if labels.get(refusal.path) in lost]
    return (
        Doubt(
            "class_lost",
            f"no image of {shown_names(lost)} could be read, so the model does not know "
            f"{'this class' if len(lost) == 1 else 'these classes'} and will take such photos for others: "
            f"{dataset.refusals_named(own, 2)}",
            grave=True,
        ),
    )


def _refused(
    dataset: Dataset, learning: Iterable[Refusal], measuring: Iterable[Refusal]
) -> tuple[Refusal, ...]:
    """What was refused on opening, learning and measuring, each file once."""
    everything = (*dataset.refused, *(_shown(refusal, dataset) for refusal in learning), *measuring)
    return tuple({(refusal.path, refusal.code): refusal for refusal in everything}.values())


def _without_total(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in seconds.items() if name != "total"}


def _parts(dataset: Dataset) -> tuple[Dataset, Dataset | None]:
    """Training images and, where DATA has them, validation images; the test split is never opened."""
    labelled = dataset.labelled()
    if labelled.splits is None:
        return labelled, None
    validation = labelled.select("validation") if "validation" in labelled.splits else None
    return labelled.select("train"), validation


def _leaks(fitted: Fitted, training: Dataset, validation: Dataset, run: Run) -> Leaks:
    """Which validation images were learned from as well."""
    look = partial(Fingerprints.of, cache=run.cache, progress=run.progress)
    return find_leaks(look(validation), fitted.side or look(training))


def _data_summary(dataset: Dataset, leaks: Leaks | None) -> tuple[str, ...]:
    """Sentences on what was corrected and added, and on leaks into the validation split."""
    return (
        *corrections_summary(dataset),
        *additions.additions_summary(dataset),
        *((leaks.summary(),) if leaks else ()),
    )


def _write(
    wanted: TrainOptions, fitted: Fitted, training: Dataset, measured: Evaluation | TagEvaluation
) -> Mapping[str, Any]:
    """The model file; its card is what comes back."""
    card = trained_card(fitted, training, wanted.recipe, wanted.options, measured)
    content = model_file(fitted.network, fitted.preprocessing, card)
    with atomic_write(wanted.file) as file:
        file.write(content)
    return card


def _shown(refusal: Refusal, dataset: Dataset) -> Refusal:
    return Refusal(dataset.display(refusal.path), refusal.code, refusal.message)
