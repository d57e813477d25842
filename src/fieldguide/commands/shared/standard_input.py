"""Names of files from standard input, as ``find`` and ``ls`` write them: ``-`` in place of paths."""

import os
import sys
from collections.abc import Sequence

from fieldguide.commands.terminal import say
from fieldguide.errors import OptionError

STANDARD_INPUT = "-"


def with_names_read(paths: Sequence[str]) -> list[str]:
    """Paths, the names that standard input holds in place of ``-``.

    Raises
    ------
    OptionError
        If ``-`` is named twice, or standard input holds no name.
    """
    if list(paths).count(STANDARD_INPUT) > 1:
        raise OptionError(f"{STANDARD_INPUT}: standard input can be read once; got it twice")
    return [name for path in paths for name in (names_read() if path == STANDARD_INPUT else [path])]


def names_read() -> list[str]:
    """The names on standard input: one a line, or with NUL after each, as ``find -print0`` writes them.

    Raises
    ------
    OptionError
        If there is none.
    """
    if sys.stdin.isatty():
        say("reading names of files, one a line, until Ctrl-D")
    names = names_in(sys.stdin.buffer.read())
    if not names:
        raise OptionError(f"{STANDARD_INPUT}: standard input must hold names of files, one a line; got none")
    return names


def names_in(content: bytes) -> list[str]:
    r"""Take names apart.

    Examples
    --------
    >>> names_in(b"a.jpg\r\nmy cat.jpg\n\n"), names_in(b"two\nlines.jpg\0b.jpg\0")
    (['a.jpg', 'my cat.jpg'], ['two\nlines.jpg', 'b.jpg'])
    """
    if b"\0" in content:
        parts = content.split(b"\0")
    else:
        parts = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    return [os.fsdecode(part) for part in parts if part.strip()]
