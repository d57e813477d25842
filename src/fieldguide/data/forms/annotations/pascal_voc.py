"""Pascal VOC: lists of a class each in ``ImageSets/Main``, or an XML file of objects a photo.

http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/index.html: a line of a list is an image and 1 where it
shows the class, -1 where it does not, 0 where it shows only difficult instances. As tags, such a class is not
known, as in the challenge's own measuring, which leaves these images out for this class.
LabelImg, Roboflow and CVAT write the XML files, too.
"""

import re
import xml.etree.ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fieldguide.data.forms.entries import NONE, ImageFolders, add_one, float_of, refuse
from fieldguide.data.forms.records import Box, Record, Records, joined
from fieldguide.data.forms.source import DataSource, content_of, xml_root
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.data.text_encoding import decoded
from fieldguide.errors import DataError, Refusal
from fieldguide.images.decoding import IMAGE_SUFFIXES
from fieldguide.tasks.task import Task

TITLE = "Pascal VOC: ImageSets/Main with a list a class, or Annotations with an XML file a photo"

DIFFICULT = "only objects that are marked as difficult"
_LIST = re.compile(r"(?P<label>.+)_(?P<part>train|val|trainval|test)")
_PARTS = {"train": "train", "trainval": "train", "val": "validation", "test": "test"}
_HEAD_BYTES = 1024
_FIRST_SUFFIXES = (".jpg", ".jpeg", ".png")


def recognise(source: DataSource) -> Sequence[Path]:
    """The lists of classes; where there are none, the XML files of objects."""
    lists = [file for file in source.files(".txt") if _in_main(file) and _LIST.fullmatch(file.stem)]
    return lists or [file for file in source.files(".xml") if _is_annotation(file)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one class of each image."""
    if files[0].suffix.lower() == ".xml":
        return _read_objects(source, files)
    roots = dict.fromkeys(file.parents[2] for file in files)
    return joined(
        [_read_lists(source, [file for file in files if file.parents[2] == root]) for root in roots]
    )


def read_boxes(source: DataSource, files: Sequence[Path]) -> Records:
    """A record for each object that is not difficult; lists of classes know no objects, so XML is read."""
    objects = [file for file in source.files(".xml") if _is_annotation(file)]
    if not objects:
        raise DataError(f"{files[0]}: --crops needs the XML files of Annotations/, got lists alone; add them")
    return _read_objects(source, objects)


def _in_main(file: Path) -> bool:
    return file.parent.name == "Main" and file.parent.parent.name == "ImageSets"


def _is_annotation(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return re.search(rb"<annotation[\s>]", opened.read(_HEAD_BYTES)) is not None
    except OSError:
        return False


def _lines(file: Path) -> list[list[str]]:
    return [line.split() for line in decoded(content_of(file))[0].splitlines() if line.strip()]


def _parts_used(parts: set[str]) -> set[str]:
    """``trainval`` holds what ``train`` and ``val`` hold together, so one of both is read."""
    return parts - {"trainval"} if "train" in parts else parts - {"val"} if "trainval" in parts else parts


def _read_lists(source: DataSource, files: Sequence[Path]) -> Records:
    names = {file: match for file in files if (match := _LIST.fullmatch(file.stem))}
    used = _parts_used({match["part"] for match in names.values()})
    records = Records("", source.base, has_splits=len(used) > 1)
    records.classes = tuple(dict.fromkeys(match["label"] for match in names.values()))
    for part in sorted(used, key=list(_PARTS).index):
        signs: dict[str, dict[str, str]] = {}
        for file, match in names.items():
            if match["part"] == part:
                _read_list(file, match["label"], signs, records)
        _take_lists(source, files[0], records, signs, _PARTS[part] if records.has_splits else "")
    root = files[0].parents[2].name
    records.said = (
        f"Pascal VOC lists of {root!r}: {_images(records)} of {count_of(len(records.classes), 'class')}, "
        f"from {', '.join(sorted(used))}"
    )
    return records


def _images(records: Records) -> str:
    return f"{count_of(len(records.tagged), 'image')}, {len(records.records)} with one"


def _read_list(file: Path, label: str, signs: dict[str, dict[str, str]], records: Records) -> None:
    for number, cells in enumerate(_lines(file), start=1):
        if len(cells) == 2 and cells[1] in ("1", "-1", "0"):
            signs.setdefault(cells[0], {})[label] = cells[1]
        else:
            refuse(records, file, f"line {number}", "a line must be an image and 1, 0 or -1")


def _take_lists(
    source: DataSource, file: Path, records: Records, signs: Mapping[str, Mapping[str, str]], split: str
) -> None:
    folders = ImageFolders(source, file, ("../../JPEGImages", "../../images", "../.."))
    beside, by_sign = 0, _not_by_leaving_out(records.classes, signs)
    for number, (image, shown) in enumerate(signs.items(), start=1):
        labels = [label for label, sign in shown.items() if sign == "1"]
        difficult = [label for label, sign in shown.items() if sign == "0"]
        beside += bool(difficult) and len(labels) == 1
        record = Record(number, folders.name(image, _FIRST_SUFFIXES), split=split)
        unlisted = by_sign - shown.keys()
        add_one(records, record, labels, DIFFICULT if difficult else NONE, [*difficult, *unlisted])
    if beside:
        tags = source.options.task is Task.MULTIPLE
        records.notes.append(
            f"{count_of(beside, 'image')} of one class with difficult objects of others: "
            + ("as a tag, each of these is not known" if tags else "these do not count")
        )


def _not_by_leaving_out(classes: Sequence[str], signs: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Classes of which -1 says that they are absent: an image that their list lacks may show them or not."""
    return {label for label in classes if any(shown.get(label) == "-1" for shown in signs.values())}


def _read_objects(source: DataSource, files: Sequence[Path]) -> Records:
    listed = _split_lists(source)
    by_folder = {} if listed else _by_folder(source, files)
    records = Records("", source.base, has_splits=bool(listed or by_folder))
    for number, file in enumerate(files, start=1):
        try:
            root = xml_root(file)
        except DataError as error:
            records.refused.append(Refusal(str(file), "damaged_row", str(error)))
            continue
        split = listed.get(file.stem, "") if listed else by_folder.get(file, "")
        if records.has_splits and not split:
            records.left_out["in no list of ImageSets/Main"] += 1
            continue
        _take_objects(source, file, root, records, Record(number, "", split=split))
    what = (
        count_of(len(records.records), "box")
        if source.options.crops
        else f"{len(records.records)} of one class"
    )
    records.said = f"Pascal VOC annotations: {count_of(len(files), 'XML file')}, {what}"
    return records


def _split_lists(source: DataSource) -> dict[str, str]:
    """Image to split by ``train.txt``, ``val.txt`` and ``test.txt`` of ``ImageSets/Main``, if two exist."""
    lists = {file.stem: file for file in source.files(".txt") if _in_main(file) and file.stem in _PARTS}
    used = _parts_used(set(lists))
    if len(used) < 2:
        return {}
    return {cells[0]: _PARTS[part] for part in used for cells in _lines(lists[part])}


def _by_folder(source: DataSource, files: Sequence[Path]) -> dict[Path, str]:
    """The split that the first folder below DATA is called as, if all files lie in such."""
    tops = {file: file.relative_to(source.base).parts[0] for file in files if source.file is None}
    splits = {file: split_of(top) or "" for file, top in tops.items()}
    return splits if splits and all(splits.values()) and len(set(splits.values())) > 1 else {}


def _take_objects(
    source: DataSource, file: Path, root: xml.etree.ElementTree.Element, records: Records, record: Record
) -> None:
    given = (root.findtext("filename") or "").strip()
    folders = ImageFolders(source, file, (".", "../JPEGImages", "../images", ".."))
    suffixed = Path(given).suffix.lower() in IMAGE_SUFFIXES if "\0" not in given else False
    name = folders.name(given) if suffixed else folders.name(given or file.stem, _FIRST_SUFFIXES)
    if not source.exists(source.base / "x", name):  # tools rename photos and leave the old name in the file
        name = folders.name(file.stem, _FIRST_SUFFIXES)
    objects = root.findall("object")
    easy = [one for one in objects if (one.findtext("difficult") or "0").strip() != "1"]
    labels = [(one.findtext("name") or "").strip() for one in easy]
    if source.options.crops:
        _take_boxes(file, root, records, replace(record, name=name))
    elif not all(labels):
        refuse(records, file, f"object {labels.index('') + 1}", "the object has no name")
    else:
        difficult = [(one.findtext("name") or "").strip() for one in objects if one not in easy]
        none = DIFFICULT if objects else "no object on the image"
        add_one(records, Record(record.number, name, split=record.split), labels, none, difficult)


def _take_boxes(file: Path, root: xml.etree.ElementTree.Element, records: Records, record: Record) -> None:
    """A record an object; edges count from 1, and the last pixel belongs to the object."""
    size = [float_of(root.findtext(f"size/{name}")) or 0.0 for name in ("width", "height")]
    for number, one in enumerate(root.findall("object"), start=1):
        if (one.findtext("difficult") or "0").strip() == "1":
            records.left_out["a difficult object"] += 1
            continue
        label = (one.findtext("name") or "").strip()
        left, top, right, bottom = (
            float_of(one.findtext(f"bndbox/{name}")) for name in ("xmin", "ymin", "xmax", "ymax")
        )
        if not label or left is None or top is None or right is None or bottom is None:
            refuse(records, file, f"object {number}", "the object must have a name and a bndbox of numbers")
        else:
            box = Box(left - 1, top - 1, right, bottom, *size)
            records.records.append(replace(record, label=label, box=box))
