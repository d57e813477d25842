"""From what a person names to the images to predict: files, folders, globs and tables become one list.

Every input has its place in the list, those that cannot be used as a :class:`~fieldguide.errors.Refusal`, so
that results hold one row for each. Paths are all that is kept of an input, some 150 bytes each.
"""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.errors import DataError, Refusal
from fieldguide.progress import Progress, silent
from fieldguide.scan import is_hidden, scan, suffix_of
from fieldguide.tables import TABLE_SUFFIXES, Row, path_in, read_table

Item = str | Refusal


@dataclass
class Inputs:
    """What to predict, in order."""

    items: list[Item] = field(default_factory=list)
    """Paths of images, and refusals of what was found to be unusable on the way."""
    notes: list[str] = field(default_factory=list)
    """Sentences for a person, such as what was skipped."""

    def __len__(self) -> int:
        return len(self.items)


def find_inputs(paths: Sequence[str | os.PathLike[str]], *, progress: Progress = silent) -> Inputs:
    """Find the images that paths name.

    Parameters
    ----------
    paths
        Each a file (always tried, whatever its name), a table (by its ending; its paths count from its own
        folder or are absolute, for the list is the person's own and need not travel), a folder (walked;
        files are taken by the usual endings of images, and links that leave it or loop are not followed), or
        a glob, where ``**`` stands for any number of folders.
    progress
        Told of the files seen in folders.

    Returns
    -------
    Inputs
        In the order of `paths`; within a folder or a glob in the order of names.

    Raises
    ------
    DataError
        If nothing is found at all, or a table or folder as a whole cannot be read.
    """
    inputs = Inputs()
    for path in paths:
        inputs.items.extend(_expanded(os.fspath(path), inputs.notes, progress))
    if not inputs.items:
        named = ", ".join(repr(os.fspath(path)) for path in paths[:3]) or "no path"
        notes = f" ({'; '.join(inputs.notes)})" if inputs.notes else ""
        raise DataError(
            f"{named}: there is no image in it{notes}; name image files or a folder that holds some"
        )
    return inputs


def path_of(item: Item) -> str:
    """The input as it is named in results."""
    return item.path if isinstance(item, Refusal) else item


def _expanded(path: str, notes: list[str], progress: Progress) -> Iterator[Item]:
    place = Path(path)
    if place.is_dir():
        yield from _in_folder(path, notes, progress)
    elif glob.has_magic(path) and not os.path.lexists(path):
        yield from _in_glob(path, notes, progress)
    else:
        yield from _in_file(path, notes)


def _in_file(path: str, notes: list[str]) -> Iterator[Item]:
    place = Path(path)
    if suffix_of(place.name) in TABLE_SUFFIXES:
        yield from _in_table(place, notes)
    else:
        yield path


def _in_folder(path: str, notes: list[str], progress: Progress) -> Iterator[Item]:
    found = scan(path, progress=progress)
    notes.extend(f"{path}: {note}" for note in found.notes())
    items: list[Item] = [*found.images, *found.refused]
    yield from sorted(items, key=path_of)


def _in_table(place: Path, notes: list[str]) -> Iterator[Item]:
    table = read_table(place)
    notes.extend(f"{place}: {note}" for note in table.notes)
    if table.damaged:
        rows = ", ".join(map(str, table.damaged[:5])) + (", …" if len(table.damaged) > 5 else "")
        notes.append(f"{place}: {len(table.damaged)} rows are no JSON objects and were skipped: {rows}")
    for row in table.rows:
        yield _listed(place, row)


def _listed(place: Path, row: Row) -> Item:
    if not row.path:
        return Refusal(f"{place}, row {row.number}", "missing", "the row names no image")
    if ".." in re.split(r"[/\\]", row.path):
        return Refusal(
            row.path, "outside", "the path climbs out of the table's folder; write it in full, without '..'"
        )
    return path_in(os.fspath(place.parent) if place.parent.name else "", row.path)


def _in_glob(pattern: str, notes: list[str], progress: Progress) -> Iterator[Item]:
    matches = _matches(pattern)
    if not matches:
        yield Refusal(pattern, "missing", "no file has a name like this; check the path")
    for match in matches:
        if not Path(match).is_dir():
            yield from _in_file(match, notes)
        elif "**" not in pattern:  # which has matched what lies in the folder, too
            yield from _in_folder(match, notes, progress)


def _matches(pattern: str) -> list[str]:
    """Names like the pattern, sorted. pathlib's ``**`` follows no links, so that loops end; glob's does."""
    place = Path(pattern)
    anchor, parts = Path(place.anchor), place.parts[1 if place.anchor else 0 :]
    if parts[-1] == "**":
        parts = (*parts, "*")
    wants_hidden = any(part.startswith(".") for part in parts)
    try:
        found = [str(match) for match in anchor.glob(str(Path(*parts)))]
    except ValueError:  # before Python 3.13, "**" within a name
        return []
    return sorted(match for match in found if wants_hidden or not any(map(is_hidden, Path(match).parts)))
