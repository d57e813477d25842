"""From a model of tags, photos and the files of other commands to what a report is made from."""

from functools import partial
from typing import TYPE_CHECKING

from fieldguide.evaluation.measurement import foreign_answers
from fieldguide.evaluation.tag_comparison import compare_tags
from fieldguide.evaluation.tag_measurement import (
    tag_answers_to,
    tags_answered,
    tags_beside_foreign,
    tags_measured_by,
)
from fieldguide.progress import Progress, silent
from fieldguide.report.gather import Asked, read_others, split_of
from fieldguide.report.observed_predictor import ObservedSample
from fieldguide.report.photos import Photos
from fieldguide.report.tagged.material import TagReportData

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.data.leaks import Leaks
    from fieldguide.prediction.predictor import Predictor


def gather_tags(
    predictor: "Predictor",
    images: "Dataset",
    asked: Asked,
    *,
    foreign: "Dataset | None" = None,
    leaks: "Leaks | None" = None,
    progress: Progress = silent,
) -> TagReportData:
    """Measure a model of tags for a report.

    Parameters
    ----------
    predictor
        The model.
    images
        The photos with tags to measure on; they must be there until the report is written.
    asked
        Names for the page, and files of other commands.
    foreign
        Photos of other things.
    leaks
        Which of the photos training has seen.
    progress
        Callback for progress: the photos done.

    Raises
    ------
    DataError
        If no photo is left to measure on, or a file of another command is not what it should be.
    """
    findings, curve = read_others(asked)
    images = images.labelled()
    witness = ObservedSample(predictor, len(images))
    answers = tag_answers_to(witness, images, progress)
    measured, others = tags_measured_by(witness, images, answers, leaks, progress), None
    if foreign is not None:
        others, refused = foreign_answers(predictor, foreign, progress)
        measured = tags_beside_foreign(measured, answers, others, refused)
    comparison = None
    if asked.models:
        answered = partial(tags_answered, dataset=images, foreign=foreign, leaks=leaks, progress=progress)
        (first, _), *rest = asked.models.items()
        found = {first: (predictor.classes, answers, measured)}
        found |= {name: (model.classes, *answered(model)) for name, model in rest}
        comparison = compare_tags(images, found, progress)
    return TagReportData(
        model=asked.model.name,
        data=asked.data.name or str(asked.data),
        split=asked.split or split_of(images),
        card=predictor.card,
        digest=predictor.digest,
        evaluation=measured,
        outcomes=answers.outcomes,
        images=images.take(answers.rows),
        witness=witness,
        photos=Photos(predictor),
        findings=findings,
        learning_curve=curve,
        foreign=others,
        comparison=comparison,
    )
