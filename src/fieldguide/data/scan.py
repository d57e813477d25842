"""Walk a folder for images: every real directory once, nothing left out silently.

Names decide what is an image (:data:`fieldguide.images.decoding.IMAGE_SUFFIXES`); no file is opened. One
system call a directory and one a file (may it be read?), so that a million files take seconds. Only where no
name is that of an image are the first bytes of files without an ending read, for DICOM often has none.
"""

import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.errors import DataError, Refusal
from fieldguide.images.decoding import IMAGE_SUFFIXES
from fieldguide.images.formats import DICOM_MARK_END, is_dicom
from fieldguide.progress import Progress, silent

SYSTEM_NAMES = frozenset(
    {
        "__macosx",
        "thumbs.db",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "desktop.ini",
        "icon\r",
        "network trash folder",
        "temporary items",
        "$recycle.bin",
        "recycler",
        "recycled",
        "system volume information",
        "lost+found",
        "lost.dir",
        "@eadir",
        "@tmp",
        "@sharebin",
        "@synotmp",
        "@recycle",
        "@__thumb",
        "@recently-snapshot",
        "#recycle",
        "#snapshot",
        "~snapshot",
        "_gsdata_",
        "captureone",
        "canonmsc",
        "eosmisc",
        "avf_info",
        "__pycache__",
    }
)
"""What operating systems, network storage, cameras and programs that synchronise or edit photos leave in
folders, in lower case; skipped like names that begin with a dot."""
SYSTEM_ENDINGS = (".lrdata", ".lrcat-data")
"""Endings of folders with a program's own small copies of photos (Lightroom's previews), in lower case."""
_UID_END = re.compile(r"\.\d+")
_NUMBERED = re.compile(r"found\.\d{3}|thumbs\.db:.*")

LABEL_SUFFIXES = frozenset(
    {".csv", ".tsv", ".txt", ".xlsx", ".jsonl", ".json", ".parquet", ".arrow", ".xml", ".mat", ".npz"}
    | {".tfrecord", ".tfrec", ".tfrecords", ".bin", ".gz", ".yaml", ".yml", ".names", ".npy", ".cls"}
)
"""Endings of files that may say what images show, lower case; others are counted only."""

_NAMED_BY_END = re.compile(r"-ubyte$|-\d{5}-of-\d{5}$")
"""How files without an ending of their own end: IDX, and shards of TensorFlow."""
_REPORT_EVERY = 1000


@dataclass
class Scan:
    """What a walk found, in an order that the file system has no part in."""

    root: str
    """The folder as it was named."""
    images: list[str] = field(default_factory=list)
    """Paths of image files, each beginning with `root`."""
    folders: list[str] = field(default_factory=list)
    """Paths of the folders below `root` that were entered, parents before children."""
    others: Counter[str] = field(default_factory=Counter)
    """Files that are no images by name: suffix in lower case → how many."""
    shards: list[str] = field(default_factory=list)
    """Paths of .tar files, which may be shards of a WebDataset."""
    label_files: list[str] = field(default_factory=list)
    """Paths of those that may say what images show, by their endings."""
    hidden: int = 0
    """Skipped names: those that begin with a dot, and what systems leave, :func:`is_hidden`."""
    by_content: int = 0
    """Images among `images` whose names have no ending; their first bytes say DICOM."""
    repeated: int = 0
    """Links to folders that were entered already, loops among them."""
    refused: list[Refusal] = field(default_factory=list)
    """Folders and files that could not be used; codes `unreadable`, `link_outside`, `link_dangling`,
    `not_a_file`."""

    def notes(self) -> tuple[str, ...]:
        """What was skipped, in sentences."""
        skipped = skipped_notes(self.others, self.hidden, self.repeated)
        if not self.by_content:
            return skipped
        return (f"{count_of(self.by_content, 'file')} without an ending read as DICOM, by content", *skipped)


def scan(folder: str | os.PathLike[str], *, progress: Progress = silent) -> Scan:
    """Find the images in a folder and all folders below it.

    Links are followed as long as they stay inside `folder`; those that leave it are refused. A directory
    that can be reached in several ways is entered once, by its real place before any link.

    Parameters
    ----------
    folder : path
        A readable folder; it may be a link itself.
    progress : Progress, optional
        Callback for progress: the number of files seen, as stage ``scan``.

    Raises
    ------
    DataError
        If `folder` is missing, no folder, or unreadable.
    """
    root = os.fspath(folder)
    if not Path(root).is_dir():
        raise DataError(f"{root}: DATA must be a folder that exists; check the path")
    walk = _Walk(root, progress)
    walk.run()
    found = walk.scan
    if any(refusal.path == root for refusal in found.refused):
        raise DataError(f"{root}: the folder cannot be read; change its permissions")
    found.images.sort()
    found.folders.sort()
    found.label_files.sort()
    found.shards.sort()
    found.refused.sort(key=lambda refusal: refusal.path)
    return found


def skipped_notes(others: Counter[str], hidden: int, repeated: int = 0) -> tuple[str, ...]:
    """Say in sentences what was passed over."""
    notes = []
    if others:
        kinds = ", ".join(f"{count} x {suffix or 'no suffix'}" for suffix, count in others.most_common(5))
        more = ", …" if len(others) > 5 else ""
        notes.append(
            f"{count_of(others.total(), 'file')} skipped: not images by their suffix ({kinds}{more})"
        )
    if hidden:
        notes.append(
            f"{count_of(hidden, 'hidden name')} skipped (beginning with a dot, or made by a system, "
            "as __MACOSX, @eaDir, $RECYCLE.BIN, Thumbs.db)"
        )
    if repeated:
        notes.append(f"{count_of(repeated, 'link')} to folders that were already visited not followed")
    return tuple(notes)


def count_of(count: int, noun: str) -> str:
    """A number with its noun, in the plural where that is due."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{count} {noun[:-1]}ies"
    return f"{count} {noun}{'es' if noun.endswith(('s', 'x')) else 's'}"


def shown_names(names: Iterable[str], most: int = 10) -> str:
    """Names for a sentence, in quotes, at most `most` of them."""
    listed = list(names)
    return ", ".join(repr(name) for name in listed[:most]) + (", …" if len(listed) > most else "")


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is passed over.

    Examples
    --------
    >>> is_hidden("@eaDir"), is_hidden("Catalog Previews.lrdata"), is_hidden("cat")
    (True, True, False)
    """
    plain = name.lower()
    return (
        plain.startswith(".")
        or plain in SYSTEM_NAMES
        or plain.endswith(SYSTEM_ENDINGS)
        or _NUMBERED.fullmatch(plain) is not None
    )


def suffix_of(name: str) -> str:
    """The last suffix of a file name, in lower case, with its dot; empty where there is none.

    Examples
    --------
    >>> suffix_of("IMG_0001.JPG"), suffix_of(".jpg")
    ('.jpg', '')
    """
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and stem else ""


def may_be_dicom(name: str) -> bool:
    """Whether a file of this name has no ending, or a unique identifier's last number, as DICOM often has.

    A DICOMDIR is a list of other files.

    Examples
    --------
    >>> [may_be_dicom(name) for name in ("IM000001", "1.2.840.10008.7", "a.txt", "DICOMDIR")]
    [True, True, False, False]
    """
    suffix = suffix_of(name)
    return (not suffix or _UID_END.fullmatch(suffix) is not None) and name.upper() != "DICOMDIR"


def may_hold_labels(name: str) -> bool:
    """Whether a file name is that of a table, a list, an array, or a shard with labels.

    Examples
    --------
    >>> [may_hold_labels(name) for name in ("a.csv", "labels-idx1-ubyte", "train-00000-of-00002", "a.py")]
    [True, True, True, False]
    """
    return suffix_of(name) in LABEL_SUFFIXES or _NAMED_BY_END.search(name) is not None


def inside(real_path: str, real_folder: str) -> bool:
    """Whether a path is a folder or lies below it; both without links, so that names decide."""
    return real_path == real_folder or real_path.startswith(os.path.join(real_folder, ""))  # noqa: PTH118


class _Walk:
    """The state of one walk."""

    def __init__(self, root: str, progress: Progress) -> None:
        self.scan = Scan(root)
        self.progress = progress
        self.real_root = os.path.realpath(root)
        self.visited: set[tuple[int, int]] = set()
        self.links: list[str] = []
        self.without_ending: list[str] = []
        self.seen = 0

    def run(self) -> None:
        self._descend(self.scan.root)
        # Links come last, so that a real folder is known by its own name and not by an alias.
        while self.links:
            links, self.links = sorted(self.links), []
            for link in links:
                self._descend(link)
        if not self.scan.images:
            self._take_dicom()
        self.progress("scan", self.seen, self.seen)

    def _take_dicom(self) -> None:
        for path in self.without_ending:
            try:
                with Path(path).open("rb") as file:
                    found = is_dicom(file.read(DICOM_MARK_END))
            except OSError:
                continue
            if found:
                self.scan.images.append(path)
                self.scan.others[suffix_of(Path(path).name)] -= 1
        self.scan.by_content = len(self.scan.images)
        self.scan.others = +self.scan.others

    def _descend(self, top: str) -> None:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            try:
                if not self._first_visit(folder):
                    continue
                waiting.extend(self._entries(folder))
            except OSError as error:
                self._refuse(folder, "unreadable", f"the folder cannot be read: {error.strerror}")

    def _first_visit(self, folder: str) -> bool:
        status = Path(folder).stat()
        identity = (status.st_dev, status.st_ino)
        if identity in self.visited:
            self.scan.repeated += 1
            return False
        self.visited.add(identity)
        if folder != self.scan.root:
            self.scan.folders.append(folder)
        return True

    def _entries(self, folder: str) -> Iterator[str]:
        """Sort the entries of a folder into the scan; yield its sub-folders."""
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    self.scan.hidden += 1
                elif entry.is_file(follow_symlinks=False):  # the usual case, a million times
                    self._file(entry.path, entry.name, regular=True)
                elif entry.is_symlink():
                    self._link(entry.path)
                elif entry.is_dir():
                    yield entry.path
                else:
                    self._file(entry.path, entry.name, regular=False)

    def _link(self, path: str) -> None:
        target = os.path.realpath(path)
        try:
            mode = Path(target).stat().st_mode
        except OSError as error:
            self._refuse(path, "link_dangling", f"the link cannot be followed: {error.strerror}")
            return
        if not inside(target, self.real_root):
            self._refuse(path, "link_outside", "the link leads out of the folder; copy what it points to")
        elif stat.S_ISDIR(mode):
            self.links.append(path)
        else:
            self._file(path, Path(path).name, regular=stat.S_ISREG(mode))

    def _file(self, path: str, name: str, *, regular: bool) -> None:
        self.seen += 1
        if self.seen % _REPORT_EVERY == 0:
            self.progress("scan", self.seen, None)
        suffix = suffix_of(name)
        if suffix not in IMAGE_SUFFIXES:
            self.scan.others[suffix] += 1
            if regular and may_hold_labels(name):
                self.scan.label_files.append(path)
            if regular and suffix == ".tar":
                self.scan.shards.append(path)
            if regular and may_be_dicom(name) and not may_hold_labels(name):
                self.without_ending.append(path)
        elif not regular:
            self._refuse(
                path, "not_a_file", "it is neither a file nor a folder, but a pipe, socket or device"
            )
        elif os.access(path, os.R_OK):
            self.scan.images.append(path)
        else:
            self._refuse(path, "unreadable", f"the file cannot be read: {os.strerror(errno.EACCES)}")

    def _refuse(self, path: str, code: str, message: str) -> None:
        self.scan.refused.append(Refusal(path, code, message))
