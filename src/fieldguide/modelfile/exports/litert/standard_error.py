"""What LiteRT and TensorFlow Lite Micro write to standard error by themselves, past Python."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def caught() -> Iterator[Callable[[], str]]:
    """Keep it from the terminal, where nobody knows what to make of it.

    Whatever the process writes there in the meantime is kept from it as well, so nothing that reports
    belongs inside.

    Yields
    ------
    callable
        Gives the text so far, in one line.
    """
    before = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)

        def text() -> str:
            file.seek(0)
            return " ".join(file.read().decode(errors="replace").split())

        try:
            yield text
        finally:
            os.dup2(before, 2)
            os.close(before)
