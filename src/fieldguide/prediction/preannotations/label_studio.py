"""Label Studio: tasks with a prediction each, to be imported into a project with one choice.

https://labelstud.io/guide/predictions: a prediction has ``model_version``, ``score`` (tasks can be sorted by
it) and ``result``. Its control is called ``choice`` and its image ``image``, as `convert` writes them.
"""

import json
import os
from collections.abc import Iterable
from typing import IO, Any

from fieldguide.data.writers.label_studio import choices_of, local_path
from fieldguide.prediction.preannotations.answers import AnnotatingModel, ModelAnswer

TITLE = "Label Studio: tasks with predictions, to import"
SUFFIX = ".json"


def check(names: Iterable[str]) -> None:
    """Nothing: an address can hold every name."""
    for _ in names:  # which may be refused on their way
        pass


def write(answers: Iterable[ModelAnswer], file: IO[bytes], model: AnnotatingModel) -> None:
    """Write a task a photo; without a label it has no prediction, and ``meta`` says why."""
    file.write(b"[")
    for number, answer in enumerate(answers):
        file.write(b",\n" if number else b"\n")
        file.write(json.dumps(_task(answer, model)).encode("ascii"))
    file.write(b"\n]\n")


def _task(answer: ModelAnswer, model: AnnotatingModel) -> dict[str, Any]:
    task: dict[str, Any] = {"data": {"image": local_path(os.fsencode(answer.name))}}
    if answer.given is None:
        return {**task, "meta": answer.remark}
    result = [{"id": "label", **made} for made in choices_of([label for label, _ in answer.given])]
    prediction = {"model_version": model.version, "score": answer.probability, "result": result}
    return {**task, "predictions": [prediction], "meta": {"typicality": answer.typicality}}
