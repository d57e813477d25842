"""What is kept on disk to be computed only once: with a checksum over all of it, or not believed.

A disk, a memory or a copy that flips one bit must cost time, never an answer. A file ends in the SHA-256 of
its name and of everything before; one that does not is removed, said once, and computed anew. Files of which
single rows or lines are read carry a checksum for each (:func:`rows_checksum`, :func:`line`).
"""

import contextlib
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.files import LOGGER, atomic_write
from fieldguide.plain_text import escaped

DIGEST_BYTES = 32
_LINE_DIGITS = 16


def write(path: Path, content: bytes) -> None:
    """Write a file with its checksum, whole or not at all.

    Parameters
    ----------
    path
        The file; its name is part of what the checksum is over.
    content
        What :func:`read` gives back.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_write(path) as file:
        file.write(content)
        file.write(_digest(path, content))


def read(path: Path, what: str) -> bytes | None:
    """Read what :func:`write` wrote.

    Parameters
    ----------
    path
        The file.
    what
        What it holds, for the sentence where it is damaged.

    Returns
    -------
    bytes or None
        The content; None where there is none, or it is damaged: then the file is removed and that is said.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    body = memoryview(content)[:-DIGEST_BYTES]
    if len(content) < DIGEST_BYTES or _digest(path, body) != content[-DIGEST_BYTES:]:
        discard(path, what)
        return None
    return bytes(body)


def discard(path: Path, what: str) -> None:
    """Remove a damaged file, so that it is said once and computed anew."""
    with contextlib.suppress(OSError):
        path.unlink()
    say_damaged(path, what)


def say_damaged(path: Path, what: str) -> None:
    """Say that something kept was damaged and is made anew."""
    LOGGER.warning("%s: is damaged; the %s in it are computed again", escaped(str(path)), what)


def rows_checksum(*arrays: NDArray[Any]) -> int:
    """A CRC-32 over the bytes of arrays, and over what their bytes mean: kind of number and shape."""
    sum_ = 0
    for array in arrays:
        sum_ = zlib.crc32(f"{array.dtype.str}{array.shape}".encode(), sum_)
        sum_ = zlib.crc32(np.ascontiguousarray(array).tobytes(), sum_)
    return sum_


def line(text: str, before: str) -> str:
    """A line of a file that only grows: its checksum, a space, and the text.

    Parameters
    ----------
    text
        One line without its end.
    before
        The checksum of the line before, empty for the first: a line that is missing or moved is noticed.
    """
    return f"{_line_digest(text, before)} {text}"


def lines(content: bytes) -> Iterator[tuple[str, str]]:
    """The lines of a file that only grows, up to the first that is torn or damaged.

    Yields
    ------
    checksum, text
        As :func:`line` was given and gave them.
    """
    before = ""
    for whole in content.split(b"\n")[:-1]:
        found = checked_line(whole, before)
        if found is None:
            return
        yield found
        before = found[0]


def checked_line(whole: bytes, before: str) -> tuple[str, str] | None:
    """One line without its end, as :func:`line` gave it: checksum and text; None where it is damaged.

    Examples
    --------
    >>> first = line("a", "").encode()
    >>> checked_line(first, "")[1], checked_line(first, "another"), checked_line(first[:-1] + b"b", "")
    ('a', None, None)
    """
    try:
        checksum, _, text = whole.decode().partition(" ")
    except UnicodeDecodeError:
        return None
    return (checksum, text) if checksum == _line_digest(text, before) else None


def _digest(path: Path, content: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(path.name.encode("utf-8", "surrogateescape") + b"\0")
    digest.update(content)
    return digest.digest()


def _line_digest(text: str, before: str) -> str:
    return hashlib.sha256(f"{before} {text}".encode("utf-8", "surrogateescape")).hexdigest()[:_LINE_DIGITS]
