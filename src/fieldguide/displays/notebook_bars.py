"""Bars below a cell of a notebook, of HTML alone: no widgets, no extension, and gone at the end.

Jupyter shows one piece of HTML and replaces it (a display with an id), at most five times a second.
"""

import html
import importlib
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from fieldguide.learning.history_line import line
from fieldguide.plain_text import escaped

SECONDS_BETWEEN_PICTURES = 0.2


class NotebookBars:
    """Bars of the stages that are being worked on; a :class:`~fieldguide.progress.Progress` to call."""

    def __init__(self) -> None:
        self._stages: dict[str, tuple[float, int, int | None]] = {}
        self._handle: Any = None
        self._drawn = 0.0
        self._losses: list[float] = []
        self._epoch = ""

    def __enter__(self) -> "NotebookBars":
        display = importlib.import_module("IPython.display").display  # there, where Jupyter is
        self._handle = display({"text/plain": ""}, raw=True, display_id=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stages.clear()
        self._epoch = ""
        self._draw()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Move a stage's bar; one that is done disappears, and if it comes again is timed anew."""
        if total is not None and done >= total:
            self._stages.pop(stage, None)
        else:
            begun = self._stages[stage][0] if stage in self._stages else time.monotonic()
            self._stages[stage] = (begun, done, total)
        if time.monotonic() - self._drawn >= SECONDS_BETWEEN_PICTURES:
            self._draw()

    def report(self, row: Mapping[str, float]) -> None:
        """Show a pass of training below the bars, with what is left of the time."""
        self._losses.append(row["validation_loss"])
        self._epoch = f"<div>{html.escape(line(row, self._losses))}</div>"
        self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        whole = "".join(_bar(stage, *state, now=self._drawn) for stage, state in self._stages.items())
        self._handle.update({"text/html": f"<div>{whole}{self._epoch}</div>", "text/plain": ""}, raw=True)


def _bar(stage: str, begun: float, done: int, total: int | None, *, now: float) -> str:
    name = html.escape(escaped(stage))
    if total is None:
        return f'<div><progress style="width:14em"></progress> {name}: {done:,}</div>'
    left = f", about {(now - begun) / done * (total - done):,.0f} s left" if done else ""
    bar = f'<progress style="width:14em" value="{done}" max="{total}"></progress>'
    return f"<div>{bar} {name}: {done:,} of {total:,}{left}</div>"
