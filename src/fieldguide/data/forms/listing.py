"""From the records of a form to images on disk: paths made safe, missing ones named, repeats dropped."""

import functools
import os
import re
import stat
import sys
import urllib.parse
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from fieldguide.data.forms.file_index import AMBIGUOUS, FileIndex
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.data.scan import count_of, inside, suffix_of
from fieldguide.data.split_names import SplitChoice
from fieldguide.data.tables import path_in
from fieldguide.errors import DataError, Refusal
from fieldguide.images.decoding import IMAGE_SUFFIXES
from fieldguide.plain_text import shortened
from fieldguide.progress import Progress, silent
from fieldguide.tasks.tags import Tags, names_of
from fieldguide.tasks.task import Task

_REPORT_EVERY = 1000
_AUTOMATIC = SplitChoice()
_Entry = tuple[str, str, str, Tags | None]  # label, split, group, tags
_CASE_MAY_NOT_MATTER = sys.platform in ("win32", "darwin")
_OFTEN = 8  # files of one folder that are asked about one by one; then the folder is listed
_NAMED = 3  # refused rows that a note names; all of them are among the refusals
_DRIVE = re.compile(r"[A-Za-z]:")
_ODD = re.compile(r"\\|//|(?:^|/)\.{0,2}(?:/|$)|/$")
"""What makes a path one that must be normalised; most are plain."""
_REMOTE = re.compile(r"(?:https?|ftp|s3|gs|az|abfs|hf)://", re.IGNORECASE)


@dataclass
class Listing:
    """The images that a table lists, in its order."""

    root: str
    """The folder that its paths count from: the table's, or one with the images that stood in it."""
    paths: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    tags: list[Tags] | None = None
    """Any number of labels of each image, where they are read so; `labels` are then empty."""
    splits: list[str] | None = None
    groups: list[str] | None = None
    refused: list[Refusal] = field(default_factory=list)
    """Rows not used; codes `missing`, `unreadable`, `not_a_file`, `outside`, `link_outside`, `damaged_row`,
    `unlabelled`, `unknown_split`."""
    notes: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def listed(
    records: Records,
    index: Callable[[], FileIndex],
    *,
    unlabelled: bool = False,
    splits: SplitChoice = _AUTOMATIC,
    progress: Progress = silent,
) -> Listing:
    """Find the images that a form names.

    Paths count from the form's folder and may not leave it, by ``..``, as absolute paths or through links;
    backslashes are taken as slashes where no file has the name as it stands. A name that is no file as it
    stands is looked up in `index`. A record that cannot be used is refused; one that says the same as an
    earlier one is dropped.

    Parameters
    ----------
    records : Records
        What a reader gave.
    index : callable
        Gives the images below the folder; called once a name is no file as it stands.
    unlabelled : bool
        Keep records without a label, with an empty one; otherwise they are refused.
    splits : SplitChoice
        What the person says about splits: which names of splits mean which, or that none does.
    progress : Progress, optional
        Callback for progress: the number of records, as stage ``table``.

    Raises
    ------
    DataError
        If splits were named, and the form has none.
    """
    if splits.named and not records.has_splits:
        raise DataError(f"{records.root}: splits were named, yet {records.said} has none; add a column split")
    finder = _Finder(records, index, unlabelled, splits)
    finder.listing.refused.extend(records.refused)
    for done, record in enumerate(records.records, start=1):
        finder.take(record)
        if done % _REPORT_EVERY == 0:
            progress("table", done, len(records.records))
    progress("table", len(records.records), len(records.records))
    finder.add_notes(records)
    return finder.listing


def located(records: Records, index: Callable[[], FileIndex]) -> tuple[dict[str, str | None], list[Refusal]]:
    """Find the files that the names of records mean, by the rules of :func:`listed`.

    Parameters
    ----------
    records : Records
        What a reader gave.
    index : callable
        As for :func:`listed`.

    Returns
    -------
    dict of str to str, list of Refusal
        Each name with its file, or None; a refusal for each of these.
    """
    finder = _Finder(records, index, True, _AUTOMATIC)
    found = {name: finder.find(name) for name in dict.fromkeys(record.name for record in records.records)}
    return found, finder.listing.refused


class _Finder:
    """The state of going through the records."""

    def __init__(
        self, records: Records, index: Callable[[], FileIndex], unlabelled: bool, splits: SplitChoice
    ) -> None:
        root = os.fspath(records.root)
        self.listing = Listing(root, doubts=list(records.doubts))
        self.listing.splits = [] if records.has_splits and not splits.ignored else None
        self.split_of = functools.cache(splits.split_of)
        self.listing.groups = [] if records.has_groups else None
        self.listing.tags = [] if records.task is Task.MULTIPLE else None
        self.make_index = index
        self.index: FileIndex | None = None
        self.elsewhere = self.by_number = 0
        self.unlabelled = unlabelled
        self.real_root = os.path.realpath(root)
        self.start = os.path.join(os.path.normpath(root), "") if os.path.normpath(root) != "." else ""  # noqa: PTH118
        self.folders: dict[str, bool] = {}
        self.kinds = _Kinds()
        self.seen: dict[str, AbstractSet[_Entry]] = {}
        self.alone: dict[_Entry, frozenset[_Entry]] = {}
        self.repeats = 0

    def refuse(self, path: str, code: str, message: str) -> None:
        self.listing.refused.append(Refusal(path, code, message))

    def take(self, row: Record) -> None:
        split = self.split_of(row.split.strip()) or ""
        if not row.name:
            self.refuse(f"row {row.number}", "missing", "the row names no image")
        elif self.listing.splits is not None and not split:
            self.refuse(
                row.name,
                "unknown_split",
                f"split must name train, validation or test, got {shortened(row.split)!r}; --splits says "
                "what other names mean",
            )
        elif not row.label and row.tags is None and not self.unlabelled:
            self.refuse(row.name, "unlabelled", "the row has no label")
        else:
            path = self.find(row.name)
            if path is not None:
                self._keep(path, row, split)

    def _keep(self, path: str, row: Record, split: str) -> None:
        entry = (row.label, split, row.group, row.tags)
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
        if self.listing.tags is not None:
            self.listing.tags.append(row.tags or Tags())
        if self.listing.splits is not None:
            self.listing.splits.append(split)
        if self.listing.groups is not None:
            self.listing.groups.append(row.group)

    def find(self, name: str) -> str | None:
        """The file that a row means, or None once it is refused."""
        path = self._located(name)
        mode = None if path is None else self.kinds.mode(path)
        if path is None or mode is None:
            return self._looked_up(name, outside=path is None)
        real = path
        linked = stat.S_ISLNK(mode)
        if linked:
            real = os.path.realpath(path)
            mode = _mode(real)
            if mode is None:
                self.refuse(name, "missing", "there is no such file; paths count from the table's folder")
                return None
        if not self._folder_inside(path.rpartition(os.sep)[0]) or (
            linked and not inside(real, self.real_root)
        ):
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

    def _looked_up(self, name: str, *, outside: bool) -> str | None:
        """The image that a name means that is no file as it stands, or None once it is refused."""
        if ".." in name and ".." in re.split(r"[/\\]", name):
            self.refuse(name, "outside", "the path leaves the table's folder; move table and images together")
            return None
        if self.index is None:
            self.index = self.make_index()
        remote = _REMOTE.match(name)
        wanted = urllib.parse.unquote(urllib.parse.urlsplit(name).path) if remote else name
        first = self.index.find(wanted)
        found = first or (self.index.find(urllib.parse.unquote(name)) if "%" in name else None)
        by_number = self.index.find_number(wanted) if found is None else None
        if found or by_number:
            self.elsewhere += 1
            self.by_number += bool(by_number)
            return found or by_number
        if AMBIGUOUS in (first, by_number):
            self.refuse(
                name, "ambiguous", "several files have this name; write the path from the table's folder"
            )
        elif remote:
            self.refuse(
                name, "remote", "it is an address, and nothing is downloaded; fetch it, then try again"
            )
        elif outside:
            self.refuse(name, "outside", "the path leaves the table's folder; move table and images together")
        else:
            self.refuse(name, "missing", "there is no such file; paths count from the table's folder")
        return None

    def _located(self, name: str) -> str | None:
        """The path that a name means, None if by its text alone it leaves the folder."""
        if ".." in name and ".." in re.split(r"[/\\]", name):
            return None
        if name.startswith(("/", "\\")) or _DRIVE.match(name):
            absolute_root = os.path.abspath(self.listing.root)  # noqa: PTH100
            if not inside(os.path.normpath(name), absolute_root):
                return None
            name = os.path.relpath(name, absolute_root)
        return (
            os.path.normpath(path_in(self.listing.root, name))
            if os.sep != "/" or _ODD.search(name)
            else self.start + name
        )

    def _folder_inside(self, folder: str) -> bool:
        """Whether a folder really lies in the table's; asked once a folder, for links cost system calls."""
        if folder not in self.folders:
            self.folders[folder] = inside(os.path.realpath(folder or "."), self.real_root)
        return self.folders[folder]

    def add_notes(self, records: Records) -> None:
        notes = self.listing.notes
        notes.append(records.said)
        notes.extend(records.notes)
        notes.extend(f"{count_of(count, 'entry')} left out: {why}" for why, count in records.left_out.items())
        if self.elsewhere:
            notes.append(f"{count_of(self.elsewhere, 'image')} found by name: not where the table says")
        if self.by_number:
            notes.append(
                f"{count_of(self.by_number, 'image')} of these by number: the table has no zeros before it"
            )
        if self.listing.refused:
            codes = Counter(refusal.code for refusal in self.listing.refused)
            reasons = ", ".join(f"{count} {code}" for code, count in codes.most_common())
            first = ", ".join(repr(refusal.path) for refusal in self.listing.refused[:_NAMED])
            rows = len(records.records) + len(records.refused)
            notes.append(
                f"{len(self.listing.refused)} of {count_of(rows, 'row')} left out: {reasons}; first {first}"
            )
        if self.repeats:
            notes.append(f"{count_of(self.repeats, 'repeated row')} dropped")
        twice = sum(len({(entry[0], entry[3]) for entry in entries}) > 1 for entries in self.seen.values())
        if twice:
            notes.append(f"{count_of(twice, 'image')} listed under more than one label")
        leaked = sum(len({entry[1] for entry in entries}) > 1 for entries in self.seen.values())
        if leaked:
            notes.append(f"{count_of(leaked, 'image')} listed in more than one split")
        shown = set(self.listing.labels) if self.listing.tags is None else set(names_of(self.listing.tags))
        without = sorted(set(records.classes) - shown)
        if without:
            notes.append(
                f"{count_of(len(without), 'class')} without photos: {', '.join(map(repr, without[:10]))}"
            )
        unlisted = self._unlisted()
        if unlisted:
            notes.append(f"{count_of(unlisted, 'image')} beside the listed ones not in the table, not used")

    def _unlisted(self) -> int:
        """Images in the folders of listed ones that the table does not name."""
        folders = {path.rpartition(os.sep)[0] or "." for path in self.seen}
        count = 0
        for folder in sorted(folders):
            try:
                names = os.listdir(folder)  # noqa: PTH208
            except OSError:
                continue
            start = "" if folder == "." else os.path.join(folder, "")  # noqa: PTH118
            count += sum(suffix_of(name) in IMAGE_SUFFIXES for name in names if start + name not in self.seen)
        return count


class _Kinds:
    """What lies at paths; a folder that is asked about often is listed once, which spares calls."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.listed: dict[str, tuple[set[str], set[str]]] = {}

    def mode(self, path: str) -> int | None:
        """The mode of what lies at a path, links not followed; None if nothing does."""
        folder, _, name = path.rpartition(os.sep)
        names = self.listed.get(folder)
        if names is None:
            self.asked[folder] += 1
            if self.asked[folder] == _OFTEN:
                found = _entries(folder or os.sep if path.startswith(os.sep) else folder or ".")
                if found is not None:
                    self.listed[folder] = found
            return _mode(path)
        regular, others = names
        if name in regular:
            return stat.S_IFREG
        return _mode(path) if name in others or _CASE_MAY_NOT_MATTER else None


def _entries(folder: str) -> tuple[set[str], set[str]] | None:
    """The names of regular files in a folder, and of all else: folders, links; None if that fails."""
    regular: set[str] = set()
    others: set[str] = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (regular if entry.is_file(follow_symlinks=False) else others).add(entry.name)
    except (OSError, ValueError):
        return None
    return regular, others


def _mode(path: str) -> int | None:
    """The mode of what lies at a path, links not followed; None if nothing does."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):  # a NUL in a name
        return None
