"""The project of VGG Image Annotator, version 3: files, views of them, and metadata of views.

https://gitlab.com/vgg/via/-/blob/master/via-3.x.y/CodeDoc.md: an entry of ``metadata`` is of a view
(``vid``), has a place in it (``xy``, empty for the whole file) and values (``av``) by the number of an
attribute, whose ``anchor_id`` says what it is of; of options, the number of one or several.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.data.forms.entries import mapping, refuse, sequence, shown, text_of
from fieldguide.data.forms.records import Records

_PARTS = ("project", "attribute", "file", "view", "metadata")
_KINDS = {1: "text", 2: "checkbox", 3: "radio", 4: "dropdown", 5: "image"}
"""Numbers of kinds of attributes, by the words of version 2."""
_ANCHORS = {"FILE1_Z0_XY0": "file", "FILE1_Z0_XY1": "region"}
"""What an attribute may be of, on a photo."""
_IMAGE = 2


@dataclass
class ViaPhoto:
    """A photo with the values of its attributes, and of those of its regions."""

    number: int
    name: str
    of_file: dict[str, Any] = field(default_factory=dict)
    of_regions: list[dict[str, Any]] = field(default_factory=list)


def is_project(value: Any) -> bool:
    """Whether a JSON value is a project of version 3."""
    return isinstance(value, dict) and all(isinstance(value.get(part), dict) for part in _PARTS)


def attribute_types(value: dict[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """The kinds of attributes as version 2 writes them, of photos and of regions."""
    types: dict[str, dict[str, dict[str, str]]] = {"file": {}, "region": {}}
    for attribute in map(mapping, value["attribute"].values()):
        anchor = _ANCHORS.get(text_of(attribute.get("anchor_id")))
        if anchor is not None:
            types[anchor][text_of(attribute.get("aname"))] = {"type": _kind(attribute)}
    return types


def photos(value: dict[str, Any], records: Records, file: Path) -> Iterator[ViaPhoto]:
    """The images of a project; views of several images are counted, for their values are of all of them."""
    found: dict[str, ViaPhoto] = {}
    for number, (identifier, entry) in enumerate(value["file"].items(), start=1):
        if mapping(entry).get("type", _IMAGE) != _IMAGE:
            records.left_out["a video or a sound"] += 1
        elif not (name := text_of(mapping(entry).get("fname"))):
            refuse(records, file, f"file {number}", f"it must have an fname, got {shown(entry)}")
        else:
            found[str(identifier)] = ViaPhoto(number, name)
    of_view = {
        view: [text_of(one) for one in sequence(mapping(entry).get("fid_list"))]
        for view, entry in value["view"].items()
    }
    for several in (members for members in of_view.values() if len(members) > 1):
        lost = [one for one in several if found.pop(one, None) is not None]
        records.left_out["in a view of several images"] += len(lost)
    for entry in map(mapping, value["metadata"].values()):
        members = of_view.get(text_of(entry.get("vid")), [])
        if len(members) == 1 and members[0] in found:
            _add(found[members[0]], entry, value["attribute"])
    yield from found.values()


def _add(photo: ViaPhoto, entry: dict[str, Any], attributes: dict[str, Any]) -> None:
    values = {"file": dict[str, Any](), "region": dict[str, Any]()}
    for identifier, given in mapping(entry.get("av")).items():
        attribute = mapping(attributes.get(identifier))
        anchor = _ANCHORS.get(text_of(attribute.get("anchor_id")))
        if anchor is not None:
            values[anchor][text_of(attribute.get("aname"))] = _value(given, attribute)
    photo.of_file.update(values["file"])
    if values["region"]:
        photo.of_regions.append(values["region"])


def _value(given: Any, attribute: dict[str, Any]) -> Any:
    """Text as it is; of options their names, ticked, as version 2 writes a checkbox."""
    options = mapping(attribute.get("options"))
    if _kind(attribute) == "text" or not options:
        return given
    return {text_of(options[chosen]): True for chosen in text_of(given).split(",") if chosen in options}


def _kind(attribute: dict[Any, Any]) -> str:
    number = attribute.get("type")
    return _KINDS.get(number, "text") if isinstance(number, int) else "text"
