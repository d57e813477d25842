"""A model file at work, from a script: `predict`, `explain` and `next_to_label`."""

import contextlib
import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, overload

from fieldguide.api.data import opened
from fieldguide.api.filing import check_options, sort_into_folder, write_sidecars
from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.values import FilePath, Model, as_model, as_output, whole_number
from fieldguide.cluster.predict import ClusterRun, check_cluster, predict_on_cluster
from fieldguide.data.dataset import Data
from fieldguide.data.options import DataOptions
from fieldguide.explanation.explainer import Photo
from fieldguide.explanation.photo_explanation import PhotoExplanation, explain_photo
from fieldguide.files import atomic_write
from fieldguide.prediction.active_learning import COUNT, Suggestions
from fieldguide.prediction.active_learning import next_to_label as choose
from fieldguide.prediction.inputs import Inputs, find_inputs
from fieldguide.prediction.predictions import Predictions
from fieldguide.prediction.sorting.planning import By
from fieldguide.prediction.sorting.sort import SortResult
from fieldguide.prediction.suggestion_files import draw_sheet, write_table
from fieldguide.prediction.tagging.sidecar_files import TagResult
from fieldguide.prediction.writers import WriteResult, write_predictions
from fieldguide.storage.object_store import ObjectUrl
from fieldguide.tasks.task import EITHER, ONE_LABEL

TOP = 5
"""Classes that an answer lists where no number is given."""
Form = Literal["label-studio", "cvat", "fiftyone"]


@overload
def predict(
    model: Model,
    paths: FilePath | Sequence[FilePath],
    *,
    out: None = None,
    form: None = None,
    top: int | None = None,
    cluster: str | None = None,
    retry_refused: bool = False,
    sort_into: None = None,
    by: None = None,
    dry_run: Literal[False] = False,
    write_tags: Literal[False] = False,
    tag_unknown: Literal[False] = False,
    progress: ProgressChoice = None,
) -> Predictions: ...


@overload
def predict(
    model: Model,
    paths: FilePath | Sequence[FilePath],
    *,
    out: FilePath,
    form: Form | None = None,
    top: int | None = None,
    cluster: str | None = None,
    retry_refused: bool = False,
    sort_into: None = None,
    by: None = None,
    dry_run: Literal[False] = False,
    write_tags: Literal[False] = False,
    tag_unknown: Literal[False] = False,
    progress: ProgressChoice = None,
) -> WriteResult: ...


@overload
def predict(
    model: Model,
    paths: FilePath | Sequence[FilePath],
    *,
    out: None = None,
    form: None = None,
    top: None = None,
    sort_into: FilePath,
    by: By | None = None,
    dry_run: bool = False,
    write_tags: Literal[False] = False,
    tag_unknown: Literal[False] = False,
    progress: ProgressChoice = None,
) -> SortResult: ...


@overload
def predict(
    model: Model,
    paths: FilePath | Sequence[FilePath],
    *,
    out: None = None,
    form: None = None,
    top: None = None,
    sort_into: None = None,
    by: None = None,
    dry_run: Literal[False] = False,
    write_tags: Literal[True],
    tag_unknown: bool = False,
    progress: ProgressChoice = None,
) -> TagResult: ...


def predict(
    model: Model,
    paths: FilePath | Sequence[FilePath],
    *,
    out: FilePath | None = None,
    form: Form | None = None,
    top: int | None = None,
    cluster: str | None = None,
    retry_refused: bool = False,
    sort_into: FilePath | None = None,
    by: Literal["copy", "hardlink", "move"] | None = None,
    dry_run: bool = False,
    write_tags: bool = False,
    tag_unknown: bool = False,
    progress: ProgressChoice = None,
) -> Predictions | WriteResult | SortResult | TagResult:
    """Say what is on photos: files, folders, globs, archives or a table.

    Parameters
    ----------
    model : path, Predictor or TrainResult
        A model file, one that is loaded, or what :func:`fieldguide.train` gave.
    paths : path or sequence of paths
        What to look at; folders are walked. URLs of object stores (``s3://…``) are fetched.
    out : path, optional
        Write the answers to a file that ends in .csv, .jsonl or .parquet, however many they are; also to a
        URL of an object store. A run that was stopped goes on where it was.
    form : {"label-studio", "cvat", "fiftyone"}, optional
        With `out`: pre-annotations for that tool.
    top : int, optional
        Classes to list; None lists five.
    cluster : str, optional
        Have Ray do it, with `out` as a folder of parts: ``local`` for all cores of this machine, ``auto`` or
        ``HOST:PORT`` for a cluster; docs/cluster.md. :func:`fieldguide.merge` makes one file of the parts.
    retry_refused : bool, default=False
        With `cluster`: try again what an earlier run refused.
    sort_into : path, optional
        Put each photo into a folder of its label in this one, ``unknown`` and ``refused`` apart, and leave a
        table by which :func:`fieldguide.undo` takes it back. A run that was stopped goes on where it was.
    by : {"copy", "hardlink", "move"}, optional
        With `sort_into`: how photos come there; None copies.
    dry_run : bool, default=False
        With `sort_into`: only say what would be done.
    write_tags : bool, default=False
        Write the label of each photo into the XMP sidecar beside it, as digiKam, darktable and Lightroom read
        keywords; the photos are only read, and what a sidecar holds already stays.
    tag_unknown : bool, default=False
        With `write_tags`: tag photos that the model knows no class for `unknown`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    Predictions
        A list of :class:`fieldguide.Prediction`, one an input; one that could not be read has its ``error``.
        With `out`, a `WriteResult` that counts the rows. With `sort_into`, a `SortResult` with a row a photo.
        With `write_tags`, a `TagResult` that counts sidecars.

    Raises
    ------
    FieldguideError
        If the model cannot be used, nothing is found, or `out` cannot be written.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.predict("model.onnx", "new").to_pandas()          # doctest: +SKIP
    >>> fieldguide.predict("model.onnx", "new", out="answers.csv")   # doctest: +SKIP
    >>> fieldguide.predict("model.onnx", "new", sort_into="sorted").counts   # doctest: +SKIP
    """
    check_options(
        out=out,
        form=form,
        top=top,
        sort_into=sort_into,
        by=by,
        dry_run=dry_run,
        write_tags=write_tags,
        tag_unknown=tag_unknown,
    )
    check_cluster(cluster, out, form, retry_refused)
    listed = TOP if top is None else whole_number("top", top, 1)
    predictor = as_model(model, EITHER if cluster is None else ONE_LABEL)
    names = _listed(paths)
    with contextlib.ExitStack() as stack, shown(progress) as callback:
        if sort_into is not None:
            into = Path(sort_into)
            return sort_into_folder(predictor, names, into, by, dry_run=dry_run, progress=callback)
        if write_tags:
            return write_sidecars(predictor, names, unknown=tag_unknown, progress=callback)
        inputs = find_inputs(names, stack=stack, progress=callback)
        if out is None:
            return _held(predictor, inputs, listed, callback, stack.pop_all())
        if cluster is not None:
            run = ClusterRun(cluster, retry_refused, listed, top or 1)
            return predict_on_cluster(predictor, inputs, as_output(out), run, progress=callback)
        return _written(predictor, inputs, (as_output(out), form, listed, top or 1), callback)


def _held(
    predictor: Any, inputs: Inputs, listed: int, progress: Any, stack: contextlib.ExitStack
) -> Predictions:
    answers = Predictions()
    with contextlib.ExitStack() as failing:
        failing.push(stack)
        progress("predicting", 0, len(inputs))
        for done, prediction in enumerate(predictor.predict_stream(inputs.items, top=listed), start=1):
            answers.append(prediction)
            progress("predicting", done, len(inputs))
        failing.pop_all()
    answers.files = inputs.files()
    weakref.finalize(answers, stack.close)  # photos of an archive are there as long as its answers
    return answers


def _written(
    predictor: Any, inputs: Inputs, wanted: tuple[Path | ObjectUrl, Any, int, int], progress: Any
) -> WriteResult:
    out, form, top, listed = wanted
    if form is None:
        return write_predictions(predictor, inputs, out, top=top, listed=listed, progress=progress)
    from fieldguide.prediction.preannotations import write_preannotations

    return write_preannotations(predictor, inputs, out, form, progress=progress)


def _listed(paths: FilePath | Sequence[FilePath]) -> list[FilePath]:
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def explain(
    model: Model,
    image: Photo,
    *,
    out: FilePath | None = None,
    label: str | None = None,
    train: Data | None = None,
    progress: ProgressChoice = None,
) -> PhotoExplanation:
    """Say which places of a photo speak for an answer, and which against it.

    Parameters
    ----------
    model : path, Predictor or TrainResult
        A model file, one that is loaded, or what :func:`fieldguide.train` gave.
    image : path, bytes, PIL image or array
        The photo.
    out : path, optional
        A PNG to draw.
    label : str, optional
        The class to explain; None takes the most probable one.
    train : path, frame, lists or Dataset, optional
        Also find the images of these data that the photo is most like.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    PhotoExplanation
        ``map`` over the photo, ``score`` and the like; ``as_dict()`` is what ``explain --json`` writes.

    Raises
    ------
    FieldguideError
        If the model or an option cannot be used.
    RefusedInput
        If the photo cannot be read.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.explain("model.onnx", "a.jpg").plot()   # doctest: +SKIP
    """
    with shown(progress) as callback:
        known = None if train is None else opened(train, DataOptions(), None, callback, 0)
        result = explain_photo(as_model(model, EITHER), image, label, train=known, progress=callback)
    if out is not None:
        with atomic_write(Path(out)) as file:
            result.picture().save(file, format="PNG", optimize=True)
    return result


def next_to_label(
    model: Model,
    paths: FilePath | Sequence[FilePath],
    *,
    count: int = COUNT,
    out: FilePath | None = None,
    force: bool = False,
    sheet: FilePath | None = None,
    progress: ProgressChoice = None,
) -> Suggestions:
    """Choose which unlabelled photos to label next, with a reason each.

    Parameters
    ----------
    model : path, Predictor or TrainResult
        A model file, one that is loaded, or what :func:`fieldguide.train` gave.
    paths : path or sequence of paths
        Photos without labels; folders are walked.
    count : int, default=50
        Photos to choose.
    out : path, optional
        Write the list as a table with a column `label` to fill in; of a model of tags, `labels`.
    force : bool, default=False
        Write the table anew even where labels were filled in.
    sheet : path, optional
        Draw the photos on one picture (PNG).
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Raises
    ------
    FieldguideError
        If the model cannot be used, nothing can be read, or a file cannot be written.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.next_to_label("model.onnx", "new", count=20).photos[0].reason   # doctest: +SKIP
    """
    from fieldguide.prediction.suggestion_files import keep_what_was_filled_in

    if out is not None and not force:
        keep_what_was_filled_in(Path(out))
    predictor = as_model(model, EITHER)
    with contextlib.ExitStack() as stack:
        with shown(progress) as callback:
            inputs = find_inputs(_listed(paths), stack=stack, progress=callback)
            found = choose(predictor, inputs.items, count=whole_number("count", count, 1), progress=callback)
        if sheet is not None:
            draw_sheet(found, inputs.files(), Path(sheet))
    if out is not None:
        write_table(found, Path(out))
    return found
