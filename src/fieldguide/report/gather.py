"""From a model, images and the files of other commands to what a report is made from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide.errors import DataError
from fieldguide.evaluation.measurement import (
    Measured,
    answers_to,
    foreign_answers,
    measured_by,
)
from fieldguide.evaluation.model_comparison import compare_models
from fieldguide.evaluation.result import with_foreign
from fieldguide.installation import program_command
from fieldguide.progress import Progress, silent
from fieldguide.report.material import ReportData
from fieldguide.report.observed_predictor import ObservedPredictor
from fieldguide.report.photos import Photos

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.data.leaks import Leaks
    from fieldguide.prediction.predictor import Predictor

MAX_BYTES = 100_000_000
"""A file of another command above this size is not read."""


@dataclass(frozen=True)
class Asked:
    """What a person named, as they named it."""

    model: Path
    data: Path
    split: str | None = None
    foreign: Path | None = None
    findings: Path | None = None
    """A file that ``check --json`` wrote."""
    learning_curve: Path | None = None
    """A file that ``compare --curve --json`` wrote."""
    models: "Mapping[str, Predictor]" = field(default_factory=dict)
    """All models to compare by name, the one of the report first; empty compares none."""


def gather(
    predictor: "Predictor",
    images: "Dataset",
    asked: Asked,
    *,
    foreign: "Dataset | None" = None,
    leaks: "Leaks | None" = None,
    progress: Progress = silent,
) -> ReportData:
    """Measure a model for a report.

    Parameters
    ----------
    predictor
        The model.
    images
        The labelled images to measure on; they must be there until the report is written.
    asked
        Names for the page, and files of other commands.
    foreign
        Images of other things.
    leaks
        Which of the images training has seen.
    progress
        Callback for progress: the images done.

    Raises
    ------
    DataError
        If no image is left to measure on, or a file of another command is not what it should be.
    """
    findings, curve = read_others(asked)
    witness = ObservedPredictor(predictor, images)
    answers = answers_to(witness, images, progress)
    measured, others = measured_by(witness, images, answers, leaks, progress), None
    if foreign is not None:
        others, refused = foreign_answers(predictor, foreign, progress)
        measured = with_foreign(measured, answers.outcomes, others, refused)
    comparison = None
    if asked.models:
        known = {next(iter(asked.models)): Measured(answers, measured)}
        comparison = compare_models(
            asked.models, images, foreign=foreign, leaks=leaks, known=known, progress=progress
        )
    return ReportData(
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


def read_others(asked: Asked) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What ``check`` and ``compare --curve`` found, where their files were named.

    Raises
    ------
    DataError
        If a file is not what it should be.
    """
    findings = _read(asked.findings, "findings", program_command("check DATA --json FILE"))
    curve = _read(asked.learning_curve, "learning_curve", program_command("compare DATA --curve --json FILE"))
    return findings, None if curve is None else curve["learning_curve"]


def split_of(images: "Dataset") -> str:
    """The one split that the images are of, or all."""
    present = set(images.splits or ())
    return present.pop() if len(present) == 1 else "all"


def _read(path: Path | None, key: str, command: str) -> dict[str, Any] | None:
    """A JSON object with a key, as another command writes it."""
    if path is None:
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: has more than {MAX_BYTES:,} bytes; make it with: {command}")
        answer = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is not readable JSON; make it with: {command}") from error
    if not isinstance(answer, dict) or key not in answer:
        raise DataError(f"{path}: must be a JSON object with {key!r}; make it with: {command}")
    return answer
