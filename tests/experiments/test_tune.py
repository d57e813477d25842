"""The search: never worse than the recipe as it comes, honest about its winner, stopped and gone on with."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fieldguide import cli
from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError, OptionError, OutputError
from fieldguide.experiments import tune as tune_module
from fieldguide.experiments.study import Budget, Search
from fieldguide.experiments.tune import TuneOptions, tune
from fieldguide.metrics.intervals import Interval
from fieldguide.metrics.selection_bias import corrected
from fieldguide.prediction.predictor import load
from fieldguide.progress import silent
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options
from trials_made import each


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
        options=Options("test_efficientnet"),
        budget=Budget(trials=3),
        folds=2,
        cache=tmp_path / "cache",
    )


KILLED = """
import os, signal, sys
from pathlib import Path
from fieldguide.progress import silent
from fieldguide.experiments.study import Budget, Search
def attempt(batch):
    for trial in batch:
        trial.report(trial.values["x"])
        if len(search.rows()) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        trial.finish(trial.values["x"], 0.5)
search = Search(Path(sys.argv[1]), {"x": {"low": 0.0, "high": 1.0}}, 0, silent)
search.run(Budget(10), attempt)
"""


def test_a_killed_search_goes_on_with_the_trial_that_was_running(tmp_path):
    path = tmp_path / "one.search"
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    search = Search(path, {"x": {"low": 0.0, "high": 1.0}}, 0, silent)
    kept = search.rows()
    assert [row.state for row in kept[:4]] == ["complete"] * 3 + ["failed"]
    search.run(Budget(6), each(lambda values, report: values["x"]))
    rows = search.rows()
    assert sum(row.state == "complete" for row in rows) == 6
    search.close()
    assert rows[4].values == rows[3].values
    assert len({row.values["x"] for row in rows}) == 6


def test_it_writes_the_winner_as_a_model_file(photos, options):
    seen = []
    result = tune(photos, dataclasses.replace(options, progress=lambda *step: seen.append(step)))
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
        "fieldguide.experiments.tune.log_losses",
        lambda outcomes: np.arange(len(outcomes.truth), dtype=float),
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
            "fieldguide.experiments.tune.log_losses",
            lambda outcomes: np.full(len(outcomes.truth), next(losses, 0.0)),
        )
        return choose(*arguments)

    monkeypatch.setattr("fieldguide.experiments.tune._choose", choose_from)

    def told(*arguments):
        return dataclasses.replace(corrected(*arguments), gain=Interval(gain, gain, gain))

    monkeypatch.setattr("fieldguide.experiments.tune.corrected", told)
    result = tune(photos, options)
    assert bool(result.choice.values) is taken


def test_an_interrupt_ends_the_search_and_not_the_work(photos, options):
    def stop(stage, done, total):
        if (stage, done) == ("trials", 2):
            raise KeyboardInterrupt

    result = tune(photos, dataclasses.replace(options, progress=stop))
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


def test_a_search_of_other_images_is_not_begun_anew_unless_that_is_wished(photos, options):
    tune(photos, options)
    (kept,) = (options.cache / "searches").iterdir()
    fewer = photos.take(np.arange(len(photos) - 2))
    again = dataclasses.replace(options, resume=True)
    with pytest.raises(OptionError, match=r"made with other images; give the same as then, or --restart"):
        tune(fewer, again)
    seeded = dataclasses.replace(again, options=dataclasses.replace(again.options, seed=9))
    with pytest.raises(OptionError, match=r"made with other (images and )?settings"):
        tune(photos, seeded)
    assert kept.exists()
    assert tune(fewer, dataclasses.replace(again, restart=True)).found == 0
    assert kept.exists()  # the other search can still be gone on with
    elsewhere = dataclasses.replace(again, out=options.out.with_name("other.onnx"))
    assert tune(photos, elsewhere).found == 3


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
    assert "there was no search to continue" in shown.out
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
    assert "continued a search of 5 trials" in capsys.readouterr().out


def test_the_command_needs_one_budget(capsys, tmp_path):
    assert cli.main(["tune", str(tmp_path), "--out", str(tmp_path / "m.onnx")]) == 2
    assert "--trials --minutes" in capsys.readouterr().err
