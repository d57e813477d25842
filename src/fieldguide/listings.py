"""From the rows of a table to images on disk: paths made safe, missing ones named, repeats dropped."""

import os
import re
import stat
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.errors import DataError, Refusal
from fieldguide.images import IMAGE_SUFFIXES
from fieldguide.layouts import SPLIT_NAMES
from fieldguide.progress import Progress, silent
from fieldguide.scan import count_of, inside, suffix_of
from fieldguide.tables import Row, Table, path_in, read_table

_REPORT_EVERY = 1000
_Entry = tuple[str, str, str]  # label, split, group
_NAMED = 3  # refused rows that a note names; all of them are among the refusals


@dataclass
class Listing:
    """The images that a table lists, in its order."""

    root: str
    """The table's folder, from which its paths are counted."""
    paths: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str] | None = None
    groups: list[str] | None = None
    refused: list[Refusal] = field(default_factory=list)
    """Rows not used; codes `missing`, `unreadable`, `not_a_file`, `outside`, `link_outside`, `damaged_row`,
    `unlabelled`, `unknown_split`."""
    notes: list[str] = field(default_factory=list)


def read_listing(path: Path, *, unlabelled: bool = False, progress: Progress = silent) -> Listing:
    """Find the images that a table lists.

    Paths count from the table's folder and may not leave it, by ``..``, as absolute paths or through links;
    backslashes are taken as slashes where no file has the name as it stands. A row that cannot be used is
    refused; one that says the same as an earlier one is dropped.

    Parameters
    ----------
    path : Path
        The table.
    unlabelled : bool
        Keep rows without a label, with an empty one; otherwise they are refused.
    progress : Progress, optional
        Told the number of rows, as stage ``table``.

    Raises
    ------
    DataError
        If the table cannot be read, lacks a column that is needed, or has no rows.
    """
    table = read_table(path)
    if not table.rows and not table.damaged:
        raise DataError(f"{path}: the table must list at least one image, got 0 rows; add some")
    if not table.has_label and not unlabelled:
        raise DataError(f"{path}: the table must have a column label or class, got none; add it")
    reader = _Reader(os.path.dirname(path) or ".", table, unlabelled)  # noqa: PTH120
    for number in table.damaged:
        reader.refuse(f"{path}, row {number}", "damaged_row", "the line is no JSON object")
    for done, row in enumerate(table.rows, start=1):
        reader.take(row)
        if done % _REPORT_EVERY == 0:
            progress("table", done, len(table.rows))
    progress("table", len(table.rows), len(table.rows))
    reader.add_notes(table)
    return reader.listing


class _Reader:
    """The state of going through the rows."""

    def __init__(self, root: str, table: Table, unlabelled: bool) -> None:
        self.listing = Listing(root)
        self.listing.splits = [] if table.has_split else None
        self.listing.groups = [] if table.has_group else None
        self.unlabelled = unlabelled
        self.real_root = os.path.realpath(root)
        self.folders: dict[str, bool] = {}
        self.seen: dict[str, AbstractSet[_Entry]] = {}
        self.alone: dict[_Entry, frozenset[_Entry]] = {}
        self.repeats = 0

    def refuse(self, path: str, code: str, message: str) -> None:
        self.listing.refused.append(Refusal(path, code, message))

    def take(self, row: Row) -> None:
        split = SPLIT_NAMES.get(row.split.strip().lower(), "")
        if not row.path:
            self.refuse(f"row {row.number}", "missing", "the row names no image")
        elif self.listing.splits is not None and not split:
            self.refuse(
                row.path,
                "unknown_split",
                f"split must be train, validation, val, valid or test, got {row.split!r}",
            )
        elif not row.label and not self.unlabelled:
            self.refuse(row.path, "unlabelled", "the row has no label")
        else:
            path = self._find(row.path)
            if path is not None:
                self._keep(path, row, split)

    def _keep(self, path: str, row: Row, split: str) -> None:
        entry = (row.label, split, row.group)
        earlier = self.seen.get(path)
        if earlier is None:  # the usual case: of a million sets of one and the same entry, one will do
            self.seen[path] = self.alone.setdefault(entry, frozenset([entry]))
        elif entry in earlier:
            self.repeats += 1
            return
        elif isinstance(earlier, set):
            earlier.add(entry)
        else:
            self.seen[path] = {*earlier, entry}
        self.listing.paths.append(path)
        self.listing.labels.append(row.label)
        if self.listing.splits is not None:
            self.listing.splits.append(split)
        if self.listing.groups is not None:
            self.listing.groups.append(row.group)

    def _find(self, name: str) -> str | None:
        """The file that a row means, or None once it is refused."""
        path = self._located(name)
        if path is None:
            self.refuse(name, "outside", "the path leaves the table's folder; move table and images together")
            return None
        try:
            status = os.lstat(path)
            linked = stat.S_ISLNK(status.st_mode)
            real = os.path.realpath(path) if linked else path
            mode = Path(real).stat().st_mode if linked else status.st_mode
        except (OSError, ValueError):
            self.refuse(name, "missing", "there is no such file; paths count from the table's folder")
            return None
        if not self._folder_inside(os.path.dirname(path)) or (linked and not inside(real, self.real_root)):  # noqa: PTH120
            self.refuse(
                name, "link_outside", "a link leads out of the table's folder; copy what it points to"
            )
        elif not stat.S_ISREG(mode):
            self.refuse(name, "not_a_file", "it is a folder, a pipe or a device")
        elif not os.access(path, os.R_OK):
            self.refuse(name, "unreadable", "the file cannot be read; change its permissions")
        else:
            return path
        return None

    def _located(self, name: str) -> str | None:
        """The path that a name means, None if by its text alone it leaves the folder."""
        if ".." in re.split(r"[/\\]", name):
            return None
        if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
            absolute_root = os.path.abspath(self.listing.root)  # noqa: PTH100
            if not inside(os.path.normpath(name), absolute_root):
                return None
            name = os.path.relpath(name, absolute_root)
        return os.path.normpath(path_in(self.listing.root, name))

    def _folder_inside(self, folder: str) -> bool:
        """Whether a folder really lies in the table's; asked once a folder, for links cost system calls."""
        if folder not in self.folders:
            self.folders[folder] = inside(os.path.realpath(folder), self.real_root)
        return self.folders[folder]

    def add_notes(self, table: Table) -> None:
        notes = self.listing.notes
        notes.extend(table.notes)
        if self.listing.refused:
            codes = Counter(refusal.code for refusal in self.listing.refused)
            reasons = ", ".join(f"{count} {code}" for code, count in codes.most_common())
            first = ", ".join(repr(refusal.path) for refusal in self.listing.refused[:_NAMED])
            rows = len(table.rows) + len(table.damaged)
            notes.append(
                f"{len(self.listing.refused)} of {count_of(rows, 'row')} left out: {reasons}; first {first}"
            )
        if self.repeats:
            notes.append(f"{count_of(self.repeats, 'repeated row')} dropped")
        twice = sum(len({label for label, _, _ in entries}) > 1 for entries in self.seen.values())
        if twice:
            notes.append(f"{count_of(twice, 'image')} listed under more than one label")
        leaked = sum(len({split for _, split, _ in entries}) > 1 for entries in self.seen.values())
        if leaked:
            notes.append(f"{count_of(leaked, 'image')} listed in more than one split")
        unlisted = self._unlisted()
        if unlisted:
            notes.append(f"{count_of(unlisted, 'image')} beside the listed ones not in the table, not used")

    def _unlisted(self) -> int:
        """Images in the folders of listed ones that the table does not name."""
        folders = {os.path.dirname(path) or "." for path in self.seen}  # noqa: PTH120
        count = 0
        for folder in sorted(folders):
            try:
                names = os.listdir(folder)  # noqa: PTH208
            except OSError:
                continue
            images = (name for name in names if suffix_of(name) in IMAGE_SUFFIXES)
            count += sum(os.path.normpath(os.path.join(folder, name)) not in self.seen for name in images)  # noqa: PTH118
        return count
