"""Caltech-UCSD Birds 200: numbered images, classes and a split, each a text file.

http://www.vision.caltech.edu/datasets/cub_200_2011/ ; NABirds has the same files.
"""

from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.forms.academic.text_lists import beside, pairs
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of

TITLE = "CUB-200: images.txt, image_class_labels.txt, classes.txt and train_test_split.txt"

LIST, LABELS, CLASSES, SPLITS = (
    "images.txt",
    "image_class_labels.txt",
    "classes.txt",
    "train_test_split.txt",
)


def recognise(source: DataSource) -> Sequence[Path]:
    """The lists of images that have one of classes beside them."""
    return [file for file in source.files(LIST) if file.name == LIST and beside(file, LABELS)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The class of each numbered image, and the part that the split gives it."""
    return joined([_read_one(source, file) for file in files])


def _read_one(source: DataSource, file: Path) -> Records:
    records = Records("", source.base)
    images = pairs(file, records, "image number and path")
    numbers = pairs(file.with_name(LABELS), records, "image number and class number")
    names_file, splits_file = beside(file, CLASSES), beside(file, SPLITS)
    names = pairs(names_file, records, "class number and name") if names_file else {}
    parts = pairs(splits_file, records, "image number and 1 or 0") if splits_file else {}
    records.has_splits = bool(splits_file)
    records.classes = tuple(names.values())
    for place, (image, path) in enumerate(images.items(), start=1):
        label, part = numbers.get(image), {"1": "train", "0": "test"}.get(parts.get(image, ""), "")
        if label is None:
            records.left_out[f"no class in {LABELS}"] += 1
        elif records.has_splits and not part:
            records.left_out[f"neither 1 nor 0 in {SPLITS}"] += 1
        else:
            name = source.name_in(file, f"images/{path}")
            records.records.append(Record(place, name, names.get(label, label), part))
    unlisted = len(numbers.keys() - images.keys())
    if unlisted:
        records.left_out[f"a class in {LABELS}, but no path in {LIST}"] += unlisted
    records.said = (
        f"CUB-200's lists: {count_of(len(records.records), 'image')}, {count_of(len(names), 'class')}"
        + (", with its split" if splits_file else "")
    )
    return records
