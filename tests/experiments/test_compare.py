"""Comparing ways of training: one pass, the same folds, honest answers, failures that stay their own."""

import json

import pytest

from compared_made import ONE, OTHER
from fieldguide import cli, recipes
from fieldguide.errors import DataError, OptionError
from fieldguide.experiments.compare import candidates, compare
from fieldguide.experiments.fold_task import Candidate
from fieldguide.recipes.common import Options

BROKEN = Candidate("broken", "linear-probe", Options("test_efficientnet", settings={"shrinkage": 7}))


@pytest.mark.parametrize("cached", [True, False])
def test_every_image_passes_the_network_once(photos, passes, tmp_path, cached):
    result = compare(photos, [ONE, OTHER], folds=3, cache=tmp_path / "cache" if cached else None)
    assert len(passes) == 22
    assert result.images == 22


def test_a_candidate_that_fails_is_a_row_of_its_own(photos):
    result = compare(photos, [BROKEN, ONE], folds=2)
    assert [row.candidate.name for row in result.rows] == ["one", "broken"]
    assert result.rows[1].error == ("shrinkage: must be more than 0 and less than 1, got 7; 0.8 is usual")
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["candidates"][1]["error"]
    with pytest.raises(DataError, match=r"no candidate could be trained; broken: shrinkage"):
        compare(photos, [BROKEN], folds=2)


def test_a_mistake_in_a_recipe_does_not_take_the_others_with_it(photos, monkeypatch):
    class Magic:
        SUMMARY, OPTIONS = "", frozenset()

        @staticmethod
        def fit(dataset, options, run):
            raise ZeroDivisionError("by zero")

    found = recipes.find
    monkeypatch.setattr(recipes, "find", lambda name: Magic if name == "magic" else found(name))
    result = compare(photos, [Candidate("magic", "magic"), ONE], folds=2)
    assert result.rows[1].error == "an error in the recipe itself (ZeroDivisionError: by zero)"
    assert result.recommended == "one"


def test_an_interrupted_comparison_goes_on_where_it_stopped(photos, fits, tmp_path):
    def stop(stage, done, total):
        if (stage, done) == ("folds", 4):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(photos, [ONE, OTHER], folds=3, cache=tmp_path, progress=stop)
    assert len(fits) == 4
    result = compare(photos, [ONE, OTHER], folds=3, cache=tmp_path)
    assert (len(fits), result.reused) == (6, 4)
    unbroken = compare(photos, [ONE, OTHER], folds=3)
    for row, other in zip(result.rows, unbroken.rows, strict=True):
        assert row.evaluation.accuracy == other.evaluation.accuracy
        assert row.evaluation.log_loss == pytest.approx(other.evaluation.log_loss, abs=1e-6)


def test_two_of_one_name_and_none_at_all_are_refused(photos):
    with pytest.raises(OptionError, match=r"each needs a name of its own, got 'one' twice"):
        compare(photos, [ONE, ONE])
    with pytest.raises(OptionError, match=r"need at least one recipe"):
        compare(photos, [])
    with pytest.raises(OptionError, match=r"folds: must be 2 or more, got 1"):
        compare(photos, [ONE], folds=1)


def test_recipes_presets_and_backbones_become_candidates():
    named = [candidate.name for candidate in candidates(["linear-probe"])]
    assert named == ["linear-probe fast", "linear-probe balanced"]
    found = candidates(["linear-probe"], backbones=["a", "b"], options=Options(seed=3))
    assert [candidate.options.backbone for candidate in found] == ["a", "b"]
    assert [candidate.options.seed for candidate in found] == [3, 3]
    with pytest.raises(OptionError, match=r"presets: linear-probe has fast, balanced, best; got 'huge'"):
        candidates(["linear-probe"], presets=["huge"])
    with pytest.raises(OptionError, match=r"recipe: must be one of"):
        candidates(["magic"])


def test_the_command_shows_a_table_and_writes_json(folder, tiny_hub, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = tmp_path / "compare.json"
    arguments = [
        "compare",
        folder,
        "--recipes",
        "linear-probe",
        "--backbones",
        "test_efficientnet,test_resnet",
    ]
    code = cli.main([str(part) for part in (*arguments, "--folds", 2, "--curve", "--json", out)])
    shown = capsys.readouterr()
    assert code == 1  # one image was refused
    assert "refused red/broken.png" in shown.err
    assert max(map(len, shown.out.splitlines()[2:5])) <= 80
    answer = json.loads(out.read_text())
    assert answer["n"] == 22
    assert {row["name"] for row in answer["candidates"]} == {
        "linear-probe test_efficientnet",
        "linear-probe test_resnet",
    }
    for row in answer["candidates"]:
        assert row["accuracy"]["low"] <= row["accuracy"]["value"] <= row["accuracy"]["high"]
        assert row["seconds"]["train"] > row["seconds"]["fit"] > 0
        assert len(row["fold_accuracies"]) == 2
    assert answer["pairs"][0]["sentence"] in shown.out
    assert f"recommended: {answer['recommended']}, {answer['reason']}" in shown.out
    assert answer["learning_curve"]["sentence"] in shown.out
