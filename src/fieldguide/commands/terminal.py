"""What a person sees: lines on standard output and standard error, and progress while they wait.

Results go to standard output, everything else to standard error. Whatever comes from file names or class
names is shown with control, escape and bidirectional characters spelled out, so that a name cannot move the
cursor, rename the window or hide its own ending.
"""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence

from fieldguide.displays.surroundings import on_terminal
from fieldguide.plain_text import escaped as escaped
from fieldguide.progress import Progress

SECONDS_BETWEEN_LINES = 5.0
"""Where there is no terminal, a stage of work reports at most this often, and when it ends."""


def show(*cells: str) -> None:
    """Write one line of results; several cells are separated by tabs."""
    sys.stdout.write("\t".join(escaped(cell) for cell in cells) + "\n")


def say(text: str) -> None:
    """Write one line that is not a result."""
    sys.stderr.write(escaped(text) + "\n")
    sys.stderr.flush()


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Write rows as aligned columns, the first being their headings."""
    shown = [[escaped(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """A callback that shows bars with an estimate on a terminal and plain lines elsewhere.

    While there are bars, what is written to either standard stream appears above them.
    """
    if not on_terminal():
        yield _PlainLines()
        return
    from fieldguide.displays.console import Bars

    with Bars() as bars:
        yield bars


class _PlainLines:
    """Progress for logs: few lines, each complete in itself."""

    def __init__(self) -> None:
        self.started: dict[str, float] = {}
        self.spoken = time.monotonic()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        begun = self.started.setdefault(stage, now)
        if done != total and now - self.spoken < SECONDS_BETWEEN_LINES:
            return
        self.spoken = now
        if done == total:  # a stage may come again, and is then timed anew
            del self.started[stage]
        say(
            f"{stage}: {done}"
            if total is None
            else f"{stage}: {done} of {total}{_ending(begun, now, done, total)}"
        )


def _ending(begun: float, now: float, done: int, total: int) -> str:
    if done >= total:
        return f", {now - begun:.1f} s"
    return f", about {(now - begun) / done * (total - done):.0f} s left" if done else ""
