"""Objects of S3, Google Cloud Storage and Azure: named by URLs, listed as a stream, read and written whole.

Carried by obstore (MIT), the Rust library `object_store`: on this project's machine it is imported in 3 ms of
CPU time with 4 MB, against 100 ms and 48 MB for pyarrow.fs and 300 ms and 34 MB for s3fs (2026-11-29); it
lists as a stream, which neither of the others does, and retries by itself. Credentials are those that it
finds in the environment; docs/cluster.md names the variables.

Nothing is fetched because of what a text looks like. Only an :class:`ObjectUrl` is, and one is made only from
what a person gave, or from a table or a listing in the same store.
"""

import functools
import importlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from fieldguide.errors import DataError, OptionError, OutputError, RefusedInput
from fieldguide.installation import command_for

SCHEMES = ("s3", "s3a", "gs", "az", "abfs", "abfss")
"""How a URL of an object store begins."""
_URL = re.compile(rf"({'|'.join(SCHEMES)})://([^/]+)(?:/(.*))?", re.DOTALL | re.IGNORECASE)

_PAGE = 1000
"""Names that a listing holds at once, as many as S3 gives in an answer."""


@dataclass(frozen=True)
class Patience:
    """How long an object store is waited for."""

    connect_seconds: float = 5.0
    request_seconds: float = 60.0
    """For a whole answer, its body included."""
    retries: int = 8
    """After a connection that fails or breaks off, a time that is over, or a status of 500 or more; obstore
    waits twice as long each time."""
    retry_seconds: float = 120.0
    """After this time nothing is tried again."""


PATIENCE = Patience()


class ObjectUrl(str):
    """A URL that may be fetched, for a person named it, or the store that the person named.

    Examples
    --------
    >>> url = ObjectUrl("s3://photos/2026/a.jpg")
    >>> url.root, url.key, url.name
    ('s3://photos', '2026/a.jpg', 'a.jpg')
    >>> url.beside("b.jpg")
    's3://photos/2026/b.jpg'
    """

    __slots__ = ()

    @property
    def root(self) -> str:
        """Scheme and bucket or container."""
        match = _URL.fullmatch(self)
        return f"{match[1].lower()}://{match[2]}" if match else ""

    @property
    def key(self) -> str:
        """The name in the store, exactly as it is there; empty for the whole bucket."""
        match = _URL.fullmatch(self)
        return (match[3] or "") if match else ""

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rstrip("/").rpartition("/")[2]

    def beside(self, name: str) -> "ObjectUrl":
        """An object whose name counts from where this one lies."""
        folder = self.key.rpartition("/")[0]
        return ObjectUrl(f"{self.root}/{folder}/{name}" if folder else f"{self.root}/{name}")

    def below(self, name: str) -> "ObjectUrl":
        """An object whose name counts from this prefix."""
        return ObjectUrl(f"{self.rstrip('/')}/{name}")


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing names it."""

    url: ObjectUrl
    size: int
    """Bytes."""


def is_object_url(text: str) -> bool:
    """Whether a text has the form of a URL of an object store.

    Examples
    --------
    >>> is_object_url("s3://photos/a.jpg"), is_object_url("https://example.org/a.jpg"), is_object_url("a.jpg")
    (True, False, False)
    """
    return _URL.fullmatch(text) is not None


def read_object(url: ObjectUrl, most_bytes: int) -> bytes:
    """Fetch one object whole; one that has more bytes than `most_bytes` is not fetched.

    Raises
    ------
    RefusedInput
        ``missing``, ``unreadable``, ``unreachable`` or ``too_large``.
    DataError
        If the library is missing, or the environment holds no usable credentials.
    """
    try:
        answer = _obstore().get(_store(url.root, PATIENCE), url.key)
        size = int(answer.meta["size"])
        if size > most_bytes:
            raise RefusedInput(
                "too_large",
                f"the object has {size / 1e6:,.0f} MB; at most {most_bytes / 1e6:,.0f} MB are read",
            )
        return bytes(answer.bytes())
    except (RefusedInput, DataError):
        raise
    except Exception as error:  # the kinds of obstore have a common base only in part
        raise _refusal(error) from error


def list_objects(prefix: ObjectUrl) -> Iterator[Listed]:
    """The objects whose keys begin with a prefix and a slash, in the order of the store, as a stream.

    Raises
    ------
    DataError
        If they cannot be listed.
    """
    key, last, failed = prefix.key.strip("/"), None, 0
    while True:
        try:
            store = _store(prefix.root, PATIENCE)
            for chunk in _obstore().list(store, prefix=key or None, offset=last, chunk_size=_PAGE):
                failed = 0
                for entry in chunk:
                    last = entry["path"]
                    yield Listed(ObjectUrl(f"{prefix.root}/{last}"), int(entry["size"]))
            return
        except DataError:
            raise
        except Exception as error:
            refusal, failed = _refusal(error), failed + 1
            # obstore tries again what fails before an answer, not a page that breaks off in its middle
            if refusal.code != "unreachable" or "body" not in str(error) or failed > PATIENCE.retries:
                raise DataError(f"{prefix}: cannot be listed: {_reason(error)}") from error
            time.sleep(0.1 * 2**failed)


def exists(url: ObjectUrl) -> bool:
    """Whether there is an object of this very name.

    Raises
    ------
    DataError
        If the store does not answer.
    """
    try:
        _obstore().head(_store(url.root, PATIENCE), url.key)
    except FileNotFoundError:
        return False
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{url}: cannot be looked for: {_reason(error)}") from error
    return True


def write_object(url: ObjectUrl, content: bytes | Path) -> None:
    """Put an object, whole or not at all: it appears under its name only once all of it is there.

    Parameters
    ----------
    url
        Its name.
    content
        Bytes, or a file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        _obstore().put(_store(url.root, PATIENCE), url.key, content)
    except DataError as error:
        raise OutputError(str(error)) from error
    except Exception as error:
        raise OutputError(f"{url}: cannot be written: {_reason(error)}") from error


def check_url(text: str) -> ObjectUrl:
    """A URL that a person gave.

    Raises
    ------
    OptionError
        If it names no bucket.
    DataError
        If obstore is not installed, or the environment does not say what the store needs.
    """
    if not is_object_url(text):
        raise OptionError(f"{text}: must be a URL such as s3://BUCKET/NAME; got no name of a bucket")
    url = ObjectUrl(text)
    _store(url.root, PATIENCE)
    return url


def _obstore() -> Any:
    try:
        return importlib.import_module("obstore")
    except ImportError as error:
        raise DataError(
            f"object stores need obstore, which is not installed; run: {command_for('stores')}"
        ) from error


@functools.lru_cache(maxsize=64)
def _store(root: str, patience: Patience) -> Any:
    """The connection pool of a bucket; it may be used from several threads at once."""
    _obstore()
    stores = importlib.import_module("obstore.store")
    try:
        return stores.from_url(
            root,
            client_options={
                # plain HTTP only where the environment names such an endpoint; keys never go over the line
                "allow_http": True,
                "timeout": timedelta(seconds=patience.request_seconds),
                "connect_timeout": timedelta(seconds=patience.connect_seconds),
            },
            retry_config={
                "max_retries": patience.retries,
                "retry_timeout": timedelta(seconds=patience.retry_seconds),
                "backoff": {"init_backoff": timedelta(milliseconds=100)},
            },
        )
    except Exception as error:
        raise DataError(f"{root}: cannot be used: {_reason(error)}") from error


_STATUSES = {"401": "UnauthenticatedError", "403": "PermissionDeniedError", "404": "FileNotFoundError"}
"""HTTP status → the exception as which obstore raises it, except while it lists."""
_MEANINGS: dict[str, tuple[str, str]] = {
    "FileNotFoundError": ("missing", "there is no such object; check the bucket and the name"),
    "NotFoundError": ("missing", "there is no such object; check the bucket and the name"),
    "PermissionDeniedError": ("unreadable", "the store allows these credentials no access to it"),
    "UnauthenticatedError": ("unreadable", "the store does not accept the credentials of the environment"),
    "InvalidPathError": (
        "unreadable",
        "its name has an empty part, '.' or '..', with which no object is read",
    ),
    "ValueError": ("unreadable", "its name has an empty part, '.' or '..', with which no object is read"),
}


def _refusal(error: Exception) -> RefusedInput:
    status = re.search(r"status code: (\d{3})", str(error))
    kind = _STATUSES.get(status[1], "") if status else ""
    known = _MEANINGS.get(type(error).__name__) or _MEANINGS.get(kind)
    if known:
        return RefusedInput(*known)
    if re.search(r"timed ?out", str(error), re.IGNORECASE):
        reason = "no answer in time"
    else:
        reason = f"the store answers with status {status[1]}" if status else "the connection failed"
    return RefusedInput("unreachable", f"{reason}, also after retries; try again later")


def _reason(error: Exception) -> str:
    """What went wrong, in one sentence; what the library says besides is for programmers."""
    if type(error).__name__ == "InvalidPathError":
        said = str(error).partition("\n")[0]
        return f"an object has a name with an empty part, '.' or '..' ({said}); rename it"
    return _refusal(error).message
