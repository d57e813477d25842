import sys
from types import SimpleNamespace

import pytest

from fieldguide.displays.surroundings import bars_here, in_notebook, on_terminal


def shell(name):
    return SimpleNamespace(get_ipython=type(name, (), {}))


@pytest.mark.parametrize(
    ("name", "notebook"), [("ZMQInteractiveShell", True), ("TerminalInteractiveShell", False)]
)
def test_jupyter_is_told_from_a_terminal(monkeypatch, name, notebook):
    monkeypatch.setitem(sys.modules, "IPython", shell(name))
    assert in_notebook() is notebook
    assert (type(bars_here()).__name__ == "NotebookBars") is notebook


def test_without_ipython_it_is_no_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook() and "IPython" not in sys.modules


@pytest.mark.parametrize(("kind", "shown"), [("xterm", True), ("dumb", False)])
def test_bars_need_a_terminal_that_moves_its_cursor(monkeypatch, kind, shown):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", kind)
    assert on_terminal() is shown
    assert (bars_here() is not None) is shown
    assert bars_here(always=True) is not None
