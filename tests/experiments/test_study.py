"""A search: its budget, its failures, and what survives a kill."""

import pytest

from fieldguide.errors import OptionError
from fieldguide.experiments.study import Budget, Search
from fieldguide.progress import silent

SPACE = {"x": {"low": 0.0, "high": 1.0}, "y": {"choices": (1, 2)}}


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (Budget(), "trials or minutes, got both or neither"),
        (Budget(3, 3), "got both"),
        (Budget(0), "more than 0"),
        (Budget(minutes=float("nan")), "more than 0"),
    ],
)
def test_a_budget_is_one(budget, message):
    with pytest.raises(OptionError, match=message):
        budget.check()


def bowl(values, report):
    value = (values["x"] - 0.3) ** 2 + 0.01 * values["y"]
    report(0, value)
    report(1, value)
    return {"objective": value, "accuracy": 1 - value}


def test_it_finds_the_bottom_and_what_decides():
    search = Search(None, SPACE, 0, silent)
    assert search.run(Budget(40), bowl) is False
    rows = search.rows()
    best = min((row for row in rows if row.state == "complete"), key=lambda row: row.objective)
    assert best.values["x"] == pytest.approx(0.3, abs=0.1)
    assert best.values["y"] == 1
    assert {row.state for row in rows} == {"complete", "pruned"}  # some were worse than most
    importances = search.importances()
    assert importances["x"] > importances["y"]
    assert sum(importances.values()) == pytest.approx(1)


def test_the_same_seed_searches_the_same():
    def searched(seed):
        search = Search(None, SPACE, seed, silent)
        search.run(Budget(8), bowl)
        return [row.values for row in search.rows()]

    assert searched(0) == searched(0)
    assert searched(0) != searched(1)


def test_a_failing_setting_does_not_end_the_search_but_failures_in_a_row_do(tmp_path):
    def odd(values, report):
        if values["y"] == 2:
            raise OptionError("y: must not be 2")
        return bowl(values, report)

    search = Search(None, SPACE, 0, silent)
    search.run(Budget(6), odd)
    failed = [row for row in search.rows() if row.state == "failed"]
    assert failed
    assert failed[0].error == "y: must not be 2"

    def broken(values, report):
        raise ZeroDivisionError

    with pytest.raises(OptionError, match=r"5 trials failed in a row, the last: ZeroDivisionError"):
        Search(None, SPACE, 0, silent).run(Budget(50), broken)


def test_time_ends_a_search_after_the_trial_that_has_begun():
    search = Search(None, SPACE, 0, silent)
    search.run(Budget(minutes=1e-9), bowl)
    assert len(search.rows()) <= 1
