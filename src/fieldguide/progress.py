"""How long work tells of its progress: a callback, so that library code never prints."""

from typing import Protocol


class Progress(Protocol):
    """Called now and then from the thread that does the work; must return quickly."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Report that `done` of `total` items of `stage` are finished; `total` is None where unknown."""


def silent(stage: str, done: int, total: int | None) -> None:
    """The default callback: says nothing."""
