"""Training from a script: `train`, `tune` and `pretrained`."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fieldguide.api.architectures import Network
from fieldguide.api.data import Splits, opened, reading_of
from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.runs import run_with
from fieldguide.api.tracking import Tracked, tracked
from fieldguide.api.values import FilePath, as_path, whole_number
from fieldguide.cluster.features import features_on_cluster
from fieldguide.data.dataset import Data
from fieldguide.data.options import DataOptions
from fieldguide.data.split_names import SplitChoice
from fieldguide.displays.notebook_bars import NotebookBars
from fieldguide.experiments.study import Budget
from fieldguide.experiments.tune import TuneOptions, TuneResult
from fieldguide.experiments.tune import tune as search
from fieldguide.experiments.tuning_plot import draw as draw_search
from fieldguide.files import cache_folder
from fieldguide.learning.history_plot import draw
from fieldguide.learning.pretrained import pretrained as write_pretrained
from fieldguide.learning.train import TrainOptions, TrainResult
from fieldguide.learning.train import train as learn
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.settings import NEEDS, RECIPE_OPTIONS, settings_for
from fieldguide.tasks.task import EITHER, TaskName, as_task
from fieldguide.training.tensorboard_log import event_files

Preset: TypeAlias = Literal["fast", "balanced", "best"]
Augment: TypeAlias = Literal["none", "light", "medium", "strong"]
Report: TypeAlias = Callable[[Mapping[str, float]], None]


def train(
    data: Data,
    *,
    out: FilePath | None = None,
    recipe: str = "linear-probe",
    backbone: str | None = None,
    preset: Preset = "balanced",
    seed: int = 0,
    weights: FilePath | None = None,
    corrections: FilePath | None = None,
    add: Data | None = None,
    add_form: str | None = None,
    minutes: float | None = None,
    download: bool = False,
    devices: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    augment: Augment | None = None,
    augment_with: str | None = None,
    set: Mapping[str, float] | None = None,
    size: int | None = None,
    architecture: Network | None = None,
    precision: float | None = None,
    resume: bool = False,
    restart: bool = False,
    preview: FilePath | None = None,
    plot: FilePath | None = None,
    tensorboard: FilePath | None = None,
    cluster: str | None = None,
    splits: Splits = None,
    form: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    label_from: str | None = None,
    crops: bool = False,
    task: TaskName | None = None,
    progress: ProgressChoice = None,
) -> TrainResult:
    """Learn from labelled photos; the model predicts, and is written as one file where `out` is given.

    Parameters
    ----------
    data : path, frame, lists or Dataset
        Labelled photos, in any form that :func:`fieldguide.open_dataset` takes.
    out : path, optional
        The model file to write. Without it the model is held: ``result.model`` predicts, and
        ``result.save(path)`` writes it.
    recipe : str, default="linear-probe"
        The way to train; docs/choosing.md has them all.
    backbone : str, optional
        A pretrained network; None lets the preset choose.
    preset : {"fast", "balanced", "best"}, default="balanced"
        From quickest to most accurate.
    seed : int, default=0
        The same data, seed and versions give the same file.
    weights : path, optional
        Local weights of the backbone: no download.
    corrections : path, optional
        A table of corrections that ``check`` wrote; the photos stay as they are.
    add : path, frame, lists or Dataset, optional
        More photos of the same classes to learn from.
    add_form : str, optional
        Which form `add` is of; None recognises it.
    minutes : float, optional
        Time from the photos to the model; None takes 5, 15 or 60, by preset.
    download : bool, default=False
        Whether the recipe `auto` may fetch a backbone of another family from the Hugging Face hub.
    devices : int, optional
        With ``recipe="finetune"`` and ``"cnn"``: how many GPUs, or without GPUs processes of this machine,
        share each step; docs/cluster.md. None is one.
    epochs, batch_size, learning_rate, augment, augment_with, size, architecture : optional
        With `minutes`, of recipes that train a network step by step; docs/training.md describes them.
        `architecture` may also be a `torch.nn.Module`.
    precision : float, optional
        Of tags: give each from the least probability on at which held-out photos show, with confidence, that
        this share of the tags given is true; None gives tags for the best F1.
    set : mapping, optional
        Any other option of the recipe, such as ``{"shrinkage": 0.7}``.
    resume, restart : bool, default=False
        Go on where the same run was interrupted, as it does anyway; throw away what it kept.
    preview, plot, tensorboard : path, optional
        Pictures (PNG) of augmentation and of the history, and a folder for TensorBoard.
    cluster : str, optional
        Have Ray compute the features: ``local`` for all cores of this machine, ``auto`` or ``HOST:PORT`` for
        a cluster; docs/cluster.md.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    TrainResult
        ``validation`` measured out of sample, ``choices`` with their reasons, ``history``; ``as_dict()`` is
        what ``fieldguide train --json`` writes. Ctrl-C ends a training in epochs, not the work: the best so
        far is kept.

    Raises
    ------
    FieldguideError
        If an option or DATA cannot be used, weights cannot be had, or `out` cannot be written.

    Examples
    --------
    >>> import fieldguide
    >>> result = fieldguide.train("photos", recipe="svm", out="model.onnx")   # doctest: +SKIP
    >>> result.model.predict(["a.jpg"])[0].label                              # doctest: +SKIP
    """
    return _drawn(_learned(locals()), plot)


def _learned(given: Mapping[str, Any]) -> TrainResult:
    watching = given["progress"], given["preview"], given["tensorboard"]
    with _begun("train", given, given["recipe"]) as kept, _told(*watching, kept) as run:
        result = learn(_asked(given, run))
        kept.trained(result, result.validation.as_dict())
    return result


def _drawn(result: TrainResult, plot: FilePath | None) -> TrainResult:
    """The result, with its history as a picture where that is wanted."""
    if plot is not None:
        fitted = result.fitted
        draw(fitted.history, fitted.kept_epoch, Path(plot), fitted.outcome)
    return result


@contextlib.contextmanager
def _begun(name: str, given: Mapping[str, Any], *recipes: str) -> Iterator[Tracked]:
    """A call that may be kept, and that a cluster may share, but for training these recipes."""
    with features_on_cluster(given["cluster"], recipes), tracked(name, given) as kept:
        yield kept


def _asked(given: Mapping[str, Any], run: Run) -> TrainOptions:
    """What the person decides about a training."""
    return TrainOptions(
        given["data"],
        as_path(given["out"]),
        given["recipe"],
        _options(given),
        run,
        as_path(given["corrections"]),
        given["add"],
        SplitChoice.of(given["splits"]),
        reading_of(given),
        add_form=given["add_form"],
    )


def _options(given: Mapping[str, Any]) -> Options:
    """What the person wishes of the recipe."""
    settings = settings_for(given["recipe"], _flagged(given), (given["set"] or {}).items())
    seed = whole_number("seed", given["seed"])
    weights, precision = as_path(given["weights"]), given["precision"]
    return Options(given["backbone"], given["preset"], seed, weights, settings, precision)


def _flagged(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given of the options that not every recipe takes; a flag that is not set is not given."""
    return {name: None if given[name] is False else given[name] for name in (*RECIPE_OPTIONS, *NEEDS)}


@contextlib.contextmanager
def _told(
    progress: ProgressChoice, preview: FilePath | None, tensorboard: FilePath | None, kept: Tracked
) -> Any:
    """What a training run needs; its history goes to a tracker, and to TensorBoard where wanted."""
    with contextlib.ExitStack() as stack:
        callback = stack.enter_context(shown(progress))
        run = run_with(callback)
        told: list[Report] = [kept.epoch]
        if isinstance(callback, NotebookBars):
            told.append(callback.report)
        if tensorboard is not None:
            told.append(stack.enter_context(event_files(Path(tensorboard))))

        def report(row: Mapping[str, float]) -> None:
            for tell in told:
                tell(row)

        yield Run(run.cache, run.progress, preview=as_path(preview), report=report)


def tune(
    data: Data,
    *,
    out: FilePath | None = None,
    recipe: str = "linear-probe",
    backbone: str | None = None,
    trials: int | None = None,
    minutes: float | None = None,
    objective: Literal["log_loss", "accuracy"] = "log_loss",
    folds: int = 5,
    seed: int = 0,
    resume: bool = False,
    restart: bool = False,
    plot: FilePath | None = None,
    at_once: int | None = None,
    cluster: str | None = None,
    splits: Splits = None,
    form: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    label_from: str | None = None,
    crops: bool = False,
    task: TaskName | None = None,
    progress: ProgressChoice = None,
) -> TuneResult:
    """Search the settings of a recipe, and train the best on all photos.

    Parameters
    ----------
    data : path, frame, lists or Dataset
        Labelled photos, in any form that :func:`fieldguide.open_dataset` takes.
    out : path, optional
        The model file to write; without it the model is held, as by :func:`fieldguide.train`.
    recipe : str, default="linear-probe"
        The way to train whose settings are searched.
    backbone : str, optional
        Keep to this network; None searches it, too.
    trials, minutes : number
        Settings to try in all, or time for trying; one of the two.
    objective : {"log_loss", "accuracy"}, default="log_loss"
        What to search for; of tags always the log loss.
    folds : int, default=5
        Parts held out in turn.
    seed : int, default=0
        The same seed gives the same search.
    resume, restart : bool, default=False
        Go on with the search of these images that was stopped; begin anew where it was another.
    plot : path, optional
        A PNG of the trials and of what decided.
    at_once : int, optional
        Settings that are suggested before any of them has been tried; None takes 5 with `cluster`, else 1.
        The same seed and the same number give the same search, with and without `cluster`.
    cluster : str, optional
        Have Ray compute the features and try the settings: ``local`` for all cores of this machine, ``auto``
        or ``HOST:PORT`` for a cluster; docs/cluster.md.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    TuneResult
        What was tried, chosen and what to expect of it; ``as_dict()`` is what ``fieldguide tune --json``
        writes. Ctrl-C ends the search, not the work: the best so far is trained.

    Raises
    ------
    FieldguideError
        If an option or DATA cannot be used.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.tune("photos", recipe="svm", trials=3, out="tuned.onnx")   # doctest: +SKIP
    """
    given = locals()
    budget = Budget(trials, minutes)
    budget.check()
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    fixed, kept = Options(backbone=backbone, seed=whole_number("seed", seed)), cache_folder()
    parts = whole_number("folds", folds, 2)
    with _begun("tune", given) as kept_by, shown(progress) as callback:
        dataset = opened(data, reading, splits, callback, tasks=EITHER)
        asked = (budget, objective, parts, kept, resume, restart, callback, at_once)
        wanted = TuneOptions(dataset, as_path(out), recipe, fixed, *asked)
        result = search(dataset, wanted)
        kept_by.folds("objective", [one.objective for one in result.trials if one.objective is not None])
        kept_by.trained(result, result.trained.validation.as_dict())
    if plot is not None:
        draw_search(result, Path(plot))
    return result


def pretrained(
    backbone: str, *, out: FilePath, weights: FilePath | None = None, progress: ProgressChoice = None
) -> Predictor:
    """Write a model file of a network's own ImageNet classes, without training, and load it.

    Parameters
    ----------
    backbone : str
        A name that ``fieldguide backbones`` lists.
    out : path
        The model file to write.
    weights : path, optional
        Local weights of the backbone: no download.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Raises
    ------
    FieldguideError
        If the weights cannot be had, or the file cannot be written.

    Examples
    --------
    >>> import fieldguide
    >>> model = fieldguide.pretrained("efficientnet_lite0", out="imagenet.onnx")   # doctest: +SKIP
    """
    with shown(progress) as callback:
        write_pretrained(backbone, Path(out), weights=as_path(weights), progress=callback)
    return load(out)
