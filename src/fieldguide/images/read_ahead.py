"""Photos read, decoded and shrunk in threads, ahead of whatever takes them; the one place where that is done.

What takes the photos (a network, a table of pixels, a look at their facts) works in the meantime on those
that came before. An image that cannot be read becomes a refusal in its place and stops nothing.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from fieldguide.errors import Refusal, RefusedInput
from fieldguide.progress import Progress, silent
from fieldguide.threads import in_order, usable_cores

AHEAD = 64
"""Images that may wait to be taken; bounds memory."""

Result = TypeVar("Result")
Stream = Iterator[tuple[int, Result | Refusal]]
"""Position among the paths, and what came of the image."""


def read_ahead(
    work: Callable[[str], Result],
    paths: Sequence[str],
    *,
    stage: str = "images",
    progress: Progress = silent,
    ahead: int = AHEAD,
    every: int = 1,
) -> AbstractContextManager[Stream[Result]]:
    """Apply `work` to image files, in threads, as a context manager that stops them when it is left.

    Parameters
    ----------
    work
        Called once a path, from several threads at once; what it raises as a
        :class:`~fieldguide.errors.RefusedInput` is given as a refusal.
    paths
        Image files.
    stage, progress
        What is told, now and then and at the end.
    ahead
        Results that may wait to be taken, 1 or more.
    every
        Images from one report of progress to the next.

    Yields
    ------
    iterator of (int, Result or Refusal)
        One an image, in the order of the paths.

    Examples
    --------
    >>> def length(path):
    ...     return len(path)
    >>> with read_ahead(length, ["a.jpg", "photo.png"]) as stream:
    ...     list(stream)
    [(0, 5), (1, 9)]
    """

    def attempt(path: str) -> Result | Refusal:
        try:
            return work(path)
        except RefusedInput as refused:
            return Refusal(path, refused.code, refused.message)

    def results_in_order() -> Generator[tuple[int, Result | Refusal]]:
        # closing: an interrupt must stop the threads now, not when the generator is collected.
        with contextlib.closing(in_order(attempt, paths, usable_cores(), ahead)) as results:
            for position, result in enumerate(results):
                if position % every == 0:
                    progress(stage, position, len(paths))
                yield position, result
        progress(stage, len(paths), len(paths))

    return contextlib.closing(results_in_order())
