"""Progress as JSON lines in a file, so that one process can watch another.

Lines are ``{"stage": "features", "done": 40, "total": 372, "time": 1700000000.0}`` and, for recipes that have
epochs, ``{"history": {"epoch": 1, …}}``.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SECONDS_BETWEEN_LINES = 0.2
"""At most so often, but for the first and last line of a stage."""


class ProgressFile:
    """A :class:`fieldguide.progress.Progress` that writes lines.

    Parameters
    ----------
    file
        Open for writing bytes; None writes nothing.
    """

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file
        self._stage = ""
        self._last = 0.0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Write a line, unless one was written just now."""
        now = time.monotonic()
        if stage == self._stage and done != total and now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._stage, self._last = stage, now
        self._write({"stage": stage, "done": done, "total": total, "time": round(time.time(), 3)})

    def report(self, row: Mapping[str, float]) -> None:
        """Write a row of the history."""
        self._write({"history": dict(row)})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        self._file.write(json.dumps(line).encode("ascii") + b"\n")
        self._file.flush()


@dataclass(frozen=True)
class Stage:
    """A stage of the work, as its lines tell."""

    name: str
    done: int
    total: int | None
    seconds_left: float | None
    """From the pace until now; None where nothing can be said."""


@dataclass(frozen=True)
class RecordedProgress:
    """What a file of progress tells."""

    stages: tuple[Stage, ...]
    """In the order in which they began."""
    history: tuple[dict[str, float], ...]


def read_progress(path: Path) -> RecordedProgress:
    """Read what was written so far; a missing file and a line cut in the middle tell nothing."""
    begun: dict[str, tuple[float, int]] = {}
    stages: dict[str, Stage] = {}
    history = []
    for line in _lines(path):
        if isinstance(line.get("history"), dict):
            history.append(line["history"])
        elif isinstance(line.get("stage"), str):
            name, done, now = line["stage"], int(line["done"]), float(line["time"])
            started, first = begun.setdefault(name, (now, done))
            if done < first:  # a stage that comes again is timed anew
                started, first = begun[name] = (now, done)
            stages[name] = Stage(name, done, line["total"], _left(now - started, done - first, line))
    return RecordedProgress(tuple(stages.values()), tuple(history))


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_bytes()
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [line for line in found if isinstance(line, dict)]


def _left(seconds: float, done: int, line: Mapping[str, Any]) -> float | None:
    total = line["total"]
    if total is None or done <= 0 or seconds <= 0:
        return None
    return seconds / done * (int(total) - int(line["done"]))
