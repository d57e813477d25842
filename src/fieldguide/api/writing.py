"""Data written in another form, from a script: `split` and `convert`."""

import dataclasses
from pathlib import Path
from typing import Literal

from fieldguide.api.data import Splits, opened
from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.values import FilePath, whole_number
from fieldguide.data.dataset import Data
from fieldguide.data.holding_out import DealtSplits, hold_out
from fieldguide.data.options import DataOptions
from fieldguide.data.writers import write_dataset
from fieldguide.data.writers.converted import Converted
from fieldguide.data.writers.split_table import write_split_table
from fieldguide.tasks.task import EITHER, Task, TaskName, as_task


def split(
    data: Data,
    *,
    out: FilePath | None = None,
    test: float = 0.2,
    validation: float = 0.0,
    seed: int = 0,
    link: bool = False,
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
) -> DealtSplits:
    """Keep a part of the photos apart for testing; near-duplicates and groups stay on one side.

    Parameters
    ----------
    data : path, frame, lists or Dataset
        Labelled photos, in any form that :func:`fieldguide.open_dataset` takes.
    out : path, optional
        A new folder for train/, test/ with class folders, or of tags for photos and a table; or a table,
        .csv or .tsv, beside the photos, which stay. Without it nothing is written: ``result.dataset`` has the
        splits.
    test, validation : float, default=0.2 and 0
        Shares of the photos, 0 to 1.
    seed : int, default=0
        The same seed gives the same splits.
    link : bool, default=False
        Hard links instead of copies: no space is taken.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    DealtSplits
        ``dataset`` with its splits, ``counts``, and classes that a split is ``lacking``.

    Raises
    ------
    FieldguideError
        If an option or DATA cannot be used, or `out` cannot be written.

    Examples
    --------
    >>> import fieldguide
    >>> parts = fieldguide.split("photos", test=0.2).dataset     # doctest: +SKIP
    >>> fieldguide.train(parts, out="model.onnx")                # doctest: +SKIP
    """
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    with shown(progress) as callback:
        dataset = opened(data, reading, splits, callback, tasks=EITHER)
        held = hold_out(dataset.labelled(), test, validation, whole_number("seed", seed), callback)
        if out is not None and Path(out).suffix.lower() in (".csv", ".tsv"):
            write_split_table(held.dataset, Path(out))
        elif out is not None:
            written = "folders" if dataset.task is Task.SINGLE else "table"
            write_dataset(held.dataset, written, Path(out), link=link, progress=callback)
    return dataclasses.replace(held, refused=(*dataset.refused, *held.refused))


def convert(
    data: Data,
    *,
    to: Literal["table", "folders", "imagefolder", "label-studio", "cvat", "fiftyone", "coco", "one-hot"],
    out: FilePath,
    split: Literal["train", "validation", "test"] | None = None,
    link: bool = False,
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
) -> Converted:
    """Write photos and labels in the form of another tool.

    Parameters
    ----------
    data : path, frame, lists or Dataset
        Labelled photos, in any form that :func:`fieldguide.open_dataset` takes.
    to : str
        The form to write; docs/data.md describes them.
    out : path
        A new folder.
    split : {"train", "validation", "test"}, optional
        Only this split.
    link : bool, default=False
        Hard links instead of copies: no space is taken.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Raises
    ------
    FieldguideError
        If an option or DATA cannot be used, or `out` cannot be written.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.convert("photos", to="coco", out="photos-coco").photos   # doctest: +SKIP
    """
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    with shown(progress) as callback:
        dataset = opened(data, reading, splits, callback, minimum_classes=1, tasks=EITHER)
        chosen = (dataset.select(split) if split else dataset).labelled()
        count = write_dataset(chosen, to, Path(out), link=link, progress=callback)
    return Converted(Path(out), to, count, dataset.refused, dataset.notes)
