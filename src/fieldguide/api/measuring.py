"""Measuring a model file from a script: `evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fieldguide.api.data import Splits, opened
from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.tracking import tracked
from fieldguide.api.values import FilePath, Model, as_model, model_path
from fieldguide.data.dataset import Data, Dataset
from fieldguide.data.leaks import Leaks, leaks_between
from fieldguide.data.options import DataOptions
from fieldguide.data.plausibility.deep_grey import deep_grey_doubt
from fieldguide.errors import ModelFileError, OptionError
from fieldguide.evaluation.measurement import (
    Measured,
    answers_to,
    choose_split,
    foreign_measured,
    learned_split,
    measured_by,
)
from fieldguide.evaluation.model_comparison import compare_models
from fieldguide.evaluation.model_evaluation import ModelEvaluation, ModelTagEvaluation
from fieldguide.evaluation.tag_comparison import compare_tags
from fieldguide.evaluation.tag_measurement import tags_answered
from fieldguide.files import cache_folder
from fieldguide.prediction.predictor import Predictor
from fieldguide.progress import Progress
from fieldguide.tasks.task import EITHER, Task, TaskName, as_task, refuse_unsupported

if TYPE_CHECKING:
    from fieldguide.report.material import ReportData
    from fieldguide.report.tagged.material import TagReportData


@dataclass(frozen=True)
class _Work:
    """What is measured on what."""

    models: Mapping[str, Predictor]
    """By name; the first is the one that is measured, the others stand beside it."""
    path: Path
    """What the first model is called."""
    dataset: Dataset
    chosen: Dataset
    foreign: Dataset | None
    leaks: Leaks | None
    split: str | None
    progress: Progress

    @property
    def model(self) -> Predictor:
        return next(iter(self.models.values()))


def evaluate(
    model: Model,
    data: Data,
    *,
    split: Literal["train", "validation", "test", "all"] | None = None,
    foreign: Data | None = None,
    foreign_form: str | None = None,
    report: FilePath | None = None,
    plots: FilePath | None = None,
    findings: FilePath | None = None,
    learning_curve: FilePath | None = None,
    against: Sequence[Model] = (),
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
) -> ModelEvaluation | ModelTagEvaluation:
    """Measure a model file on labelled photos.

    Parameters
    ----------
    model : path, Predictor or TrainResult
        A model file, one that is loaded, or what :func:`fieldguide.train` gave.
    data : path, frame, lists or Dataset
        Labelled photos, in any form that :func:`fieldguide.open_dataset` takes.
    split : {"train", "validation", "test", "all"}, optional
        What to measure on; None takes test where there is one, else all.
    foreign_form : str, optional
        Which form `foreign` is of; None recognises it.
    foreign : path, frame, lists or Dataset, optional
        Photos of other things, to be told apart.
    report : path, optional
        Also write a page to look at, one HTML file.
    plots, findings, learning_curve : path, optional
        With `report`: a folder for its plots, and files that ``check`` and ``compare --curve`` wrote as JSON.
    against : sequence of path, Predictor or TrainResult, optional
        Other models to compare with on the same photos.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    ModelEvaluation or ModelTagEvaluation
        Figures with 95 % intervals, the second of a model of tags; ``as_dict()`` is what
        ``fieldguide evaluate --json`` writes.

    Raises
    ------
    FieldguideError
        If the model or DATA cannot be used.

    Examples
    --------
    >>> import fieldguide
    >>> measured = fieldguide.evaluate("model.onnx", "photos")          # doctest: +SKIP
    >>> measured.accuracy.low, measured.as_dict()["accuracy"]["low"]    # doctest: +SKIP
    """
    given = locals()
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    page = check_page(report, plots=plots, findings=findings, learning_curve=learning_curve)
    models = {name: as_model(one, EITHER) for name, one in _named([model, *against]).items()}
    asked = next(iter(models.values())).task
    _check_together(models, asked)
    if asked is Task.MULTIPLE and reading.task is None and not isinstance(data, Dataset):
        reading = replace(reading, task=asked)
    with tracked("evaluate", given) as kept, shown(progress) as callback:
        dataset = opened(data, reading, splits, callback, minimum_classes=1, tasks={asked})
        form_of_others = DataOptions(form=foreign_form)
        others = None if foreign is None else opened(foreign, form_of_others, None, callback, 0)
        chosen = choose_split(dataset, split)
        leaks = _leaks(dataset, chosen, callback)
        work = _Work(models, model_path(model), dataset, chosen, others, leaks, split, callback)
        result = _with_page(work, page) if page else _measured(work)
        kept.measured(result, result.as_dict())
    return result


def _check_together(models: Mapping[str, Predictor], asked: Task) -> None:
    """See that all models are of one task."""
    for name, model in models.items():
        refuse_unsupported(model.task, {asked}, name, ModelFileError)


def check_page(report: FilePath | None, **additions: FilePath | None) -> dict[str, Path]:
    """See that a page can be made, before minutes are spent on measuring.

    Returns
    -------
    dict of str to Path
        What was given; nothing where no page is wanted.

    Raises
    ------
    OptionError
        If an addition is given without a page, or a library is missing.
    """
    given = {name: Path(path) for name, path in additions.items() if path is not None}
    if report is None:
        for name in given:
            flag = "--" + name.replace("_", "-")
            raise OptionError(f"{flag}: belongs to --report, which was not given; add --report FILE.html")
        return {}
    from fieldguide.report.figures import require_matplotlib
    from fieldguide.report.page import require_jinja

    require_jinja()
    require_matplotlib()
    return {"report": Path(report), **given}


def _named(models: Sequence[Model]) -> dict[str, Model]:
    """Models by name: of their files where these differ, else of their paths."""
    paths = [model_path(model) for model in models]
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise OptionError(f"--against: must be another model file than MODEL, and each once; got {names}")
    return dict(zip(names, models, strict=True))


def _leaks(dataset: Dataset, chosen: Dataset, progress: Progress) -> Leaks | None:
    """Compare the images with the data's own training split, where they are another one."""
    training = learned_split(dataset, chosen)
    if training is None:
        return None
    return leaks_between(chosen, training, cache=cache_folder() / "features", progress=progress)


def _tags_measured(work: _Work) -> ModelTagEvaluation:
    images, progress = work.chosen.labelled(), work.progress
    asked = partial(tags_answered, dataset=images, foreign=work.foreign, leaks=work.leaks, progress=progress)
    found = {name: (model.classes, *asked(model)) for name, model in work.models.items()}
    _, answers, measured = next(iter(found.values()))
    return ModelTagEvaluation.of(
        measured,
        outcomes=answers.outcomes,
        images=images.take(answers.rows),
        against=compare_tags(images, found, progress) if len(found) > 1 else None,
        **_said(work),
    )


def _measured(work: _Work) -> ModelEvaluation | ModelTagEvaluation:
    if work.model.task is Task.MULTIPLE:
        return _tags_measured(work)
    model, images, progress = work.model, work.chosen, work.progress
    answers = answers_to(model, images, progress)
    measured = measured_by(model, images, answers, work.leaks, progress)
    if work.foreign is not None:
        measured = foreign_measured(model, measured, answers, work.foreign, progress)
    comparison = None
    if len(work.models) > 1:
        known = {next(iter(work.models)): Measured(answers, measured)}
        comparison = compare_models(
            work.models, images, foreign=work.foreign, leaks=work.leaks, known=known, progress=progress
        )
    return ModelEvaluation.of(
        measured,
        outcomes=answers.outcomes,
        images=images.take(answers.rows),
        against=comparison,
        **_said(work),
    )


def _with_page(work: _Work, page: Mapping[str, Path]) -> ModelEvaluation | ModelTagEvaluation:
    """Measure and write the page, while the photos of an archive are still there."""
    from fieldguide.report.assembly import write_report
    from fieldguide.report.gather import Asked, gather
    from fieldguide.report.tagged.gather import gather_tags

    asked = Asked(
        model=work.path,
        data=Path(work.dataset.name),
        split=work.split,
        findings=page.get("findings"),
        learning_curve=page.get("learning_curve"),
        models=work.models if len(work.models) > 1 else {},
    )
    others: dict[str, Any] = {"foreign": work.foreign, "leaks": work.leaks, "progress": work.progress}
    shown: dict[str, Any] = {"plots": page.get("plots"), "progress": work.progress}
    if work.model.task is Task.MULTIPLE:
        tagged = gather_tags(work.model, work.chosen, asked, **others)
        write_report(tagged, page["report"], **shown)
        return ModelTagEvaluation.of(tagged.evaluation, **_seen(tagged), **_said(work))
    material = gather(work.model, work.chosen, asked, **others)
    write_report(material, page["report"], **shown)
    return ModelEvaluation.of(material.evaluation, **_seen(material), **_said(work))


def _seen(material: "ReportData | TagReportData") -> dict[str, Any]:
    """The answers that a page was made from."""
    return {"outcomes": material.outcomes, "images": material.images, "against": material.comparison}


def _said(work: _Work) -> dict[str, object]:
    """Names, and what there is to say beside the figures."""
    deep = deep_grey_doubt(work.chosen.paths)
    foreign = work.foreign.notes if work.foreign else ()
    return {
        "model": str(work.path),
        "data": work.dataset.name,
        "doubts": (*work.dataset.doubts, *((deep,) if deep else ())),
        "notes": (*work.model.limits, *work.dataset.notes, *foreign),
    }
