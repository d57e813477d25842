"""What lies at DATA, looked at once for all readers of forms."""

import contextlib
import json
import os
import urllib.parse
import xml.etree.ElementTree
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from fieldguide.data.embedded_images import ImageFolder
from fieldguide.data.forms.file_index import FileIndex
from fieldguide.data.options import DataOptions
from fieldguide.data.scan import Scan, is_hidden, scan, suffix_of
from fieldguide.data.table_formats import CELL_READERS, Cells, read_cells
from fieldguide.data.text_encoding import decoded
from fieldguide.errors import DataError
from fieldguide.files import scratch_folder
from fieldguide.progress import Progress, silent

MOST_BYTES = 4 * 2**30
"""The largest file of annotations that is read as a whole."""


class DataSource:
    """A folder, or one file of annotations and the folder that it lies in.

    Parameters
    ----------
    path : Path
        DATA as a person gave it.
    options : DataOptions, optional
        What the person says about it.
    progress : Progress, optional
        Callback for progress: the stage ``scan``.
    stack : contextlib.ExitStack, optional
        Keeps images that are unpacked until it closes; without it nothing can be.
    """

    def __init__(
        self,
        path: Path,
        options: DataOptions | None = None,
        progress: Progress = silent,
        stack: contextlib.ExitStack | None = None,
    ) -> None:
        self.path = path
        self.options: DataOptions = options or DataOptions()
        self.progress = progress
        self._stack = stack
        self._json: dict[Path, Any] = {}
        self._cells: dict[Path, Cells] = {}
        self.unreadable: dict[Path, str] = {}
        """JSON files that could not be read, and why."""
        self._below: dict[Path, str] = {}
        self.file: Path | None = None if path.is_dir() else path
        """The file that a person named; None where it is a folder."""
        self.folder: Path = path.parent if self.file else path
        """The folder that is looked through, and that no image may lie outside of."""

    @cached_property
    def base(self) -> Path:
        """The folder that names count from: :attr:`folder`, or where it holds but one folder, that one."""
        base = self.folder
        while self.file is None:
            entries = [entry for entry in base.iterdir() if not is_hidden(entry.name)]
            if len(entries) != 1 or entries[0].is_symlink() or not entries[0].is_dir():
                break
            base = entries[0]
        return base

    @cached_property
    def scan(self) -> Scan:
        """The images and label files below the folder."""
        return scan(self.folder, progress=self.progress)

    @cached_property
    def index(self) -> FileIndex:
        """The images below the folder, by name."""
        return FileIndex(os.fspath(self.base), self.scan.images, self.scan.folders)

    @cached_property
    def scratch(self) -> Path:
        """A folder for images that lie inside other files; gone once the data set is closed.

        Raises
        ------
        DataError
            If there is nobody who would remove it.
        """
        if self._stack is None:
            raise DataError(f"{self.path}: its images must be unpacked; open it with open_dataset")
        return self._stack.enter_context(scratch_folder())

    def images_of(self, file: Path) -> ImageFolder:
        """A folder below :attr:`scratch` for the images in a table, with a limit that follows from its size.

        Raises
        ------
        DataError
            If there is nobody who would remove it.
        """
        return ImageFolder(self.scratch, file)

    def files(self, *suffixes: str) -> list[Path]:
        """The files that may hold labels and have one of these endings: all below, or the one named."""
        if self.file is not None:
            return [self.file] if self.file.name.lower().endswith(suffixes) else []
        return [Path(path) for path in self.scan.label_files if path.lower().endswith(suffixes)]

    def tables(self) -> list[Path]:
        """The files that could be tables."""
        return self.files(*CELL_READERS)

    def name_in(self, file: Path, name: str) -> str:
        """A name that counts from a file's folder, counted from :attr:`base`."""
        below = self._below.get(file)  # asked a million times
        if below is None:
            below = self._below[file] = os.path.relpath(file.parent, self.base)
        return name if below == "." or os.path.isabs(name) else os.path.join(below, name)  # noqa: PTH117, PTH118

    def exists(self, file: Path, name: str) -> bool:
        """Whether a name that a file gives is that of an image, where it says or elsewhere below."""
        try:
            if os.path.isfile(self.base / self.name_in(file, name)) and suffix_of(name):  # noqa: PTH113
                return True
        except (OSError, ValueError):
            return False
        wanted = self.name_in(file, name)
        return bool(
            self.index.find(wanted) or ("%" in name and self.index.find(urllib.parse.unquote(wanted)))
        )

    def exists_by_number(self, file: Path, name: str) -> bool:
        """Whether a name is an image's number that lost its zeros, as in Excel."""
        return bool(self.index.find_number(self.name_in(file, name)))

    def cells(self, file: Path) -> Cells:
        """A table, read once.

        Raises
        ------
        DataError
            If it cannot be read.
        """
        if file not in self._cells:
            self._cells[file] = read_cells(file)
        return self._cells[file]

    def json(self, file: Path) -> Any:
        """A JSON file, read once.

        Raises
        ------
        DataError
            If it is not valid JSON.
        """
        if file not in self._json:
            try:
                self._json[file] = json.loads(decoded(content_of(file))[0])
            except (ValueError, RecursionError) as error:
                raise DataError(f"{file}: it is not valid JSON ({error}); export it again") from error
            if isinstance(self._json[file], dict) and isinstance(self._json[file].get("imageData"), str):
                self._json[file]["imageData"] = None  # LabelMe puts the photo itself here, once more
        return self._json[file]

    def json_files(self) -> Iterable[tuple[Path, Any]]:
        """The JSON files that can be read, with what they hold."""
        for file in self.files(".json"):
            if file in self.unreadable:
                continue
            try:
                value = self.json(file)
            except DataError as error:  # another may be meant; which ones were passed over is said in the end
                self.unreadable[file] = str(error)
            else:
                yield file, value


def xml_root(file: Path) -> xml.etree.ElementTree.Element:
    """The root of an XML file, without entities of its own.

    Raises
    ------
    DataError
        If it is not valid XML, or declares entities, by which a small file could become huge.
    """
    content = content_of(file)
    # without zeros, so that UTF-16 hides nothing
    if b"<!ENTITY" in content.replace(b"\0", b""):
        raise DataError(f"{file}: XML must not declare entities, got some; export it again")
    try:
        return xml.etree.ElementTree.fromstring(content)
    except (xml.etree.ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{file}: it is not valid XML ({error}); export it again") from error


def content_of(file: Path) -> bytes:
    """A file of annotations as a whole.

    Raises
    ------
    DataError
        If it is too large or cannot be read.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise DataError(f"{file}: annotations must be at most {MOST_BYTES >> 30} GiB; split the file")
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: it cannot be read ({error.strerror or error}); check the file") from error
