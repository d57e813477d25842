"""Experiments from a script: `compare` and `novelty`."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from fieldguide.api.data import Splits, opened
from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.runs import run_with
from fieldguide.api.tracking import Tracked, tracked
from fieldguide.api.training import Preset
from fieldguide.api.values import whole_number
from fieldguide.cluster.features import features_on_cluster
from fieldguide.data.dataset import Data, Dataset
from fieldguide.data.options import DataOptions
from fieldguide.errors import Refusal
from fieldguide.experiments.compare import candidates
from fieldguide.experiments.compare import compare as cross_validate
from fieldguide.experiments.comparison import Comparison
from fieldguide.experiments.learning_curve import learning_curve
from fieldguide.experiments.leave_one_class_out import LeaveOneClassOut, leave_one_class_out
from fieldguide.experiments.scoring import score_of, words_of
from fieldguide.files import cache_folder
from fieldguide.recipes.common import Options
from fieldguide.tasks.task import EITHER, TaskName, as_task


def compare(
    data: Data,
    *,
    recipes: Sequence[str] | None = None,
    backbones: Sequence[str] | None = None,
    presets: Sequence[Preset] | None = None,
    folds: int = 5,
    seed: int = 0,
    curve: bool = False,
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
) -> Comparison:
    """Try ways of training side by side, cross-validated, and say which differences are real.

    Parameters
    ----------
    data : path, frame, lists or Dataset
        Labelled photos, in any form that :func:`fieldguide.open_dataset` takes.
    recipes : sequence of str, optional
        Ways to train; None takes those that take seconds.
    backbones : sequence of str, optional
        Pretrained networks to try, at their own size.
    presets : sequence of {"fast", "balanced", "best"}, optional
        Presets to try; None takes fast and balanced, or none with `backbones`.
    folds : int, default=5
        Parts held out in turn.
    seed : int, default=0
        The same seed gives the same folds.
    curve : bool, default=False
        Also measure what more photos would bring to the recommended one.
    cluster : str, optional
        Have Ray compute the features and learn the folds: ``local`` for all cores of this machine, ``auto``
        or ``HOST:PORT`` for a cluster; docs/cluster.md.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    Comparison
        Ranked rows, the differences between them, ``recommended`` and its ``reason``; ``as_dict()`` is what
        ``fieldguide compare --json`` writes. When interrupted, finished folds are kept, and the same call
        goes on from there.

    Raises
    ------
    FieldguideError
        If an option or DATA cannot be used, or nothing could be trained.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.compare("photos", recipes=["linear-probe", "svm"]).recommended   # doctest: +SKIP
    """
    given = locals()
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    options = Options(seed=whole_number("seed", seed))
    tried = candidates(recipes, presets=presets, backbones=backbones, options=options)
    with (
        features_on_cluster(cluster),
        tracked("compare", given) as kept,
        shown(progress) as callback,
    ):
        dataset = opened(data, reading, splits, callback, tasks=EITHER)
        cache = cache_folder()
        result = cross_validate(dataset, tried, folds=folds, seed=seed, cache=cache, progress=callback)
        chosen = next(candidate for candidate in tried if candidate.name == result.recommended)
        more = (
            learning_curve(dataset, chosen, folds=folds, seed=seed, cache=cache, progress=callback)
            if curve
            else None
        )
        whole = dataclasses.replace(result, learning_curve=more, **_beside(dataset, result.refused))
        _keep(kept, whole)
    return whole


def _keep(kept: Tracked, result: Comparison) -> None:
    """Each candidate's accuracy or mean average precision, by fold and over all."""
    figures = {}
    for row in result.rows:
        if row.evaluation is not None:
            score = words_of(row.evaluation).key
            kept.folds(f"{row.candidate.name}/fold_{score}", row.fold_accuracies)
            figures[f"{row.candidate.name}/{score}"] = score_of(row.evaluation).value
            figures[f"{row.candidate.name}/log_loss"] = row.evaluation.log_loss
    kept.result(result, figures)


def novelty(
    data: Data,
    *,
    backbone: str | None = None,
    preset: Preset = "balanced",
    seed: int = 0,
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
) -> LeaveOneClassOut:
    """Leave each class or tag out once, and see whether its photos would be called unknown.

    Parameters
    ----------
    data : path, frame, lists or Dataset
        Labelled photos of three classes or tags or more, in any form that
        :func:`fieldguide.open_dataset` takes.
    backbone : str, optional
        A pretrained network; None lets the preset choose.
    preset : {"fast", "balanced", "best"}, default="balanced"
        From quickest to most accurate.
    seed : int, default=0
        The same seed gives the same result.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    LeaveOneClassOut
        A row a class or tag, the hardest to tell first; ``as_dict()`` is what
        ``fieldguide novelty --json`` writes.

    Raises
    ------
    FieldguideError
        If an option or DATA cannot be used.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.novelty("photos").mean_miss_rate   # doctest: +SKIP
    """
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    wanted = Options(backbone=backbone, preset=preset, seed=whole_number("seed", seed))
    with shown(progress) as callback:
        dataset = opened(data, reading, splits, callback, tasks=EITHER)
        result = leave_one_class_out(dataset, wanted, run_with(callback))
    return dataclasses.replace(result, **_beside(dataset, result.refused))


def _beside(dataset: Dataset, refused: tuple[Refusal, ...]) -> dict[str, Any]:
    """What there is to say of the data beside the result."""
    return {"refused": (*dataset.refused, *refused), "notes": dataset.notes, "doubts": dataset.doubts}
