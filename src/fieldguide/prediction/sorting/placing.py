"""One file into its new place, never over another, so that a kill at any moment loses nothing.

A copy is written under a name of its own, put on disk and only then given its name. A move within a disk is a
second name for the same file, then the first is removed; to another disk it is a copy that is read again
before the original goes. Killed in between, a file has two names or two copies, which the next run sees.
"""

import contextlib
import errno
import hashlib
import os
import stat
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path

from fieldguide.errors import OutputError
from fieldguide.prediction.sorting.folder_names import key_of
from fieldguide.prediction.sorting.table import SortedPhoto

_CHUNK = 1 << 20
ENDS_THE_RUN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EMFILE, errno.ENFILE)
"""What no other photo would escape either."""
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class _Copied:
    """What was copied."""

    bytes: int
    sha256: str
    before: os.stat_result


class _Left(Exception):
    """A photo stays where it is, for this reason."""


def place(photo: SortedPhoto, file: str, target: Path, scratch: Path) -> SortedPhoto:
    """Copy, link or move a file to `target`, in whose place nothing else lies.

    Parameters
    ----------
    photo
        The row of the table; `how` says what is to be done.
    file
        Where the content lies now.
    target
        Its new place; its folder exists.
    scratch
        A name on the disk of `target` that only this run uses.

    Returns
    -------
    SortedPhoto
        The row as it is now, or left with the reason.

    Raises
    ------
    FileExistsError
        If something else has the name by now.
    OutputError
        If the disk is full or may not be written: no other photo would fare better.
    """
    try:
        if photo.how == "move":
            return _moved(photo, file, target, scratch)
        if os.path.lexists(target):  # done by a run that was killed before it noted that
            return _as_found(photo, file, target)
        if photo.how == "hardlink":
            return _linked(photo, file, target, scratch)
        return _as_copied(photo, _copied_to(file, target, scratch))
    except _Left as left:
        return photo.left(str(left))
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in ENDS_THE_RUN:
            raise OutputError(
                f"{target.parent}: cannot be written ({error.strerror}); make room and run the same command "
                "again, it goes on where it stopped"
            ) from error
        return photo.left(error.strerror or str(error))


def same_content(one: str | Path, other: str | Path) -> bool:
    """Whether two files hold the same bytes; False where either is no file, or the second is a link."""
    try:
        with _opened(one) as first, _opened(other, follow=False) as second:
            if os.fstat(first.fileno()).st_size != os.fstat(second.fileno()).st_size:
                return False
            while chunk := first.read(_CHUNK):
                if chunk != second.read(_CHUNK):
                    return False
            return not second.read(1)
    except (OSError, _Left):
        return False


def digest_of(path: Path) -> str:
    """SHA-256 of a file that is no link; empty where it cannot be read."""
    try:
        with _opened(path, follow=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, _Left):
        return ""


def same_entry(one: str | Path, other: str | Path) -> bool:
    """Whether two paths are one name in one folder, however they are written.

    Two names of one file (hard links) are not: removing either leaves the other.
    """
    first, second = Path(one), Path(other)
    if key_of(first.name) != key_of(second.name):
        return False
    try:
        return os.path.samestat(first.parent.stat(), second.parent.stat()) and os.path.samestat(
            first.lstat(), second.lstat()
        )
    except OSError:
        return False


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: str | Path, *, follow: bool = True) -> BufferedReader:
    flags = _READ if follow else _READ | getattr(os, "O_NOFOLLOW", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _Left("it is no regular file")
    return file


def _as_found(photo: SortedPhoto, file: str, target: Path) -> SortedPhoto:
    if not same_content(file, target):
        raise FileExistsError(errno.EEXIST, "is taken", str(target))
    digest = "" if photo.how == "hardlink" else digest_of(target)
    return replace(photo, bytes=target.lstat().st_size, sha256=digest)


def _as_copied(photo: SortedPhoto, copied: _Copied) -> SortedPhoto:
    return replace(photo, bytes=copied.bytes, sha256=copied.sha256)


def _linked(photo: SortedPhoto, file: str, target: Path, scratch: Path) -> SortedPhoto:
    try:
        os.link(os.path.realpath(file), target)
    except FileExistsError:
        raise
    except FileNotFoundError:
        raise _Left("it is not there any more") from None
    except OSError as error:
        if error.errno in ENDS_THE_RUN:
            raise
        # Another disk, one without links, or a file that this user may not link to.
        copied = _copied_to(file, target, scratch)
        return replace(_as_copied(photo, copied), how="copy")
    return replace(photo, bytes=target.lstat().st_size)


def _copied_to(file: str, target: Path, scratch: Path, *, follow: bool = True) -> _Copied:
    copied = _copied(file, scratch, follow=follow)
    try:
        publish(scratch, target)
    except FileExistsError:
        scratch.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    return copied


def _copied(file: str, scratch: Path, *, follow: bool) -> _Copied:
    """Copy a file to `scratch`, on disk when this returns."""
    try:
        source = _opened(file, follow=follow)
    except FileNotFoundError:
        raise _Left("it is not there any more") from None
    except OSError as error:
        raise _Left(f"it cannot be read ({error.strerror})") from error
    with source:
        before = os.fstat(source.fileno())
        scratch.unlink(missing_ok=True)
        try:
            digest = _written(source, scratch)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
        if _changed(before, os.fstat(source.fileno())):
            scratch.unlink(missing_ok=True)
            raise _Left("it was changed while it was copied")
    with contextlib.suppress(OSError):  # a disk that keeps no modes or times
        os.utime(scratch, ns=(before.st_atime_ns, before.st_mtime_ns))
        scratch.chmod(stat.S_IMODE(before.st_mode) & 0o777)
    return _Copied(before.st_size, digest, before)


def _written(source: BufferedReader, scratch: Path) -> str:
    digest = hashlib.sha256()
    with os.fdopen(os.open(scratch, _NEW, 0o666), "wb") as out:
        while chunk := _chunk(source):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _chunk(source: BufferedReader) -> bytes:
    try:
        return source.read(_CHUNK)
    except OSError as error:
        raise _Left(f"it cannot be read ({error.strerror})") from error


def _changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_ino) != (
        after.st_size,
        after.st_mtime_ns,
        after.st_ino,
    )


def publish(scratch: Path, target: Path) -> None:
    """Give a finished file its name, which nothing else has.

    Raises
    ------
    FileExistsError
        If something has it; the finished file keeps the name it had.
    OSError
        If the disk does not allow it.
    """
    try:
        os.link(scratch, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # a disk without hard links
        _renamed(scratch, target)
    else:
        scratch.unlink()


def _renamed(source: Path, target: Path) -> None:
    """Rename to a name that is free: Windows refuses others by itself, elsewhere it is taken first."""
    if os.name == "nt":
        source.rename(target)
        return
    os.close(os.open(target, _NEW, 0o666))
    try:
        source.replace(target)
    except BaseException:
        target.unlink()
        raise


def _moved(photo: SortedPhoto, file: str, target: Path, scratch: Path) -> SortedPhoto:
    source = Path(file)
    try:
        status = source.lstat()
    except FileNotFoundError:
        if (
            target.is_file() and not target.is_symlink()
        ):  # moved by a run that was killed before it noted that
            return replace(photo, bytes=target.lstat().st_size)
        raise _Left("it is not there any more") from None
    if not stat.S_ISREG(status.st_mode):
        raise _Left("it is a link; only files are moved" if source.is_symlink() else "it is no regular file")
    if same_entry(source, target):
        return replace(photo, how="present", bytes=status.st_size)
    done = replace(photo, bytes=status.st_size)
    if os.path.lexists(target):
        _finish_move(source, target, status)
        return done
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError) as error:
        if getattr(error, "errno", None) in ENDS_THE_RUN:
            raise
        return _moved_without_links(done, source, target, scratch)
    _remove_original(source, target)
    return done


def _finish_move(source: Path, target: Path, status: os.stat_result) -> None:
    """Remove the original of what a killed run has linked or copied already."""
    found = target.lstat()
    if not os.path.samestat(found, status):
        if not same_content(source, target):
            raise FileExistsError(errno.EEXIST, "is taken", str(target))
        descriptor = os.open(target, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(target.parent)
    _remove_original(source, target)


def _moved_without_links(photo: SortedPhoto, source: Path, target: Path, scratch: Path) -> SortedPhoto:
    if source.lstat().st_dev == target.parent.stat().st_dev:
        try:
            _renamed(source, target)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno != errno.EXDEV:  # as between two views of one disk
                raise
        else:
            return photo
    copied = _copied_to(str(source), target, scratch, follow=False)
    if digest_of(target) != copied.sha256:
        target.unlink()
        raise _Left("its copy on the other disk reads differently; the original was kept")
    if _changed(copied.before, source.lstat()):
        target.unlink()
        raise _Left("it was changed while it was moved")
    _remove_original(source, target)
    return _as_copied(photo, copied)


def _remove_original(source: Path, target: Path) -> None:
    """Remove the first name of a file that has its second; where that is not allowed, the second goes."""
    try:
        source.unlink()
    except OSError as error:
        target.unlink()
        raise _Left(f"its folder may not be changed ({error.strerror})") from error
