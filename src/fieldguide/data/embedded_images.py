"""Images whose bytes stand in a table, as in Hugging Face's Parquet files: made into files for a while."""

import os
from pathlib import Path
from typing import Any

from fieldguide.data.scan import suffix_of
from fieldguide.errors import DataError, RefusedInput
from fieldguide.images.formats import IMAGE_SUFFIXES, identify

_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "DICOM": ".dcm", "HEIF": ".heic", "camera raw": ".dng"}
"""Where the usual ending is not the format's name."""
_LONGEST_NAME = 150
_RATIO, _ALLOWANCE = 100, 16 * 2**20
"""Bytes out for each byte of the table, beyond a free allowance; photos hardly compress."""
_MOST_FOLDERS = 10**6


class ImageFolder:
    """The folder that one table's images are written to, and how much may still be written.

    Parameters
    ----------
    scratch : Path
        A temporary folder; this one is made in it, under the table's name.
    table : Path
        The file that the images stand in; its size says how much they may unfold to.
    most_bytes : int, optional
        How much they may unfold to where there is no such file.

    Raises
    ------
    DataError
        If the table cannot be looked at, or no folder can be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     table = Path(scratch, "photos.parquet")
    ...     _ = table.write_bytes(b"of 14 bytes or so")
    ...     folder = ImageFolder(Path(scratch), table)
    ...     folder.folder.name, folder.add(1, "../hat.jpg", b"whoever opens it will say what it is")
    ('photos', 'hat.jpg')
    """

    def __init__(self, scratch: Path, table: Path, most_bytes: int | None = None) -> None:
        self.table = table
        try:
            self._left = _ALLOWANCE + _RATIO * table.stat().st_size if most_bytes is None else most_bytes
            self.folder: Path = _new_folder(scratch, table.stem)
        except OSError as error:
            raise DataError(f"{table}: its images cannot be written ({error.strerror}); make room") from error
        self._names: set[str] = set()

    def add(self, number: int, name: Any, content: bytes) -> str:
        """Write one image, and give the name that it has in :attr:`folder`.

        Parameters
        ----------
        number
            Its row, from 1.
        name
            What the table calls it; only the last part counts, and only if any disk can hold it.
        content
            The bytes of an image file.

        Raises
        ------
        DataError
            If the table unfolds to more than an archive of its size may, or the disk is full.
        """
        self._left -= len(content)
        if self._left < 0:
            raise DataError(
                f"{self.table}: its images unfold to far more bytes than the table has; it is "
                "refused, save the images as files if you trust it"
            )
        plain = _own_name(name) or f"{number:07d}{_suffix(content)}"
        if plain.casefold() in self._names:  # some disks take them for one
            plain = f"{number:07d}-{plain}"
        self._names.add(plain.casefold())
        try:
            (self.folder / plain).write_bytes(content)
        except OSError as error:
            raise DataError(
                f"{self.table}: its images cannot be written to {self.folder} ({error.strerror}); make room"
            ) from error
        return plain


def parts_of(cell: Any) -> tuple[Any, bytes] | None:
    """Name and bytes of an image in a cell: a struct of `bytes` and `path`, or bytes alone; else None.

    Examples
    --------
    >>> parts_of({"bytes": b"...", "path": "a.jpg"}), parts_of(b"..."), parts_of("a.jpg")
    (('a.jpg', b'...'), (None, b'...'), None)
    """
    if isinstance(cell, bytes):
        return None, cell
    if isinstance(cell, dict) and isinstance(cell.get("bytes"), bytes):
        return cell.get("path"), cell["bytes"]
    return None


def is_image(content: bytes) -> bool:
    r"""Whether bytes begin as an image does that can be read.

    Examples
    --------
    >>> is_image(b"\xff\xd8\xff\xe0"), is_image(b"a signature")
    (True, False)
    """
    try:
        identify(content)
    except RefusedInput:
        return False
    return True


def _new_folder(scratch: Path, stem: str) -> Path:
    """A folder that no other table's images lie in."""
    for number in range(_MOST_FOLDERS):
        folder = scratch / (stem if number == 0 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise DataError(f"{scratch}: too many files of the name {stem!r}; read them one by one")


def _own_name(path: Any) -> str:
    """The last part of a path, if it is the name of an image that can be written anywhere; else nothing."""
    name = path.replace("\\", "/").rpartition("/")[2] if isinstance(path, str) else ""
    plain = name.isprintable() and not set(name) & set('<>:"|?*') and not name.startswith(".")
    if plain and suffix_of(name) in IMAGE_SUFFIXES and len(os.fsencode(name)) <= _LONGEST_NAME:
        return name
    return ""


def _suffix(content: bytes) -> str:
    try:
        kind = identify(content)
    except RefusedInput:
        return ""
    return _SUFFIXES.get(kind, f".{kind.lower()}")
