"""The search: never worse than the recipe as it comes, honest about its winner, stopped and gone on with."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fieldguide import cli
from fieldguide import tune as tune_module
from fieldguide.dataset import open_dataset
from fieldguide.errors import DataError, OptionError, OutputError
from fieldguide.intervals import Interval
from fieldguide.predictor import load
from fieldguide.progress import silent
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Setting
from fieldguide.search_space import candidate_for, search_space
from fieldguide.selection import corrected
from fieldguide.study import Budget, Search
from fieldguide.tune import TuneOptions, tune

SPACE = {"x": {"low": 0.0, "high": 1.0}, "y": {"choices": (1, 2)}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), {"red": 7, "green": 6, "grey": 6})


@pytest.fixture
def photos(folder, tiny_hub):
    with open_dataset(folder) as dataset:
        yield dataset


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setitem(linear_probe.SEARCH, "size", {"choices": (64, 96)})
    return TuneOptions(
        tmp_path,
        tmp_path / "model.onnx",
        setting=Setting("test_efficientnet"),
        budget=Budget(trials=3),
        folds=2,
        cache=tmp_path / "cache",
    )


# --- the winner's luck


def test_the_luck_of_the_winner_is_taken_out():
    """Fifty settings, all right with chance 0.7: the best shows more, the corrected score does not."""
    rng = np.random.default_rng(0)
    shown, told, held = [], [], 0
    for _ in range(20):
        right = rng.random((50, 150)) < 0.7
        errors = 1.0 - right
        shown.append(right.mean(axis=1).max())
        result = corrected(errors, right, errors, np.arange(150))
        told.append(result.accuracy.value)
        held += result.accuracy.low <= 0.7 <= result.accuracy.high
    assert np.mean(shown) > 0.76
    assert np.mean(told) == pytest.approx(0.7, abs=0.015)
    assert held >= 18


def test_a_setting_that_is_really_better_keeps_its_score():
    rng = np.random.default_rng(1)
    right = rng.random((20, 400)) < np.r_[0.9, np.full(19, 0.6)][:, None]
    result = corrected(1.0 - right, right, 1.0 - right, np.arange(400))
    assert result.accuracy.value == pytest.approx(right[0].mean(), abs=0.005)
    assert result.log_loss.value == pytest.approx(1 - right[0].mean(), abs=0.005)


def test_what_choosing_gains_is_more_than_nothing_only_where_a_setting_is_really_better():
    """The first setting is to be beaten by nineteen others: by alike ones on paper only, by a better one."""
    rng = np.random.default_rng(3)
    gains = []
    for _ in range(20):
        errors = 1.0 - (rng.random((20, 200)) < 0.7)
        assert errors.mean(axis=1).argmin() != 0
        gains.append(corrected(errors, errors == 0, errors, np.arange(200)).gain.value)
    assert np.mean(gains) == pytest.approx(0, abs=0.02)
    errors = 1.0 - (rng.random((20, 200)) < np.r_[0.7, 0.9, np.full(18, 0.7)][:, None])
    gain = corrected(errors, errors == 0, errors, np.arange(200)).gain
    assert gain.low > 0
    assert gain.value == pytest.approx(errors[0].mean() - errors[1].mean(), abs=0.01)


def test_copies_of_an_image_are_drawn_together():
    rng = np.random.default_rng(2)
    right = np.repeat(rng.random((50, 40)) < 0.7, 10, axis=1)
    together = corrected(1.0 - right, right, 1.0 - right, np.repeat(np.arange(40), 10))
    believed = corrected(1.0 - right, right, 1.0 - right, np.arange(400))
    assert believed.accuracy.value > together.accuracy.value + 0.05


# --- what is searched


def test_what_is_fixed_is_not_searched():
    assert set(search_space("linear-probe", Setting())) == {"backbone", "size", "shrinkage"}
    assert set(search_space("linear-probe", Setting("a", options={"size": 96}))) == {"shrinkage"}
    fixed = Setting("a", options={"size": 96, "shrinkage": 0.5})
    with pytest.raises(OptionError, match=r"linear-probe has nothing to search here"):
        search_space("linear-probe", fixed)


def test_values_become_settings_and_options():
    candidate = candidate_for("linear-probe", Setting(seed=4), {"backbone": "b", "shrinkage": 0.5})
    assert candidate.setting == Setting("b", seed=4, options={"shrinkage": 0.5})
    assert candidate.name == "linear-probe backbone b, shrinkage 0.5"
    assert candidate_for("linear-probe", Setting(), {}).name == "linear-probe as it comes"


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


# --- the study


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


KILLED = """
import os, signal, sys
from pathlib import Path
from fieldguide.progress import silent
from fieldguide.study import Budget, Search
def attempt(values, report):
    report(0, values["x"])
    if len(search.rows()) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"objective": values["x"], "accuracy": 0.5}
search = Search(Path(sys.argv[1]), {"x": {"low": 0.0, "high": 1.0}}, 0, silent)
search.run(Budget(10), attempt)
"""


def test_a_killed_search_goes_on_with_the_trial_that_was_running(tmp_path):
    path = tmp_path / "search.sqlite3"
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    search = Search(path, {"x": {"low": 0.0, "high": 1.0}}, 0, silent)
    kept = search.rows()
    assert [row.state for row in kept[:4]] == ["complete"] * 3 + ["failed"]
    search.run(Budget(6), lambda values, report: {"objective": values["x"], "accuracy": 0.5})
    rows = search.rows()
    assert sum(row.state == "complete" for row in rows) == 6
    assert rows[4].values == rows[3].values
    assert len({row.values["x"] for row in rows}) == 6


# --- the whole line


def test_it_writes_the_winner_as_a_model_file(photos, options):
    seen = []
    setting = dataclasses.replace(options.setting, progress=lambda *step: seen.append(step))
    result = tune(photos, dataclasses.replace(options, setting=setting))
    choice = result.choice
    assert choice.best.log_loss <= choice.default.log_loss
    assert choice.expected.settings == 1 + sum(row.state == "complete" for row in result.trials)
    assert ("trials", 3, 3) in seen
    model = load(options.out)
    assert model.card["recipe"] == "linear-probe"
    if choice.values:
        assert f"{choice.values['size']} × {choice.values['size']}" in " ".join(model.card["choices"])
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["train"]["model"] == str(options.out)


def test_what_could_not_be_written_in_the_end_stops_the_search_before_it_begins(photos, options, tmp_path):
    chosen = dataclasses.replace(options, out=tmp_path / "gone" / "model.onnx")
    with pytest.raises(OutputError, match="no such folder"):
        tune(photos, chosen)
    longer = tuple("x" * 1001 if label == photos.classes[0] else label for label in photos.labels)
    with pytest.raises(DataError, match="1 to 1,000 characters"):
        tune(dataclasses.replace(photos, labels=longer), options)
    assert not (tmp_path / "cache").exists()


def test_a_search_that_finds_nothing_better_hands_back_the_recipe_as_it_comes(photos, options, monkeypatch):
    table = {"shrinkage": {"low": 0.0001, "high": 0.001}}
    monkeypatch.setattr(linear_probe, "SEARCH", table)
    monkeypatch.setattr(
        "fieldguide.tune._log_losses", lambda outcomes: np.arange(len(outcomes.truth), dtype=float)
    )
    result = tune(photos, options)
    assert result.choice.values == {}
    assert result.choice.winner.name == "linear-probe as it comes"
    assert result.choice.best.log_loss == result.choice.default.log_loss
    assert options.out.exists()


@pytest.mark.parametrize(("gain", "taken"), [(-0.001, False), (0.0, False), (0.001, True)])
def test_a_winner_by_luck_is_not_taken(photos, options, monkeypatch, gain, taken):
    monkeypatch.setattr(linear_probe, "SEARCH", {"shrinkage": {"low": 0.3, "high": 0.9}})
    choose = tune_module._choose

    def choose_from(*arguments):
        losses = iter((1.0, 0.9, 0.8, 0.7))  # on paper each setting is better than the one before
        monkeypatch.setattr(
            "fieldguide.tune._log_losses", lambda outcomes: np.full(len(outcomes.truth), next(losses, 0.0))
        )
        return choose(*arguments)

    monkeypatch.setattr("fieldguide.tune._choose", choose_from)

    def told(*arguments):
        return dataclasses.replace(corrected(*arguments), gain=Interval(gain, gain, gain))

    monkeypatch.setattr("fieldguide.tune.corrected", told)
    result = tune(photos, options)
    assert bool(result.choice.values) is taken


def test_an_interrupt_ends_the_search_and_not_the_work(photos, options):
    def stop(stage, done, total):
        if (stage, done) == ("trials", 2):
            raise KeyboardInterrupt

    setting = dataclasses.replace(options.setting, progress=stop)
    result = tune(photos, dataclasses.replace(options, setting=setting))
    assert result.interrupted
    assert len(result.trials) == 2
    assert load(options.out).classes == ("green", "grey", "red")
    again = tune(photos, dataclasses.replace(options, resume=True))
    assert len(again.trials) == 3
    assert again.trials[0].values == result.trials[0].values
    anew = tune(photos, options)
    assert len(anew.trials) == 3
    with pytest.raises(OptionError, match=r"resume: needs a cache folder"):
        tune(photos, dataclasses.replace(options, resume=True, cache=None))


def test_only_the_training_split_is_searched_on(photos, options, monkeypatch):
    splits = tuple("validation" if number % 3 == 0 else "train" for number in range(len(photos)))
    result = tune(dataclasses.replace(photos, splits=splits), options)
    assert result.choice.best.n == splits.count("train")
    assert result.trained.validation.n == splits.count("validation")


def test_the_command_tells_what_was_found(folder, tiny_hub, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(linear_probe.SEARCH, "size", {"choices": (64, 96)})
    out, plot, table = (tmp_path / name for name in ("model.onnx", "trials.png", "tune.json"))
    arguments = ["tune", folder, "--out", out, "--backbone", "test_efficientnet", "--trials", 5]
    arguments += ["--folds", 2, "--plot", plot, "--json", table, "--resume"]
    code = cli.main([str(part) for part in arguments])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert "there was nothing to go on with" in shown.out
    assert "expect on new ones" in shown.out
    assert "shrinkage" in shown.out
    answer = json.loads(table.read_text())
    assert len(answer["trials"]) == 5
    assert answer["best"]["log_loss"] <= answer["default"]["log_loss"]
    assert load(out).classes == ("green", "grey", "red")
    with Image.open(plot) as picture:
        assert picture.size == (1200, 480)
        assert len(set(picture.convert("L").get_flattened_data())) > 20
    assert cli.main([str(part) for part in arguments]) == 0
    assert "went on with a search of 5 trials" in capsys.readouterr().out


def test_the_command_needs_one_budget(capsys, tmp_path):
    assert cli.main(["tune", str(tmp_path), "--out", str(tmp_path / "m.onnx")]) == 2
    assert "--trials --minutes" in capsys.readouterr().err
