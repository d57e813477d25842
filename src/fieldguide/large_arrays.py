"""Room for large arrays: in memory while they are small, in a file that vanishes with the process beyond."""

import contextlib
import mmap
import os
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fieldguide.errors import OutputError


def in_file(shape: tuple[int, ...], dtype: DTypeLike, folder: Path | None, what: str) -> NDArray[Any]:
    """Make a memory map of a nameless file.

    Parameters
    ----------
    shape, dtype
        Of the array.
    folder
        Where the file may lie; None, or a folder that cannot be written, takes the system's place for
        temporary files.
    what
        What fills it, for the error.

    Raises
    ------
    OutputError
        If the disk has no room for the file.
    """
    place = writable(folder)
    size = _bytes(shape, dtype)
    try:
        # The map keeps the file open, and as it has no name nothing is left behind.
        with tempfile.TemporaryFile(dir=place) as file:
            _reserve(file.fileno(), size)
            return np.memmap(file, dtype, "w+", shape=shape)
    except OSError as error:
        raise _no_room(place or tempfile.gettempdir(), size, what, error) from error


def in_named_file(shape: tuple[int, ...], dtype: DTypeLike, path: Path, what: str) -> NDArray[Any]:
    """Make a memory map of a new file that other processes can read, removed once nothing here refers to it.

    Parameters
    ----------
    shape, dtype, what
        As for :func:`in_file`.
    path
        The file, in a folder that is there.

    Raises
    ------
    OutputError
        If the disk has no room for the file.
    """
    size = _bytes(shape, dtype)
    try:
        with path.open("xb+") as file:
            _reserve(file.fileno(), size)
            file.truncate(size)
        mapped = np.memmap(path, dtype, "r+", shape=shape)
    except OSError as error:
        raise _no_room(path.parent, size, what, error) from error
    weakref.finalize(mapped.base, _remove, path)
    return mapped


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _bytes(shape: tuple[int, ...], dtype: DTypeLike) -> int:
    return int(np.prod(shape)) * np.dtype(dtype).itemsize


def _reserve(descriptor: int, size: int) -> None:
    """Take the room now: a full disk is an error here, later a crash."""
    if sys.platform == "linux":
        os.posix_fallocate(descriptor, 0, size)


def _no_room(place: Path | str, size: int, what: str, error: OSError) -> OutputError:
    return OutputError(f"{place}: no room for {size / 1e9:.1f} GB of {what} ({error.strerror}); free some")


def let_pages_go(array: NDArray[Any]) -> None:
    """Give back what the pages of a file take of this process's memory, if the array lies in one.

    The system keeps them while it has room, and reading or writing brings them again. Without this a pass
    over an array ends with all of it counted as memory of the process.
    """
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if sys.platform != "win32" and isinstance(owner, mmap.mmap):
        owner.madvise(mmap.MADV_DONTNEED)


def writable(folder: Path | None) -> Path | None:
    """`folder` if files can be made in it, else None for the system's place for temporary files."""
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
