"""Files written whole or not at all, temporary folders, and the cache folder.

A process that is killed leaves its temporary files and folders behind. Who uses one holds a lock on it, and a
lock ends with its process, so the next who comes by can tell what is left over.
"""

import contextlib
import errno
import itertools
import logging
import os
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import platformdirs

from fieldguide.errors import OutputError
from fieldguide.plain_text import escaped

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOGGER = logging.getLogger("fieldguide")
"""Says what a person should know; where no handler is set up, Python writes it to standard error."""
_SUFFIX = ".partial"
_SCRATCH = "fieldguide-scratch-"
_TEMPORARY = re.compile(r"\..*\.fieldguide-[0-9a-f]{8}\.partial", re.S)
_FAR = 2**31 - 2
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

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder, "model.onnx")
    ...     _ = out.write_bytes(b"the old one")
    ...     with contextlib.suppress(KeyboardInterrupt), atomic_write(out) as file:
    ...         _ = file.write(b"half of the new")
    ...         raise KeyboardInterrupt
    ...     out.read_bytes(), [path.name for path in Path(folder).iterdir()]
    (b'the old one', ['model.onnx'])
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


def keep_backup(path: Path) -> Path | None:
    """Keep a file that is about to be written anew, beside it as ``NAME.bak``, ``NAME.bak2`` and so on.

    Returns
    -------
    Path or None
        Where it is kept; None where there is no such file.

    Raises
    ------
    OutputError
        If it cannot be copied.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "fix.csv")
    ...     _ = table.write_text("mine")
    ...     [keep_backup(table).name for _ in range(2)]
    ['fix.csv.bak', 'fix.csv.bak2']
    """
    if not path.is_file():
        return None
    names = (f"{path.name}.bak{number if number > 1 else ''}" for number in itertools.count(1))
    backup = next(place for place in map(path.with_name, names) if not place.exists())
    try:
        shutil.copy2(path, backup)
    except OSError as error:
        raise OutputError(
            f"{backup}: the file that was there cannot be kept ({error.strerror}); choose another name"
        ) from error
    return backup


@contextlib.contextmanager
def new_folder(out: Path, replaceable: Collection[str] = ()) -> Iterator[Path]:
    """Make a folder beside `out` that becomes it at the end of the ``with`` block.

    `out` appears only once it is whole; of an earlier one, nothing is touched until then.

    Parameters
    ----------
    out
        The folder to make. One that is there already must be empty, or hold nothing but what may be replaced.
    replaceable
        Paths in it, with slashes, of files that an earlier run has written.

    Raises
    ------
    OutputError
        If `out` holds something else, or cannot be written.
    """
    held = _held(out)
    folders = {parent.as_posix() for name in replaceable for parent in PurePosixPath(name).parents}
    if any(name not in replaceable and name not in folders for name in held):
        raise OutputError(
            f"{out}: must be a new or empty folder, got one that holds something; choose another"
        )
    unfinished = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        unfinished.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be made ({error.strerror}); choose another place") from error
    try:
        yield unfinished
        for name in sorted(held, reverse=True):  # files before the folder they lie in
            place = out / name
            place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()
        if out.is_dir():
            out.rmdir()
        unfinished.replace(out)
    except OSError as error:
        raise OutputError(
            f"{out}: was not written ({error.strerror or error}); make room or choose another"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _held(folder: Path) -> list[str]:
    """Paths of what is in a folder, with slashes; of what is no folder, a name that nobody may replace."""
    if not folder.is_dir():
        return [""] if os.path.lexists(folder) else []
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*")]


@contextlib.contextmanager
def scratch_folder(place: Path | None = None) -> Iterator[Path]:
    """Make a temporary folder that is removed at the end of the ``with`` block.

    What killed processes of this user left of such folders is removed first; an unpacked archive is large.

    Parameters
    ----------
    place
        A folder to make it in; None takes the system's place for temporary files.

    Raises
    ------
    OutputError
        If no folder can be made there.

    Examples
    --------
    >>> with scratch_folder() as folder:
    ...     folder.is_dir()
    True
    >>> folder.exists()
    False
    """
    place = place or Path(tempfile.gettempdir())
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
        remove_folder(folder)
        if descriptor is not None:
            os.close(descriptor)


def remove_folder(folder: Path) -> bool:
    """Remove a folder with all that is in it, however deep; what cannot be removed stays, which is said once.

    Subfolders are moved up one by one, so that neither depth nor the length of a path has a limit. Links are
    removed, never followed.

    Returns
    -------
    bool
        Whether it is gone.

    Examples
    --------
    >>> with scratch_folder() as folder:
    ...     (folder / "a" / "b").mkdir(parents=True)
    ...     remove_folder(folder / "a"), list(folder.iterdir())
    (True, [])
    """
    try:
        while subfolders := _emptied_of_files(folder):
            for subfolder in subfolders:
                for deeper in _emptied_of_files(subfolder):
                    deeper.rename(folder / f".{secrets.token_hex(8)}")
                subfolder.rmdir()
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        if folder not in _left_over:
            _left_over.add(folder)
            text = "%s: is left over and cannot be removed (%s); remove it by hand"
            LOGGER.warning(text, escaped(str(folder)), error.strerror)
        return False
    return True


_left_over: set[Path] = set()


def _emptied_of_files(folder: Path) -> list[Path]:
    """Remove all but the folders in a folder, and return those."""
    with contextlib.suppress(OSError):  # a folder that may not be written; that is told below
        folder.chmod(0o700)
    subfolders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                subfolders.append(Path(entry.path))
            else:
                Path(entry.path).unlink()
    return subfolders


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
        if lock(descriptor) is not False and temporary.exists():
            return descriptor, temporary
        os.close(descriptor)


def lock(descriptor: int) -> bool | None:
    """Lock an open file until it is closed; processes that inherit it hold the lock with this one.

    Returns
    -------
    bool or None
        False if another process has locked it, None where files cannot be locked.
    """
    if sys.platform == "win32":
        return _locked_on_windows(descriptor)
    else:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True


if sys.platform == "win32":

    def _locked_on_windows(descriptor: int) -> bool:
        """Lock a byte far behind the end: what is locked there nobody else may read, either."""
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)
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
        if lock(descriptor):
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
            if lock(descriptor) is not False and folder.exists():
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
        if os.fstat(descriptor).st_uid == os.geteuid() and lock(descriptor):
            remove_folder(folder)
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
