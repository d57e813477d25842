"""From what a person names to the images to predict: files, folders, globs, archives, tables become a list.

Every input has its place in the list, those that cannot be used as a :class:`~fieldguide.errors.Refusal`, so
that results hold one row for each. Paths are all that is kept of an input, some 150 bytes each.
"""

import contextlib
import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.data.archives import is_archive, unpacked
from fieldguide.data.scan import is_hidden, scan, skipped_notes, suffix_of
from fieldguide.data.tables import TABLE_SUFFIXES, ImageTable, TableRow, path_in, read_table
from fieldguide.errors import DataError, Refusal
from fieldguide.prediction.items import EmbeddedImage as EmbeddedImage
from fieldguide.prediction.items import Item as Item
from fieldguide.prediction.items import path_of as path_of
from fieldguide.prediction.store_inputs import inputs_in_store
from fieldguide.progress import Progress, silent
from fieldguide.storage.object_store import is_object_url


@dataclass
class Inputs:
    """What to predict, in order."""

    items: list[Item] = field(default_factory=list)
    """Paths of images, and refusals of what was found to be unusable on the way."""
    notes: list[str] = field(default_factory=list)
    """Sentences for a person, such as what was skipped."""

    def __len__(self) -> int:
        return len(self.items)

    def files(self) -> dict[str, str]:
        """Name in results → file, of images that stood in a table or an archive."""
        return {item.name: item.file for item in self.items if isinstance(item, EmbeddedImage)}


def find_inputs(
    paths: Sequence[str | os.PathLike[str]],
    *,
    stack: contextlib.ExitStack | None = None,
    progress: Progress = silent,
) -> Inputs:
    """Find the images that paths name.

    Parameters
    ----------
    paths
        Each a file (always tried, whatever its name), a table (by its ending; its paths count from its own
        folder or are absolute, for the list is the person's own and need not travel), an archive, a folder
        (walked; files are taken by the usual endings of images, and links that leave it or loop are not
        followed), a glob, where ``**`` stands for any number of folders, or a URL of an object store.
    stack
        Keeps images that stand in a table or an archive until it closes; None refuses such files.
    progress
        Callback for progress: the files seen in folders.

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
    finder = _Finder(inputs.notes, stack, progress)
    for path in paths:
        inputs.items.extend(finder.expanded(os.fspath(path)))
    if not inputs.items:
        named = ", ".join(repr(os.fspath(path)) for path in paths[:3]) or "no path"
        notes = f" ({'; '.join(inputs.notes)})" if inputs.notes else ""
        raise DataError(
            f"{named}: there is no image in it{notes}; name image files or a folder that holds some"
        )
    return inputs


@dataclass(frozen=True)
class _Finder:
    """What a path means, and what there is to say of it."""

    notes: list[str]
    stack: contextlib.ExitStack | None
    progress: Progress

    def expanded(self, path: str) -> Iterator[Item]:
        """The inputs that a path names."""
        place = Path(path)
        if is_object_url(path):
            yield from inputs_in_store(path, self.notes, stack=self.stack, progress=self.progress)
        elif place.is_dir():
            yield from self._in_folder(path)
        elif glob.has_magic(path) and not os.path.lexists(path):
            yield from self._in_glob(path)
        else:
            yield from self._in_file(path)

    def _in_file(self, path: str) -> Iterator[Item]:
        place = Path(path)
        if suffix_of(place.name) in TABLE_SUFFIXES:
            yield from self._in_table(place)
        elif self.stack is not None and is_archive(place) and place.is_file():
            yield from self._in_archive(place, self.stack)
        else:
            yield path

    def _in_archive(self, place: Path, stack: contextlib.ExitStack) -> Iterator[Item]:
        """Its images, unpacked for as long as the results need them."""
        result = stack.enter_context(unpacked(place, progress=self.progress))
        found = scan(result.folder, progress=self.progress)
        self.notes.extend(f"{place}: {note}" for note in skipped_notes(result.others, result.hidden))
        for image in sorted(found.images):
            yield EmbeddedImage(f"{place}/{os.path.relpath(image, result.folder)}", image)

    def _in_folder(self, path: str) -> Iterator[Item]:
        found = scan(path, progress=self.progress)
        self.notes.extend(f"{path}: {note}" for note in found.notes())
        items: list[Item] = [*found.images, *found.refused]
        yield from sorted(items, key=path_of)

    def _in_table(self, place: Path) -> Iterator[Item]:
        table = read_table(place, self.stack)
        self.notes.extend(f"{place}: {note}" for note in table.notes)
        if table.damaged:
            rows = ", ".join(map(str, table.damaged[:5])) + (", …" if len(table.damaged) > 5 else "")
            self.notes.append(
                f"{place}: {len(table.damaged)} rows are not JSON objects and were skipped: {rows}"
            )
        for row in table.rows:
            yield _embedded(place, table, row) if table.embedded else _listed(place, row)

    def _in_glob(self, pattern: str) -> Iterator[Item]:
        matches = _matches(pattern)
        if not matches:
            yield Refusal(pattern, "missing", "no file has a name like this; check the path")
        for match in matches:
            if not Path(match).is_dir():
                yield from self._in_file(match)
            elif "**" not in pattern:  # which has matched what lies in the folder, too
                yield from self._in_folder(match)


def _embedded(place: Path, table: ImageTable, row: TableRow) -> Item:
    if not row.path:
        return Refusal(f"{place}, row {row.number}", "missing", "the row holds no image")
    return EmbeddedImage(f"{place}/{row.path}", os.path.join(table.root, row.path))  # noqa: PTH118


def _listed(place: Path, row: TableRow) -> Item:
    if not row.path:
        return Refusal(f"{place}, row {row.number}", "missing", "the row names no image")
    if ".." in re.split(r"[/\\]", row.path):
        return Refusal(
            row.path, "outside", "the path climbs out of the table's folder; write it in full, without '..'"
        )
    return path_in(os.fspath(place.parent) if place.parent.name else "", row.path)


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
