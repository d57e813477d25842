"""Results that are to lie in an object store: written on this machine, then put there whole.

An object cannot grow, so the journal of a run that may be killed lies in the cache folder, under a name made
of the URL: the same command on the same machine goes on there.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from fieldguide.errors import OutputError
from fieldguide.files import cache_folder
from fieldguide.storage.object_store import ObjectUrl, exists, write_object


@contextlib.contextmanager
def local_file_for(out: Path | ObjectUrl) -> Iterator[Path]:
    """The file to write; where `out` is an object, one on this machine; the block ends with :func:`send`.

    Raises
    ------
    DataError
        If the store does not answer, before any work.
    OutputError
        If the file cannot be written.
    """
    if not isinstance(out, ObjectUrl):
        yield out
        return
    exists(out)
    folder = cache_folder() / "unsent" / hashlib.sha256(out.encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); make room") from error
    place = folder / out.name
    yield place
    with contextlib.suppress(OSError):  # another run's journal
        folder.rmdir()


def send(out: Path | ObjectUrl, place: Path) -> None:
    """Put the file of :func:`local_file_for` where `out` says; a journal beside it may be deleted then.

    Raises
    ------
    OutputError
        If it cannot be put there; the file is kept, and the sentence says where.
    """
    if not isinstance(out, ObjectUrl):
        return
    try:
        write_object(out, place)
    except OutputError as error:
        raise OutputError(
            f"{error}; the same command tries it again without new work; the results are in {place}"
        ) from error
    place.unlink()
