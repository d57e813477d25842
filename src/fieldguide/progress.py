"""How long work tells of its progress: a callback, so that library code never prints."""

from typing import Protocol


class Progress(Protocol):
    """Called now and then from the thread that does the work; must return quickly.

    Examples
    --------
    >>> from fieldguide.images.read_ahead import read_ahead
    >>> def tell(stage, done, total):
    ...     print(f"{stage}: {done} of {total}")
    >>> with read_ahead(len, ["a.jpg", "b.jpg"], stage="reading", progress=tell) as stream:
    ...     lengths = list(stream)
    reading: 0 of 2
    reading: 1 of 2
    reading: 2 of 2
    """

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Report that `done` of `total` items of `stage` are finished; `total` is None where unknown."""


def silent(stage: str, done: int, total: int | None) -> None:
    """The default callback: says nothing."""
