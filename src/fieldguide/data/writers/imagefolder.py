"""Hugging Face's imagefolder: ``metadata.csv`` with ``file_name`` and ``label`` in the folder of each split.

Tags are lists, which CSV has not: they stand in ``metadata.jsonl``, under ``labels``.

https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

import json
from collections import defaultdict
from pathlib import Path, PurePosixPath

from fieldguide.data.writers.placing import PlacedPhoto, Placing
from fieldguide.files import atomic_write
from fieldguide.plain_text import csv_line
from fieldguide.tasks.task import EITHER

TITLE = "Hugging Face imagefolder: photos and metadata.csv (of tags .jsonl), in a folder a split"
PLACING = Placing.SPLITS
TASKS = EITHER


def write(photos: list[PlacedPhoto], folder: Path) -> None:
    """Write one ``metadata.csv`` a folder, or ``metadata.jsonl``."""
    by_folder: dict[Path, list[PlacedPhoto]] = defaultdict(list)
    for photo in photos:
        by_folder[(folder / photo.name).parent].append(photo)
    for place, members in by_folder.items():
        if any(photo.tags is not None for photo in members):
            _write_lists(members, place / "metadata.jsonl")
            continue
        with atomic_write(place / "metadata.csv") as file:
            file.write(csv_line(["file_name", "label"]))
            for photo in members:
                file.write(csv_line([PurePosixPath(photo.name).name, photo.label]))


def _write_lists(photos: list[PlacedPhoto], out: Path) -> None:
    with atomic_write(out) as file:
        for photo in photos:
            row = {"file_name": PurePosixPath(photo.name).name, "labels": list(photo.names)}
            file.write(json.dumps(row).encode("ascii") + b"\n")
