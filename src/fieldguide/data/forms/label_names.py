"""Names for labels that are numbers, from a list beside the annotations."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fieldguide.data.scan import suffix_of
from fieldguide.images.decoding import IMAGE_SUFFIXES

LIST_NAMES = (
    "classes",
    "class_names",
    "classnames",
    "labels",
    "label_names",
    "names",
    "categories",
    "id2label",
    "label2id",
    "label_map",
    "class_indices",
    "class_dict",
    "cat_to_name",
    "config",
    "dataset_info",
)
"""Names of files, without ending, in which numbers get their names."""
_SUFFIXES = (".txt", ".json", ".names", ".csv")
_MOST_BYTES = 10 * 2**20
_LOOKED_AT = 100
_CELL = re.compile(r"[\s,;]+")
_WHOLE = re.compile(r"[0-9]{1,9}(\.0)?")


def named(
    labels: Iterable[str], folders: Iterable[Path], table: Path | None = None
) -> tuple[dict[str, str], str]:
    r"""The names of labels that are all whole numbers.

    Parameters
    ----------
    labels : iterable of str
        The labels that occur.
    folders : iterable of Path
        Where a list may lie; the first that names every number is taken.
    table : Path, optional
        The file that the labels are from, which is no list of names though it may be called ``labels.csv``.

    Returns
    -------
    dict of str to str, str
        Label to name, and the list's file; empty where labels are no numbers or no list names them all.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "classes.txt").write_text("cat\ndog\n", encoding="utf-8")
    ...     named(["0", "1"], [Path(folder)])[0]
    {'0': 'cat', '1': 'dog'}
    """
    distinct = set(labels) - {""}
    if not distinct or not all(_WHOLE.fullmatch(label) for label in distinct):
        return {}, ""
    numbers = {label: int(label.split(".")[0]) for label in sorted(distinct)}
    for folder in dict.fromkeys(folders):
        for file in label_lists(folder):
            if table is not None and file.samefile(table):
                continue
            names = _numbered(file, numbers.values())
            if names:
                return {label: names[number] for label, number in numbers.items()}, str(file)
    return {}, ""


def label_lists(folder: Path) -> Iterator[Path]:
    """Files in a folder that are named as lists of classes are."""
    for name in LIST_NAMES:
        for suffix in _SUFFIXES:
            file = folder / (name + suffix)
            if file.is_file():
                yield file


def _numbered(file: Path, numbers: Iterable[int]) -> dict[int, str]:
    """Names by number if the file names all the numbers; lists may count from 1."""
    wanted = set(numbers)
    names = _names_in(file)
    if wanted <= names.keys():
        return names
    from_one = {number + 1: name for number, name in names.items()}
    return from_one if 0 in names and wanted <= from_one.keys() else {}


def _names_in(file: Path) -> dict[int, str]:
    try:
        if os.path.getsize(file) > _MOST_BYTES:  # noqa: PTH202
            return {}
        text = file.read_text(encoding="utf-8-sig")
        return _from_json(json.loads(text)) if file.suffix == ".json" else _from_lines(text)
    except (OSError, ValueError, RecursionError):
        return {}


def _from_lines(text: str) -> dict[int, str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if _lists_images(lines):
        return {}
    for pattern in (r"(?P<number>[0-9]+)[\s,;:]+(?P<name>.+)", r"(?P<name>.+?)[\s,;:]+(?P<number>[0-9]+)"):
        pairs = [re.fullmatch(pattern, line) for line in lines]
        # a header such as class_index,class names nothing
        found = {int(pair["number"]): pair["name"].strip() for pair in pairs if pair}
        if len(found) >= len(lines) - 1 and len(found) > 1:
            return found
    cells = sum(any(mark in line for mark in ",;\t") for line in lines)
    return {} if 2 * cells > len(lines) else dict(enumerate(lines))


def _lists_images(lines: list[str]) -> bool:
    """Whether this is a table of labels, which may be called as lists of names are."""
    return any(suffix_of(word) in IMAGE_SUFFIXES for line in lines[:_LOOKED_AT] for word in _CELL.split(line))


def _from_json(value: Any) -> dict[int, str]:
    """A list of names, number to name, name to number, or an object that holds one of these."""
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return dict(enumerate(value))
    if not isinstance(value, dict):
        return {}
    if value and all(_WHOLE.fullmatch(key) and isinstance(name, str) for key, name in value.items()):
        return {int(key): name for key, name in value.items()}
    if value and all(isinstance(number, int) for number in value.values()):
        return {number: name for name, number in value.items()}
    for key in ("id2label", "label2id", "names", "classes", "labels"):
        inner = _from_json(value.get(key)) if key in value else {}
        if inner:
            return inner
    return {}
