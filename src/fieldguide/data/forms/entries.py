"""What readers of annotations share: entries that may be malformed, one class an image, splits in names."""

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fieldguide.data.forms.columns import NAMES
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import inside
from fieldguide.data.split_names import split_of
from fieldguide.errors import DataError, Refusal
from fieldguide.tasks.tags import Tags

SEVERAL = "several classes on an image are tags (--task multiple reads them)"
NONE = "no class on the image"
"""Why an image is left out on purpose."""

_SHOWN = 12
_SHORTEST = 3
"""Two letters in the name of a file of annotations are no split."""


def refuse(records: Records, file: Path, entry: str, message: str) -> None:
    """Refuse an entry of a file that could not be understood."""
    records.refused.append(Refusal(f"{file}, {entry}", "damaged_row", message))


def objects(value: Any, records: Records, file: Path, noun: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects in a JSON list, numbered from 1; what is no object is refused.

    Examples
    --------
    >>> records = Records("", Path("."))
    >>> list(objects([{"id": 1}, 7], records, Path("a.json"), "image")), records.refused[0].path
    ([(1, {'id': 1})], 'a.json, image 2')
    """
    if not isinstance(value, list):
        refuse(records, file, f"{noun}s", f"there must be a list of {noun}s, got {shown(value)}")
        return
    for number, entry in enumerate(value, start=1):
        if isinstance(entry, dict):
            yield number, entry
        else:
            refuse(records, file, f"{noun} {number}", f"it must be an object, got {shown(entry)}")


def shown(value: Any) -> str:
    """A value as a message shows it: short, whatever it is."""
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    return repr(value[:40] if isinstance(value, (str, bytes)) else value)[:48]


def text_of(value: Any) -> str:
    """A name or an identifier as text; empty where it is neither text nor a whole number.

    Examples
    --------
    >>> text_of(7), text_of("cat"), text_of(True), text_of([1]), text_of(1.0)
    ('7', 'cat', '', '', '1')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    # Python refuses to write whole numbers of more than 4,300 digits
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e30 else ""


def float_of(value: str | None) -> float | None:
    """A finite number written as text; None where it is none.

    Examples
    --------
    >>> float_of(" 1.5"), float_of("nan"), float_of("wide"), float_of(None)
    (1.5, None, None, None)
    """
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def mapping(value: Any) -> dict[Any, Any]:
    """An object as it is, and nothing where it is none."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """A list as it is, and nothing where it is none."""
    return value if isinstance(value, list) else []


def add_one(
    records: Records,
    record: Record,
    labels: Iterable[str],
    none: str = NONE,
    not_known: Iterable[str] = (),
) -> None:
    """Keep an image that shows one class, and count one that shows none or several.

    As tags it has all of them, and of `not_known` nobody can say.

    Examples
    --------
    >>> records = Records("", Path("."))
    >>> add_one(records, Record(1, "a.jpg"), ["cat", "cat"])
    >>> add_one(records, Record(2, "b.jpg"), ["cat", "dog"])
    >>> records.records[0].label, records.left_out.total()
    ('cat', 1)
    """
    distinct = list(dict.fromkeys(label for label in labels if label))
    if len(distinct) == 1:
        records.keep(replace(record, label=distinct[0]), not_known)
    else:
        records.leave_out_as_single(record, Tags.of(distinct, not_known), SEVERAL if distinct else none)


def split_in(name: str) -> str:
    """The split that a file's or folder's name holds as a word of its own; empty for none or several.

    Examples
    --------
    >>> split_in("instances_val2017"), split_in("train-00000-of-00001"), split_in("strain")
    ('validation', 'train', '')
    """
    words = [word for word in re.split(r"[^a-z]+", name.lower()) if len(word) >= _SHORTEST]
    found = {split for word in words if (split := split_of(word))}
    return found.pop() if len(found) == 1 else ""


def splits_of(files: Sequence[Path]) -> dict[Path, str]:
    """The split of each file, by its own name or its folder's; all empty unless they tell all files apart."""
    splits = {file: split_in(file.stem) or split_in(file.parent.name) for file in files}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    return splits if apart else dict.fromkeys(files, "")


def chosen_field(names: Iterable[str], source: DataSource, file: Path, noun: str) -> str:
    """The one field among several that holds the label: named by a person, or called as the field calls it.

    Raises
    ------
    DataError
        If several could be it, or a person named one that does not exist.
    """
    found = list(dict.fromkeys(names))
    wanted = source.options.label_column
    got = ", ".join(repr(name[:40]) for name in found[:_SHOWN]) or "none"
    if wanted is not None:
        if wanted not in found:
            raise DataError(
                f"{file}: --label-column must be one of its {noun}s, which are {got}; got {wanted!r}"
            )
        return wanted
    lower = [name.lower().replace(" ", "_").replace("-", "_") for name in found]
    usual = [found[lower.index(name)] for name in NAMES["label"] if name in lower]
    if len(found) == 1 or usual:
        return usual[0] if usual else found[0]
    raise DataError(
        f"{file}: one {noun} must hold the label, such as label or class, got {got}; say which with "
        "--label-column"
    )


class ImageFolders:
    """Where the images of a file of annotations may lie: folders that are tried in turn.

    Parameters
    ----------
    source : DataSource
        DATA.
    file : Path
        The file of annotations.
    folders : sequence of str
        Folders that images may lie in, counted from the file's own, such as ``../images``.
    """

    def __init__(self, source: DataSource, file: Path, folders: Sequence[str]) -> None:
        self._source, self._file = source, file
        base = os.path.abspath(source.base)  # noqa: PTH100
        self._folders: list[tuple[Path, str]] = []
        for name in dict.fromkeys(folders):
            folder = Path(os.path.normpath(file.parent / name))
            # what lies outside of DATA hides nothing in it; beside a single file it is refused and said
            allowed = source.file is not None or inside(os.path.abspath(folder), base)  # noqa: PTH100
            if allowed and folder.is_dir():
                prefix = os.path.relpath(folder, source.base)
                self._folders.append((folder, f"{prefix}{os.sep}"))

    def name(self, name: str, suffixes: Sequence[str] = ("",), subset: str = "") -> str:
        """The image's name counted from DATA: where it exists, else beside the file.

        Parameters
        ----------
        name : str
            As the annotations have it.
        suffixes : sequence of str
            Endings to try; a name without any may be given.
        subset : str, optional
            The folder's name where images of the same name lie in several.
        """
        if ".." in re.split(r"[/\\]", name) or os.path.isabs(name) or "\0" in name:  # noqa: PTH117
            return self._source.name_in(self._file, name)
        folders = self._folders
        if subset:
            folders = sorted(folders, key=lambda folder: folder[0].name != subset)
        for folder, prefix in folders:
            for suffix in suffixes:
                if os.path.isfile(os.path.join(folder, name + suffix)):  # noqa: PTH113, PTH118 - a million times
                    return f"{prefix}{name}{suffix}".removeprefix(f".{os.sep}")
        return self._source.name_in(self._file, name)
