"""`fieldguide compare`: the table and the lines beside it."""

import argparse
from types import SimpleNamespace

import pytest

from compared_made import row
from fieldguide.commands.compare import _report, curve_lines, names
from fieldguide.experiments.comparison import Comparison
from fieldguide.metrics.intervals import Interval


def test_names_are_separated_by_commas_and_come_once():
    assert names("a, b,a") == ["a", "b"]
    with pytest.raises(argparse.ArgumentTypeError, match="must be names separated by commas; got 'a,,b'"):
        names("a,,b")


def test_a_curve_is_a_line_a_point_and_a_sentence():
    points = [SimpleNamespace(images=40.0, accuracy=Interval(0.5, 0.25, 0.75), measure="accuracy")]
    curve = SimpleNamespace(candidate=SimpleNamespace(name="probe"), points=points, sentence="Enough.")
    assert curve_lines(curve) == [
        "images learned from, and accuracy, probe",
        "        40  0.500  (0.250 to 0.750)",
        "Enough.",
    ]


@pytest.fixture
def result():
    rows = (row("first \x1b[2J", 90, 0.2, 12.0), row("second", 80, 0.1, 3.25))
    return Comparison(100, 5, 0, ("a", "b"), rows, (), "second", "because", (), 3)


def test_the_table_shows_what_each_reached_and_what_is_recommended(result, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "140")
    assert _report(result, SimpleNamespace(json=None)) == 0
    told = capsys.readouterr()
    assert "0.900 (" in told.out and "200 ms" in told.out and "12 MB" in told.out and "3.2 MB" in told.out
    assert "recommended: second, because" in told.out
    assert "\x1b" not in told.out.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert "3 folds were taken from earlier runs" in told.err


def test_on_a_narrow_terminal_fewer_figures_are_shown(result, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    _report(result, SimpleNamespace(json=None))
    shown = capsys.readouterr().out
    assert "macro F1" not in shown and "accuracy" in shown
