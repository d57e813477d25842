"""Files written whole or not at all, temporary folders, and the cache folder.

A process that is killed leaves its temporary files and folders behind. Who uses one holds a lock on it, and a
lock ends with its process, so the next who comes by can tell what is left over.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import platformdirs

from fieldguide.errors import OutputError

if sys.platform != "win32":
    import fcntl

_SUFFIX = ".partial"
_SCRATCH = "fieldguide-scratch-"
_TEMPORARY = re.compile(r"\..*\.fieldguide-[0-9a-f]{8}\.partial", re.S)
_OLD_SECONDS = 3600
"""Where there are no locks, a temporary file that nobody has written to for so long is left over."""


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file that replaces `path` only once it is complete and on disk.

    The bytes go to a temporary file beside `path`, which is synced and renamed at the end of the
    ``with`` block; on any error `path` stays as it was and the temporary file is removed. What killed
    processes left in the folder is removed first; the temporary file of a living one never is.

    Raises
    ------
    OutputError
        If the folder is missing, not writable or full, or `path` is no regular file.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            raise OutputError(f"{target}: cannot be written, it is a folder or device; choose another name")
        _clear_left_over(target.parent)
        descriptor, temporary = _open_temporary(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}); choose another place") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if sys.platform == "win32":  # which renames no open file; elsewhere the lock is held to the end
                file.close()
            temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = f"was not written ({error.strerror}); the old file is untouched"
        raise OutputError(f"{target}: {reason}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a temporary folder that is removed at the end of the ``with`` block.

    What killed processes of this user left of such folders is removed first; an unpacked archive is large.

    Raises
    ------
    OutputError
        If no folder can be made where the system keeps temporary files.
    """
    place = Path(tempfile.gettempdir())
    _clear_left_over_folders(place)
    try:
        descriptor, folder = _make_scratch(place)
    except OSError as error:
        raise OutputError(
            f"{place}: no temporary folder can be made ({error.strerror}); make room"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def cache_folder() -> Path:
    """The folder for what can be computed again: ``FIELDGUIDE_CACHE`` or the system's own place."""
    return Path(os.environ.get("FIELDGUIDE_CACHE") or platformdirs.user_cache_dir("fieldguide"))


def _open_temporary(target: Path) -> tuple[int, Path]:
    """A new file beside `target`, locked as long as it is open."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        name = f".{target.name[:40]}.fieldguide-{secrets.token_hex(4)}{_SUFFIX}"
        temporary = target.with_name(name)
        descriptor = os.open(temporary, flags, 0o666)
        # Before it was locked, another process may have taken it for left over.
        if _lock(descriptor) is not False and temporary.exists():
            return descriptor, temporary
        os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Lock an open file until it is closed; False if another has, None where files cannot be locked."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _clear_left_over(folder: Path) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_SUFFIX) and _TEMPORARY.fullmatch(entry.name):
                with contextlib.suppress(OSError):  # another user's, or gone by now
                    _remove_if_left_over(entry)


def _remove_if_left_over(entry: os.DirEntry[str]) -> None:
    if not entry.is_file(follow_symlinks=False):
        return
    if sys.platform == "win32":  # which removes no open file; one is closed for a moment before its renaming
        if time.time() - entry.stat().st_mtime > _OLD_SECONDS:
            Path(entry.path).unlink()
        return
    descriptor = os.open(entry.path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _lock(descriptor):
            Path(entry.path).unlink()
    finally:
        os.close(descriptor)


def _make_scratch(place: Path) -> tuple[int | None, Path]:
    """A new folder, locked as long as its descriptor is open; Windows opens no folders."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=place))
        if sys.platform == "win32":
            return None, folder
        with contextlib.suppress(FileNotFoundError):  # taken for left over before it was locked
            descriptor = os.open(folder, os.O_RDONLY)
            if _lock(descriptor) is not False and folder.exists():
                return descriptor, folder
            os.close(descriptor)


def _clear_left_over_folders(place: Path) -> None:
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(_SCRATCH):
                with contextlib.suppress(OSError):  # another user's, or gone by now
                    _remove_folder_if_left_over(Path(entry.path))


def _remove_folder_if_left_over(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid() and _lock(descriptor):
            shutil.rmtree(folder)
    finally:
        os.close(descriptor)


def _sync_folder(target: Path) -> None:
    """Have the new name of a file on disk, too."""
    if os.name != "posix":
        return
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # the file system cannot sync folders
            reason = f"was written, but the disk does not confirm it ({error.strerror}); write it again"
            raise OutputError(f"{target}: {reason}") from error
    finally:
        os.close(descriptor)
