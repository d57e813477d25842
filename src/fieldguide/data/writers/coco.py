"""COCO: the category of a photo, or one a tag, whose box is the whole photo; a file a split.

https://cocodataset.org/#format-data
"""

import json
from pathlib import Path

from PIL import Image

from fieldguide.data.writers.placing import PlacedPhoto, Placing, names_in
from fieldguide.files import atomic_write
from fieldguide.tasks.task import EITHER

TITLE = "COCO: images/ and annotations/instances_*.json with a category a photo or a tag"
PLACING = Placing.IMAGES
TASKS = EITHER


def write(photos: list[PlacedPhoto], folder: Path) -> None:
    """Write ``annotations/instances_<split>.json``; without splits ``instances_all.json``."""
    (folder / "annotations").mkdir()
    classes = names_in(photos)
    for split in sorted({photo.split for photo in photos}):
        members = [photo for photo in photos if photo.split == split]
        with atomic_write(folder / "annotations" / f"instances_{split or 'all'}.json") as file:
            file.write(json.dumps(_instances(members, classes, folder)).encode())


def _instances(photos: list[PlacedPhoto], classes: list[str], folder: Path) -> dict[str, object]:
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number, photo in enumerate(photos, start=1):
        with Image.open(folder / photo.name) as image:
            width, height = image.size
        name = photo.name.removeprefix("images/")
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        annotations += [
            {
                "id": len(annotations) + place,
                "image_id": number,
                "category_id": classes.index(label) + 1,
                "bbox": [0, 0, width, height],
                "area": width * height,
                "iscrowd": 0,
            }
            for place, label in enumerate(photo.names, start=1)
        ]
    categories = [{"id": number, "name": name} for number, name in enumerate(classes, start=1)]
    return {"images": images, "annotations": annotations, "categories": categories}
