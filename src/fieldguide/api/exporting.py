"""A model file in another form, from a script: `export`."""

from pathlib import Path
from typing import Literal

from fieldguide.api.data import Splits, opened
from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.values import FilePath
from fieldguide.data.dataset import Data
from fieldguide.data.options import DataOptions
from fieldguide.errors import OptionError
from fieldguide.evaluation.checked_export import CheckedExport
from fieldguide.evaluation.export_check import check_export
from fieldguide.evaluation.micro_interpreter import micro_runtime
from fieldguide.evaluation.rounded_activations import FORMS as ROUNDED
from fieldguide.evaluation.rounded_activations import rounded_activations
from fieldguide.explanation.portable_readout import portable_readout
from fieldguide.modelfile.exports.conversion import WebOptions, check_form
from fieldguide.modelfile.exports.conversion import export as convert_model
from fieldguide.modelfile.exports.litert import MICRO
from fieldguide.tasks.task import EITHER, TaskName, as_task


def export(
    model: FilePath,
    *,
    to: Literal["int8", "core", "litert", "litert-float16", "litert-int8", "litert-micro", "web"],
    out: FilePath,
    precision: Literal["auto", "int8", "float32"] = "auto",
    runtime: FilePath | None = None,
    gpu: bool = False,
    calibrate: Data | None = None,
    check: Data | None = None,
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
) -> CheckedExport:
    """Write a model file in another form, for another place.

    Parameters
    ----------
    model : path
        A model file; it stays as it is.
    to : {"int8", "core", "litert", "litert-float16", "litert-int8", "litert-micro", "web"}
        The form; docs/export.md describes each.
    out : path
        The file to write; for ``web`` the folder.
    precision : {"auto", "int8", "float32"}, default="auto"
        For ``web``: of the large weights. ``auto`` is ``int8`` where the model has any.
    runtime : path, optional
        For ``web``: the npm package onnxruntime-web, packed or not; None looks in the current folder and in
        ``node_modules`` there and above.
    gpu : bool, default=False
        For ``web``: whether visitors' graphics processors answer where they give the same answers in less
        time; 27 MB more to keep on the host, which only such visitors load.
    calibrate : path, frame, lists or Dataset, optional
        For ``int8``, ``litert-int8`` and ``litert-micro``, which needs them: photos like those that the model
        will see, at least 30. What passes between layers is rounded as well, if other photos of these show
        that labels, calibration and coverage stay and, for ``int8``, that it is faster here;
        ``litert-micro`` is written all the same. ``note`` says what came of it.
    check : path, frame, lists or Dataset, optional
        Photos, on which both files are run and their answers compared.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        How `calibrate` and `check` are read, as in :func:`fieldguide.open_dataset`.

    Returns
    -------
    CheckedExport
        The file, its size beside the model's, and the ``check``.

    Raises
    ------
    FieldguideError
        If the model may not be used, or gains nothing by it.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.export("model.onnx", to="int8", out="small.onnx").bytes_after   # doctest: +SKIP
    """
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    source, target = Path(model), Path(out)
    of_web = WebOptions(precision, None if runtime is None else Path(runtime), gpu, portable_readout)
    if calibrate is not None and to not in ROUNDED:
        raise OptionError(
            f"calibrate: photos tell the ranges of {', '.join(ROUNDED)} alone; got to {to}; leave them out"
        )
    check_form(to, of_web)
    if check is not None and to == MICRO:
        micro_runtime()
    with shown(progress) as callback:
        made, photos = None, None
        if check is not None:  # read first: rounding may take minutes
            photos = opened(check, reading, splits, callback, minimum_classes=0, tasks=EITHER)
        if calibrate is not None:
            ranges = opened(calibrate, reading, splits, callback, minimum_classes=0, tasks=EITHER)
            made = rounded_activations(source, ranges, to, progress=callback)
        done = convert_model(source, to, target, of_web, made)
        if photos is None:
            return CheckedExport.of(done, None)
        return CheckedExport.of(done, check_export(source, target, to, photos, callback))
