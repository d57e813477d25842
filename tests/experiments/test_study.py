"""A search: its budget, its failures, its batches, and what survives a kill."""

import random

import pytest

from fieldguide.errors import OptionError
from fieldguide.experiments.study import Budget, Search
from fieldguide.progress import silent
from trials_made import each

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
    return report(value) or report(value) or value


def test_it_finds_the_bottom_and_what_decides():
    search = Search(None, SPACE, 0, silent)
    assert search.run(Budget(40), each(bowl)) is False
    rows = search.rows()
    best = min((row for row in rows if row.state == "complete"), key=lambda row: row.objective)
    assert best.values["x"] == pytest.approx(0.3, abs=0.1)
    assert best.objective < 0.025  # `y` is worth 0.01, and older samplers need longer to see it
    assert {row.state for row in rows} == {"complete", "pruned"}  # some were worse than most
    importances = search.importances()
    assert importances["x"] > importances["y"]
    assert sum(importances.values()) == pytest.approx(1)


def test_the_same_seed_searches_the_same():
    def searched(seed):
        search = Search(None, SPACE, seed, silent)
        search.run(Budget(8), each(bowl))
        return [row.values for row in search.rows()]

    assert searched(0) == searched(0)
    assert searched(0) != searched(1)


def test_a_failing_setting_does_not_end_the_search_but_failures_in_a_row_do(tmp_path):
    def odd(values, report):
        if values["y"] == 2:
            raise OptionError("y: must not be 2")
        return bowl(values, report)

    search = Search(None, SPACE, 0, silent)
    search.run(Budget(6), each(odd))
    failed = [row for row in search.rows() if row.state == "failed"]
    assert failed
    assert failed[0].error == "y: must not be 2"

    def broken(values, report):
        raise ZeroDivisionError

    with pytest.raises(OptionError, match=r"5 trials failed in a row, the last: .*ZeroDivisionError"):
        Search(None, SPACE, 0, silent).run(Budget(50), each(broken))


def test_time_ends_a_search_after_the_trial_that_has_begun():
    search = Search(None, SPACE, 0, silent)
    search.run(Budget(minutes=1e-9), each(bowl))
    assert len(search.rows()) <= 1


def searched(at_once, order=lambda trials: trials, storage=None, trials=24, seed=0):
    """A search whose batches end in some order."""

    def attempt(batch):
        each(bowl)(order(list(batch)))

    search = Search(storage, SPACE, seed, silent, otherwise=at_once)
    search.run(Budget(trials), attempt)
    search.close()
    return [(row.values, row.state, row.objective) for row in search.rows() if row.error is None]


def shuffled(seed):
    chance = random.Random(seed)
    return lambda trials: chance.sample(trials, len(trials))


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_searches_the_same_in_whatever_order_its_trials_end(seed):
    found = searched(5)
    assert searched(5, shuffled(seed)) == found
    assert {state for _, state, _ in found} == {"complete", "pruned"}
    assert searched(4) != found
    assert searched(5, seed=1) != found


def test_suggestions_of_a_batch_differ():
    values = [tuple(row.items()) for row, _, _ in searched(8, trials=40)]
    assert len(set(values)) == 40


def test_trials_are_given_up_by_what_earlier_batches_reached():
    """Trials of one batch that are far worse than the others are not given up by these."""
    search = Search(None, SPACE, 0, silent, otherwise=6)
    seen = []

    def attempt(batch):
        values = [0.0, 0.0, 0.0, 0.0, 0.0, 9.0] if not seen else [9.0, 0.0, 0.0, 9.0, 0.0, 0.0]
        seen.append([trial.report(value) for trial, value in zip(batch, values, strict=True)])
        for trial, value in zip(batch, values, strict=True):
            if not trial.ended:
                trial.finish(value, 0.5)

    search.run(Budget(12), attempt)
    assert seen == [[False] * 6, [True, False, False, True, False, False]]


@pytest.mark.parametrize("after", [3, 6, 8, 13, 17])
@pytest.mark.parametrize("at_once", [1, 5])
def test_a_search_that_was_killed_in_a_batch_goes_on_as_if_it_had_not(at_once, after, tmp_path):
    asked, path, killed = [], tmp_path / "one.search", tmp_path / "killed.search"

    def attempt(batch):
        for trial in shuffled(after)(list(batch)):
            value = bowl(trial.values, trial.report)
            if not trial.ended:
                trial.finish(value, 1 - value)
            asked.append(trial)
            if len(asked) == after:  # what a kill would leave
                killed.write_bytes(path.read_bytes())

    search = Search(path, SPACE, 0, silent, otherwise=at_once)
    search.run(Budget(24), attempt)
    search.close()
    assert searched(1, storage=killed) == searched(at_once)  # 1 is what a run without a cluster takes
    assert len(killed.read_bytes()) > 0


def test_the_size_of_a_batch_is_that_of_the_search_that_is_gone_on_with(tmp_path):
    path = tmp_path / "one.search"
    searched(5, storage=path, trials=7)
    search = Search(path, SPACE, 0, silent, otherwise=1)
    assert search.at_once == 5
    search.close()
    with pytest.raises(OptionError, match=r"--at-once: must be 5, as when this search began, got 3"):
        Search(path, SPACE, 0, silent, at_once=3)
    search = Search(path, SPACE, 0, silent, at_once=5)  # nothing holds the file
    search.close()


def test_an_interrupt_keeps_what_a_batch_has_finished_and_tries_the_rest_again():
    told = []
    search = Search(None, SPACE, 0, lambda *now: told.append(now), otherwise=4)

    def attempt(batch):
        values.extend(trial.values for trial in batch)
        batch[2].finish(0.5, 0.5)
        batch[0].finish(0.25, 0.75)
        raise KeyboardInterrupt

    values = []
    assert search.run(Budget(4), attempt) is True
    assert [row.state for row in search.rows()] == ["complete", "failed", "complete", "failed"]
    assert search.rows()[1].error == "stopped before it was finished"
    assert told[-2:] == [("trials", 1, 4), ("trials", 2, 4)]
    assert search.run(Budget(4), each(bowl)) is False
    again = search.rows()[4:]
    assert [row.values for row in again] == [values[1], values[3]]
