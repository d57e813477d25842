"""A project of Label Studio: tasks with their choices, served as local files.

https://labelstud.io/guide/storage#Local-storage and https://labelstud.io/guide/task_format
"""

import json
import urllib.parse
import xml.sax.saxutils
from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.writers.placing import PlacedPhoto, Placing, names_in
from fieldguide.files import atomic_write
from fieldguide.tasks.task import EITHER

TITLE = "Label Studio: images/, tasks.json to import, and label_config.xml"
PLACING = Placing.IMAGES
TASKS = EITHER
FROM_NAME, TO_NAME = "choice", "image"
"""Names of the control and the object in the project's configuration."""


def write(photos: list[PlacedPhoto], folder: Path) -> None:
    """Write the tasks and the configuration of the project."""
    several = any(photo.tags is not None for photo in photos)
    tasks = [
        {"data": {"image": local_path(photo.name)}, "annotations": [{"result": choices_of(photo.names)}]}
        for photo in photos
    ]
    with atomic_write(folder / "tasks.json") as file:
        file.write(json.dumps(tasks, indent=1).encode())
    with atomic_write(folder / "label_config.xml") as file:
        file.write(configuration(names_in(photos), several=several).encode())


def local_path(name: str | bytes) -> str:
    """The address of a file in the folder that Label Studio serves."""
    return f"/data/local-files/?d={urllib.parse.quote(name)}"


def choices_of(labels: Sequence[str]) -> list[dict[str, object]]:
    """What was chosen, as the results of an annotation or a prediction; without a choice there is none."""
    value = {"choices": list(labels)}
    made: dict[str, object] = {"from_name": FROM_NAME, "to_name": TO_NAME, "type": "choices", "value": value}
    return [made] if labels else []


def configuration(labels: list[str], *, several: bool = False) -> str:
    """The labelling interface, with a choice for each class, of which several may be made."""
    how_many = "multiple" if several else "single"
    choices = "\n".join(f"    <Choice value={xml.sax.saxutils.quoteattr(label)}/>" for label in labels)
    return (
        f'<View>\n  <Image name="{TO_NAME}" value="$image"/>\n'
        f'  <Choices name="{FROM_NAME}" toName="{TO_NAME}" choice="{how_many}">\n{choices}\n'
        "  </Choices>\n</View>\n"
    )
