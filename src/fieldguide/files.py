"""Files written whole or not at all, and the cache folder."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import platformdirs

from fieldguide.errors import OutputError


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file that replaces `path` only once it is complete and on disk.

    The bytes go to a temporary file beside `path`, which is synced and renamed at the end of the
    ``with`` block; on any error `path` stays as it was and the temporary file is removed.

    Raises
    ------
    OutputError
        If the folder is missing, not writable or full.
    """
    target = Path(path)
    try:
        prefix = f".{target.name[:40]}."
        descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=".partial", dir=target.parent)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}); choose another place") from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = f"was not written ({error.strerror}); the old file is untouched"
        raise OutputError(f"{target}: {reason}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def cache_folder() -> Path:
    """The folder for what can be computed again: ``FIELDGUIDE_CACHE`` or the system's own place."""
    return Path(os.environ.get("FIELDGUIDE_CACHE") or platformdirs.user_cache_dir("fieldguide"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
