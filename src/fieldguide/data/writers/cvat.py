"""CVAT for images 1.1: photos and their tags.

https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from PIL import Image

from fieldguide.data.writers.placing import PlacedPhoto, Placing, names_in
from fieldguide.files import atomic_write
from fieldguide.tasks.task import EITHER

TITLE = "CVAT for images 1.1: images/ and annotations.xml with the tags of each photo"
PLACING = Placing.IMAGES
TASKS = EITHER


def write(photos: list[PlacedPhoto], folder: Path) -> None:
    """Write ``annotations.xml``."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    labels = ElementTree.SubElement(
        ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "job"), "labels"
    )
    for name in names_in(photos):
        ElementTree.SubElement(ElementTree.SubElement(labels, "label"), "name").text = name
    for number, photo in enumerate(photos):
        root.append(image_element(number, photo, folder))
    with atomic_write(folder / "annotations.xml") as file:
        file.write(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def image_element(number: int, photo: PlacedPhoto, folder: Path) -> ElementTree.Element:
    """A photo with its tags; its size is read from its header."""
    with Image.open(folder / photo.name) as image:
        width, height = image.size
    attributes = {"id": str(number), "name": photo.name, "width": str(width), "height": str(height)}
    if photo.split:
        attributes["subset"] = photo.split
    element = ElementTree.Element("image", attributes)
    for label in photo.names:
        ElementTree.SubElement(element, "tag", {"label": label, "source": "manual"})
    return element
