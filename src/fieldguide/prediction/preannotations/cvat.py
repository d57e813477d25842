"""CVAT for images 1.1: tags whose source is ``auto``, to be uploaded into a task of these photos.

https://docs.cvat.ai/docs/other/xml_format: CVAT finds a photo by its name. The attributes ``probability``,
``typicality`` and ``model`` are kept where the task's labels declare them, and dropped elsewhere.
"""

import re
from collections.abc import Iterable
from typing import IO
from xml.etree import ElementTree

from PIL import Image

from fieldguide.errors import OutputError
from fieldguide.prediction.preannotations.answers import AnnotatingModel, ModelAnswer

TITLE = "CVAT for images 1.1: tags to upload"
SUFFIX = ".xml"

_ATTRIBUTES = ("probability", "typicality", "model")
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ORIENTATION, _FIRST_LYING = 0x0112, 5


def check(names: Iterable[str]) -> None:
    """Refuse names that XML cannot hold.

    Raises
    ------
    OutputError
        If a name holds control characters or bytes that are no UTF-8.
    """
    for name in names:
        if _NO_XML.search(name):
            raise OutputError(
                f"{name!a}: names for CVAT must be text that XML can hold; rename the photo, or write "
                "--form label-studio"
            )


def write(answers: Iterable[ModelAnswer], file: IO[bytes], model: AnnotatingModel) -> None:
    """Write an image a photo that could be read; one without an answer has no tag."""
    file.write(b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n')
    file.write(_encoded(_meta(model)))
    read = (answer for answer in answers if "refused" not in answer.remark)
    for number, answer in enumerate(read):
        file.write(_encoded(_image(number, answer, model)))
    file.write(b"</annotations>\n")


def _encoded(element: ElementTree.Element) -> bytes:
    return ElementTree.tostring(element, encoding="unicode").encode() + b"\n"


def _meta(model: AnnotatingModel) -> ElementTree.Element:
    """The labels that the task needs."""
    meta = ElementTree.Element("meta")
    labels = ElementTree.SubElement(ElementTree.SubElement(meta, "task"), "labels")
    for name in model.classes:
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = name
        attributes = ElementTree.SubElement(label, "attributes")
        for attribute in _ATTRIBUTES:
            declared = ElementTree.SubElement(attributes, "attribute")
            for key, value in (("name", attribute), ("mutable", "False"), ("input_type", "text")):
                ElementTree.SubElement(declared, key).text = value
    return meta


def _image(number: int, answer: ModelAnswer, model: AnnotatingModel) -> ElementTree.Element:
    width, height = _size(answer.path)
    attributes = {"id": str(number), "name": answer.name, "width": str(width), "height": str(height)}
    image = ElementTree.Element("image", attributes)
    for label, probability in answer.given or ():
        tag = ElementTree.SubElement(image, "tag", {"label": label, "source": "auto"})
        values = ("" if probability is None else str(probability), str(answer.typicality), model.version)
        for name, value in zip(_ATTRIBUTES, values, strict=True):
            ElementTree.SubElement(tag, "attribute", {"name": name}).text = value
    return image


def _size(path: str) -> tuple[int, int]:
    """Width and height, upright, as CVAT shows it; 0 where Pillow does not know the format."""
    try:
        with Image.open(path) as image:
            lying = image.getexif().get(_ORIENTATION, 1) >= _FIRST_LYING
            return (image.height, image.width) if lying else image.size
    except (OSError, ValueError):
        return 0, 0
