"""Stanford Cars: annotations and class names in MATLAB's files, as one set or as a devkit.

https://ai.stanford.edu/~jkrause/cars/car_dataset.html
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.forms.arrays.matlab import as_list, variables
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError, Refusal

TITLE = "Stanford Cars: cars_annos.mat, or the devkit's cars_train_annos.mat and cars_meta.mat"

WHOLE = "cars_annos.mat"
_PARTS = {
    "cars_train_annos.mat": ("train", "cars_train"),
    "cars_test_annos_withlabels.mat": ("test", "cars_test"),
    "cars_test_annos.mat": ("test", "cars_test"),
}
"""File of the devkit to its split and its folder of images."""


def recognise(source: DataSource) -> Sequence[Path]:
    """The annotations: one file for all, else one a split, the test set's with labels if there."""
    files = {file.name: file for file in source.files(".mat")}
    if WHOLE in files:
        return [files[WHOLE]]
    if "cars_test_annos_withlabels.mat" in files:
        files.pop("cars_test_annos.mat", None)
    found = [files[name] for name in _PARTS if name in files]
    return found if "cars_train_annos.mat" in files or source.file is not None else []


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The class of each image by its name.

    Raises
    ------
    DataError
        If a file cannot be read or lacks what it must have.
    """
    whole = joined([_read_one(source, file) for file in files])
    whole.said = f"Stanford Cars: {count_of(len(whole.records), 'image')}"
    return whole


def _class_names(source: DataSource, file: Path, found: dict[str, Any]) -> list[str]:
    if "class_names" not in found:
        places = (file.parent, file.parent / "devkit", source.base, source.base / "devkit")
        meta = next(
            (place / "cars_meta.mat" for place in places if (place / "cars_meta.mat").is_file()), None
        )
        found = variables(meta, ["class_names"]) if meta else {}
    return [str(name) for name in as_list(found.get("class_names", []))]


def _read_one(source: DataSource, file: Path) -> Records:
    found = variables(file, ["annotations", "class_names"])
    if "annotations" not in found:
        raise DataError(f"{file}: it must hold the variable 'annotations', got none; get the file again")
    names = _class_names(source, file, found)
    split, folder = _PARTS.get(file.name, ("", ""))
    records = Records("", source.base, has_splits=True, classes=tuple(names))
    root = file.parent.parent if file.parent.name == "devkit" else file.parent
    for number, entry in enumerate(as_list(found["annotations"]), start=1):
        path, label = _entry(entry, names, folder)
        if path is None or label is None:
            said = f"the entry must have an image and a class of {len(names)}, got {str(entry)[:60]!r}"
            records.refused.append(Refusal(f"{file}, entry {number}", "damaged_row", said))
        elif not label:
            records.left_out["no class: cars_test_annos_withlabels.mat has those of the test set"] += 1
        else:
            part = split or ("test" if entry.get("test") else "train")
            records.records.append(Record(number, source.name_in(root / file.name, path), label, part))
    return records


def _entry(entry: Any, names: Sequence[str], folder: str) -> tuple[str | None, str | None]:
    """Path and class; the class is empty where the entry has none, None where it is no class."""
    if not isinstance(entry, dict):
        return None, None
    name = entry.get("relative_im_path", entry.get("fname"))
    if not isinstance(name, str) or not name:
        return None, None
    path = f"{folder}/{name}" if folder else name
    if "class" not in entry:
        return path, ""
    try:
        number = int(entry["class"])
    except (TypeError, ValueError):
        return path, None
    if not names:
        return path, str(number)
    return path, names[number - 1] if 1 <= number <= len(names) else None
