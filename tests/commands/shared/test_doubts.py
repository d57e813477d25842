"""Doubts on the terminal: said, and grave ones stop where a person sits before it."""

import sys
from pathlib import Path

import pytest

from fieldguide.commands.shared.doubts import begin
from fieldguide.data.dataset import Dataset
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.errors import DataError


def dataset(*doubts):
    return Dataset(Path("photos"), ("a.jpg", "b.jpg"), ("cat", "dog"), doubts=doubts)


GRAVE = Doubt("class_like_split", "'train' is learned as a class", grave=True)
LIGHT = Doubt("column_guessed", "two columns may be the label")


@pytest.fixture
def on_terminal(monkeypatch):
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)


def test_a_pipe_goes_on(capsys):
    begin(dataset(GRAVE, LIGHT), yes=False)
    err = capsys.readouterr().err
    assert err.splitlines() == [
        "2 photos of 2 classes: cat 1, dog 1",
        "no splits: all of them are learned from",
        "left out: nothing",
        "serious doubt: 'train' is learned as a class",
        "doubt: two columns may be the label",
    ]


def test_a_terminal_stops_at_a_grave_doubt_and_names_the_option(on_terminal):
    with pytest.raises(
        DataError,
        match=r"'train' is learned as a class; correct it, or give --yes to continue",
    ):
        begin(dataset(LIGHT, GRAVE), yes=False)


def test_a_terminal_goes_on_with_yes_and_with_lighter_doubts(on_terminal):
    begin(dataset(GRAVE), yes=True)
    begin(dataset(LIGHT), yes=False)
