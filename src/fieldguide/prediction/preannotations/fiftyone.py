"""FiftyOne's image classification dataset: ``labels.json`` with a label and its confidence a photo.

https://docs.voxel51.com/user_guide/import_datasets.html#fiftyoneimageclassificationdataset: photos are named
by their paths without endings; one without a label has none.
"""

import json
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import IO

from fieldguide.errors import OutputError
from fieldguide.prediction.preannotations.answers import AnnotatingModel, ModelAnswer

TITLE = "FiftyOne: labels.json of an image classification dataset"
SUFFIX = ".json"


def check(names: Iterable[str]) -> None:
    """Refuse names that are the same without their endings.

    Raises
    ------
    OutputError
        If there are two such photos.
    """
    taken: dict[str, str] = {}
    for name in names:
        other = taken.setdefault(_key(name), name)
        if other != name:
            raise OutputError(
                f"{other} and {name}: FiftyOne tells photos apart by their names without endings; rename one"
            )


def write(answers: Iterable[ModelAnswer], file: IO[bytes], model: AnnotatingModel) -> None:
    """Write the classes, and the place of the label, or a list of those of the tags, for each photo."""
    places = {label: place for place, label in enumerate(model.classes)}
    file.write(b'{"classes": ' + json.dumps(model.classes).encode("ascii") + b',\n "labels": {')
    for number, answer in enumerate(answers):
        attributes = {"typicality": answer.typicality, "model": model.version}
        listed = [
            {"label": places[label], "confidence": probability, "attributes": attributes}
            for label, probability in answer.given or ()
        ]
        value = None if answer.given is None else listed if answer.label is None else listed[0]
        file.write(b",\n  " if number else b"\n  ")
        file.write(f"{json.dumps(_key(answer.name))}: {json.dumps(value)}".encode("ascii"))
    file.write(b"\n }}\n")


def _key(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
