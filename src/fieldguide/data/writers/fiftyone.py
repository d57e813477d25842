"""FiftyOne's image classification dataset: ``data/`` and ``labels.json``.

https://docs.voxel51.com/user_guide/export_datasets.html#fiftyone-image-classification-dataset
"""

import json
from pathlib import Path, PurePosixPath

from fieldguide.data.writers.placing import PlacedPhoto, Placing, names_in
from fieldguide.errors import OutputError
from fieldguide.files import atomic_write
from fieldguide.tasks.task import EITHER

TITLE = "FiftyOne: data/ and labels.json"
PLACING = Placing.DATA
TASKS = EITHER


def write(photos: list[PlacedPhoto], folder: Path) -> None:
    """Write ``labels.json``, which names photos without their endings.

    Raises
    ------
    OutputError
        If two photos differ in their endings only, or there are splits, which this form does not have.
    """
    if any(photo.split for photo in photos):
        raise OutputError(
            "FiftyOne's form has no splits; write another form, or one split at a time with --split"
        )
    classes = names_in(photos)
    labels = {PurePosixPath(photo.name).stem: _labels(photo, classes) for photo in photos}
    if len(labels) < len(photos):
        raise OutputError(
            "FiftyOne's form tells photos apart by their names without endings; rename those alike"
        )
    with atomic_write(folder / "labels.json") as file:
        file.write(json.dumps({"classes": classes, "labels": labels}, indent=1).encode())


def _labels(photo: PlacedPhoto, classes: list[str]) -> int | list[int]:
    """The place of the class among all, or a list of those of the tags."""
    places = [classes.index(name) for name in photo.names]
    return places[0] if photo.tags is None else places
