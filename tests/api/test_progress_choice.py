"""Progress: a callback, bars, or silence."""

import sys

import pytest

import fieldguide
from fieldguide.api.progress_choice import shown
from fieldguide.progress import silent


def test_a_callback_is_called(photos):
    told = []
    fieldguide.open_dataset(photos, progress=lambda *step: told.append(step))
    assert ("scan", 37, 37) in told


@pytest.mark.parametrize("choice", [None, False])
def test_nothing_is_shown_where_nobody_looks(photos, capsys, choice):
    with shown(choice) as progress:
        assert progress is silent
    fieldguide.open_dataset(photos, progress=choice)
    assert capsys.readouterr() == ("", "")


def test_bars_are_shown_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with shown(None) as progress:
        assert type(progress).__name__ == "Bars"
    with shown(False) as progress:
        assert progress is silent
