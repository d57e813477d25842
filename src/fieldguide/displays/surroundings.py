"""Where Python runs: on a terminal, in a notebook, or where nobody looks."""

import os
import sys
from contextlib import AbstractContextManager
from typing import Any

from fieldguide.progress import Progress

NO_SCREENS = ("dumb", "unknown")
"""Kinds of terminals, by TERM, that cannot move a cursor."""
_NOTEBOOKS = ("ZMQInteractiveShell", "Shell")
"""Classes of IPython's shell in Jupyter and in Colab."""


def in_notebook() -> bool:
    """Whether results are shown by Jupyter; IPython is not imported to find out."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ in _NOTEBOOKS


def on_terminal() -> bool:
    """Whether standard error is a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in NO_SCREENS


def bars_here(*, always: bool = False) -> AbstractContextManager[Progress] | None:
    """Bars for where this runs; None where nobody would see them, unless they are wanted always."""
    if in_notebook():
        from fieldguide.displays.notebook_bars import NotebookBars

        return NotebookBars()
    if on_terminal() or always:
        from fieldguide.displays.console import Bars

        return Bars()
    return None
