"""A command in a pseudo-terminal, and the screen that a person then sees, as pyte renders it."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import pyte

SOURCES = Path(__file__).parents[2] / "src"
CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
SCROLLED = 20_000
"""Lines that are kept of what has scrolled out at the top."""


@dataclass(frozen=True)
class Seen:
    """What a command left on the terminal."""

    code: int
    lines: list[str]
    """All of it, also what has scrolled out."""
    bars: int
    """Times that a bar was drawn."""
    cursor_hidden: bool
    longest_silence: float
    """Seconds for which neither a bar nor a line was drawn, at most."""

    written: str
    """All that was written, with its control characters."""

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def packed(self):
        """Without white space: lines that the terminal wrapped are whole again."""
        return "".join(self.text.split())


def run_in_terminal(command, *, columns=100, rows=30, cwd=None, seconds=300, **environment):
    """Run a command line in a pseudo-terminal of this size, and look at the screen when it has ended."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    names = {"TERM": "xterm-256color", "PYTHONPATH": str(SOURCES), **environment}
    surroundings = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=cwd,
        env=surroundings | names,
        start_new_session=True,
    )
    os.close(slave)
    try:
        written, silence = _read(master, time.monotonic() + seconds)
        code = process.wait(timeout=30)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    finally:
        os.close(master)
    return _seen(code, written, silence, columns, rows)


def fieldguide(*arguments):
    """The command line of fieldguide, in a process of its own."""
    return [sys.executable, "-m", "fieldguide", *arguments]


def _read(master, deadline):
    parts, silence, last = [], 0.0, time.monotonic()
    while True:
        ready, _, _ = select.select([master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(b"".join(parts)[-2000:].decode(errors="replace"))
        try:
            part = os.read(master, 65536)
        except OSError:  # Linux says so once nobody holds the other side
            part = b""
        now = time.monotonic()
        if not part or re.search(rb"\w", CONTROL.sub(b"", part)):
            silence, last = max(silence, now - last), now
        if not part:
            return b"".join(parts), silence
        parts.append(part)


def _seen(code, written, silence, columns, rows):
    screen = pyte.HistoryScreen(columns, rows, history=SCROLLED)
    pyte.ByteStream(screen).feed(written)
    lines = [_row(row, columns) for row in (*screen.history.top, *(screen.buffer[n] for n in range(rows)))]
    while lines and not lines[-1]:
        lines.pop()
    whole = written.decode(errors="replace")
    return Seen(code, lines, whole.count("so far"), screen.cursor.hidden, silence, whole)


def _row(cells, columns):
    return "".join(cells[column].data for column in range(columns)).rstrip()
