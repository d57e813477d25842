"""One console through which bars and text both go, so that neither is written over the other.

While bars are shown, standard output and standard error are stand-ins: whatever is written to them, by a
command, a library or Python's warnings, appears in whole lines above the bars. rich (MIT) draws both; it
knows how high the bars are and where the cursor stands. Its own redirection is not used, for it breaks long
lines at words: a command that is shown must be one that can be copied. Nor is its thread: two threads that
draw at once each move the cursor by what the other has not drawn yet, so one lock stands before all of it.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TaskID, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Column
from rich.text import Text

from fieldguide.plain_text import escaped

NAMES = ("stdout", "stderr")
SECONDS_BETWEEN_PICTURES = 0.1
"""The bars are drawn anew so often."""
SECONDS_WITHOUT_A_BAR = 1.0
"""After which a bar says that work goes on, where no stage tells of itself."""
BETWEEN_STAGES = "working"
ROOM_FOR_NUMBERS = 52
"""Columns that the shortest bar, the count and the times take; what is left is the stage's name's."""


class Bars:
    """Bars of the stages that are being worked on; those that are done disappear, and at the end all do.

    A :class:`~fieldguide.progress.Progress` to call, within a ``with`` block; standard error is a terminal.
    """

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
        longest = max(self._console.width - ROOM_FOR_NUMBERS, 12)
        name = Column(no_wrap=True, overflow="ellipsis", max_width=longest)
        self._bars = RichProgress(
            TextColumn("{task.description}", markup=False, table_column=name),
            BarColumn(bar_width=20),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            _Times(table_column=Column(no_wrap=True)),
            console=self._console,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[str, TaskID] = {}
        self._idle = self._bars.add_task(BETWEEN_STAGES, total=None, visible=False)
        self._last_seen = time.monotonic()
        self._lock, self._over = threading.RLock(), threading.Event()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Bars":
        self._stack.enter_context(_text_above(self._console, self._lock))
        self._bars.start()
        self._stack.callback(self._stop)
        painter = threading.Thread(target=self._paint, daemon=True, name="bars")
        painter.start()
        self._stack.callback(painter.join)
        self._stack.callback(self._over.set)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Move a stage's bar; one that comes again is timed anew."""
        with self._lock:
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(escaped(stage), total=total, completed=done)
            task = self._tasks[stage]
            ended = total is not None and done >= total
            if not ended and not self._bars.tasks[task].visible:
                self._bars.reset(task, total=total, completed=done)
            self._bars.update(task, completed=done, total=total, visible=not ended)

    def _stop(self) -> None:
        # rich draws all bars once more before it takes them away; more than fit would stay.
        for task in self._bars.tasks[1:]:
            self._bars.update(task.id, visible=False)
        self._bars.stop()

    def _paint(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_PICTURES):
            with self._lock:
                self._fill_the_gap()
                self._bars.refresh()

    def _fill_the_gap(self) -> None:
        """Show a bar of its own while no stage has one, so that no step looks like one that hangs."""
        if any(task.visible for task in self._bars.tasks if task.id != self._idle):
            self._last_seen = time.monotonic()
            self._bars.update(self._idle, visible=False)
            return
        long_enough = time.monotonic() - self._last_seen >= SECONDS_WITHOUT_A_BAR
        if long_enough and not self._bars.tasks[self._idle].visible:
            self._bars.reset(self._idle, total=None, visible=True)


class _Times(ProgressColumn):
    """``0:12, 0:30 left``: numbers that say what they are."""

    def render(self, task: Task) -> Text:
        """Write how long a stage has taken, and will take."""
        so_far = f"{_clock(task.elapsed or 0)} so far"
        left = "" if task.time_remaining is None else f", {_clock(task.time_remaining)} left"
        return Text(so_far + left, style="dim")


class _Stream:
    """Stands in for a standard stream: whole lines are shown above the bars."""

    def __init__(self, stream: TextIO, console: Console, lock: threading.RLock) -> None:
        self.stream, self._console, self._lock, self._begun = stream, console, lock, ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Show the lines that are whole, keep the rest."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            if lines:
                # Not wrapped: the terminal does that itself, and what is copied from it stays one line.
                self._console.print(*map(Text.from_ansi, lines), sep="\n", soft_wrap=True)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """A line that is not whole stays where it is: the bars would be drawn into it."""

    def end(self) -> None:
        """Write what is no whole line, now that nothing is drawn below it."""
        self.stream.write(self._begun)
        self.stream.flush()


@contextlib.contextmanager
def _text_above(console: Console, lock: threading.RLock) -> Iterator[None]:
    """Have everything that goes to this terminal go through its console."""
    before = {name: getattr(sys, name) for name in NAMES}
    stand_ins = {
        name: _Stream(stream, console, lock)
        for name, stream in before.items()
        if _is_shared(stream, before["stderr"])
    }
    for name, stream in stand_ins.items():
        setattr(sys, name, cast(TextIO, stream))
    try:
        yield
    finally:
        for name, stream in stand_ins.items():
            if getattr(sys, name) is stream:
                setattr(sys, name, before[name])
            stream.end()


def _is_shared(stream: TextIO, errors: TextIO) -> bool:
    """Whether a stream shows on the terminal on which the bars are."""
    if stream is errors:
        return True
    try:
        if not stream.isatty():
            return False
        return not hasattr(os, "ttyname") or os.ttyname(stream.fileno()) == os.ttyname(errors.fileno())
    except (OSError, ValueError):  # no terminal of the system's: a stream that somebody else has put there
        return False


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
