"""Which ways are looked at: those asked for, or those that there is time for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from auto_made import trial
from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.recipes.auto import search as module
from fieldguide.recipes.auto.candidates import CandidateMaterial, NoTime, OmittedCandidate, PossibleCandidate
from fieldguide.recipes.auto.search import STEPS, CandidateSearch, asked_steps
from fieldguide.recipes.common import Options, Run

LABELS = np.arange(40) % 2


def possible(name, seconds, right=0.8):
    fitted = trial(name, np.arange(40), LABELS, np.where(np.arange(40) < 30, right, 0.4)).fitted
    return lambda *_: PossibleCandidate(name, seconds, lambda: fitted)


@pytest.fixture
def material():
    paths = tuple(f"{number}.jpg" for number in range(40))
    dataset = Dataset(Path(), paths, tuple("ab"[number] for number in LABELS))
    return CandidateMaterial(dataset, Options(), Run(), lambda: 100.0)


@pytest.fixture
def search(material, monkeypatch):
    right = np.where(np.arange(40) < 30, 0.7, 0.4)
    monkeypatch.setattr(module, "first", lambda _: trial("first", np.arange(40), LABELS, right))

    def made(*steps, **changes):
        monkeypatch.setattr(module, "STEPS", steps)
        return CandidateSearch(replace(material, **changes))

    return made


def names(search):
    return [one.name for one in search.trials]


def test_what_does_not_fit_into_the_time_is_passed_over_and_said(search):
    running = search(
        possible("long", 101.0), possible("short", 99.0), lambda *_: NoTime(), possible("last", 1.0)
    )
    running.run(None)
    assert names(running) == ["first", "short", "last"]
    counted, passed_over = running.summary()
    assert counted.startswith("2 of 4 ways looked at after the first; --set candidates=24 looks at the same")
    assert passed_over == "not tried: long: would take some 101 s, and 100 s are left"


def test_what_is_asked_for_is_looked_at_whatever_the_clock_says(search):
    steps = (possible("long", 101.0), possible("short", 99.0), lambda *_: OmittedCandidate("why"))
    running = search(*steps, left=lambda: -5.0, by_clock=False)
    running.run((1, 3))
    assert names(running) == ["first", "long"]
    assert running.summary()[1:] == ("not tried: why",)
    nothing = search(*steps)
    nothing.run(())
    assert names(nothing) == ["first"]
    assert "candidates=0 looks" in nothing.summary()[0]


def test_once_the_time_is_over_nothing_is_looked_at(search):
    running = search(lambda *_: pytest.fail("it was looked at"), left=lambda: 0.5)
    running.run(None)
    assert names(running) == ["first"]


@pytest.mark.parametrize("value", [-1, 12.5, 21, 11, 102, "many", True, float("nan"), 10**12])
def test_numbers_that_name_no_ways_are_refused(value):
    with pytest.raises(OptionError, match="candidates: must be 0, or numbers of ways from 1 to 9 as digits"):
        asked_steps(Options(settings={"candidates": value}))


def test_each_way_has_a_digit():
    assert len(STEPS) == 9
    assert asked_steps(Options()) is None
    assert asked_steps(Options(settings={"candidates": 123456789})) == tuple(range(1, 10))
