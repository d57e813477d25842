"""Minutes: who gave them, what is left, and that a resumed run does not look at the clock again."""

import pytest

from fieldguide.errors import OptionError
from fieldguide.recipes.common import Options
from fieldguide.recipes.networks import budget
from fieldguide.recipes.networks.budget import TimeBudget, decided_once


def test_the_presets_minutes_unless_a_person_gives_others(monkeypatch):
    monkeypatch.setattr(budget.time, "perf_counter", lambda: 160.0)
    usual = TimeBudget.of(Options(), begun=100.0)
    assert usual.left() == pytest.approx(0.95 * 15 * 60 - 60)
    assert usual.summary() == "15 minutes, usual for this preset; --minutes changes it"
    asked = TimeBudget.of(Options(settings={"minutes": 1}), begun=100.0)
    assert asked.left() < 0
    assert asked.summary().startswith("1 minute, asked for")


@pytest.mark.parametrize("given", [0, -3, "many", float("nan")])
def test_minutes_are_a_number_above_0(given):
    with pytest.raises(OptionError, match="minutes: must be a number, more than 0"):
        TimeBudget.of(Options(settings={"minutes": given}), begun=0.0)


def test_a_resumed_run_takes_what_was_decided_and_another_run_does_not(tmp_path):
    folder, answers = tmp_path / "run", iter(range(1, 9))

    def decided(name, place=folder, **settings):
        options = Options(settings=settings)
        return decided_once(place, name, lambda: {"epochs": next(answers)}, options)["epochs"]

    assert decided("a") == 1
    assert decided("a", resume=True) == 1
    assert decided("a", restart=True) == 2
    assert decided("b") == 3
    assert decided("a") == 2
    assert decided("a", restart=True, resume=True) == 2
    for file in folder.iterdir():
        content = bytearray(file.read_bytes())
        content[3] ^= 1
        file.write_bytes(content)
    assert decided("b") == 4
    assert decided("b", place=None) == 5
