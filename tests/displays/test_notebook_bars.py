"""Bars in Jupyter, with a stand-in for IPython that keeps what it was asked to show."""

import sys
from types import ModuleType

import pytest

from fieldguide.displays import notebook_bars
from fieldguide.displays.notebook_bars import NotebookBars


@pytest.fixture
def pictures(monkeypatch):
    seen = []

    class Handle:
        def update(self, data, raw):
            seen.append(data["text/html"])

    module = ModuleType("IPython.display")
    module.display = lambda data, raw, display_id: Handle()
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(notebook_bars, "SECONDS_BETWEEN_PICTURES", 0.0)
    return seen


def test_bars_come_move_and_go(pictures):
    with NotebookBars() as progress:
        progress("reading <b>", 1, 4)
        assert 'value="1" max="4"' in pictures[-1] and "reading &lt;b&gt;: 1 of 4, about" in pictures[-1]
        progress("scan", 7, None)
        assert "scan: 7" in pictures[-1] and pictures[-1].count("<progress") == 2
        progress("reading <b>", 4, 4)
        assert pictures[-1].count("<progress") == 1
    assert pictures[-1] == "<div></div>"


def test_not_every_step_is_drawn(pictures, monkeypatch):
    monkeypatch.setattr(notebook_bars, "SECONDS_BETWEEN_PICTURES", 60.0)
    with NotebookBars() as progress:
        for done in range(1000):
            progress("reading", done, 1000)
    assert len(pictures) <= 2


def test_a_pass_of_training_is_shown_below_the_bars_while_they_are_there(pictures):
    row = {"epoch": 2, "train_loss": 0.5, "validation_loss": 0.25, "validation_accuracy": 0.9}
    with NotebookBars() as progress:
        progress("training", 8, 36)
        progress.report({**row, "epochs": 9, "seconds_left": 400.0, "seconds_allowed": 900.0})
        progress("training", 9, 36)
        assert "epoch 2 of 9: loss 0.500" in pictures[-1] and "7 of 15 min left" in pictures[-1]
    assert pictures[-1] == "<div></div>"
