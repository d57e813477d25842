"""Oxford 102 Flowers: labels and split in MATLAB's files, images numbered from 1.

https://www.robots.ox.ac.uk/~vgg/data/flowers/102/
"""

from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.forms.academic.text_lists import beside
from fieldguide.data.forms.arrays.matlab import as_list, variables
from fieldguide.data.forms.label_names import named
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError

TITLE = "Oxford 102 Flowers: imagelabels.mat and setid.mat over jpg/image_00001.jpg"

LABELS, SPLITS = "imagelabels.mat", "setid.mat"
_PARTS = {"trnid": "train", "valid": "validation", "tstid": "test"}


def recognise(source: DataSource) -> Sequence[Path]:
    """The file of labels; one is enough."""
    return [file for file in source.files(LABELS) if file.name == LABELS][:1]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The class of each numbered image, and its part; numbers get names from a list such as cat_to_name.json.

    Raises
    ------
    DataError
        If a file cannot be read or lacks what it must have.
    """
    file = files[0]
    found = variables(file, ["labels"])
    if "labels" not in found:
        raise DataError(f"{file}: it must hold the variable 'labels', got none; get the file again")
    parts = _parts(beside(file, SPLITS))
    records = Records("", source.base, has_splits=bool(parts))
    labels = [str(label) for label in as_list(found["labels"])]
    names, listed = named(labels, (file.parent, source.base))
    for number, label in enumerate(labels, start=1):
        part = parts.get(number, "")
        if parts and not part:
            records.left_out[f"in no part of {SPLITS}"] += 1
            continue
        name = source.name_in(file, f"jpg/image_{number:05d}.jpg")
        records.records.append(Record(number, name, names.get(label, label), part))
    if names:
        records.notes.append(f"numbers got their names from {Path(listed).name!r}")
    records.said = f"Oxford 102 Flowers: {count_of(len(records.records), 'image')}" + (
        ", with its split" if parts else ""
    )
    return records


def _parts(file: Path | None) -> dict[int, str]:
    if file is None:
        return {}
    found = variables(file, list(_PARTS))
    try:
        return {int(number): _PARTS[name] for name in found for number in as_list(found[name])}
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{file}: it must hold numbers of images, got others ({error}); get it again"
        ) from error
