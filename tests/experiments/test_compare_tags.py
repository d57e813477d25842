"""Ways of training compared, tuned and drawn as a curve on data with tags."""

import json

import numpy as np
import pytest

import fieldguide
from compared_made import ONE, OTHER
from fieldguide import cli
from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.experiments.compare import compare
from fieldguide.experiments.cross_validation import cross_validation, merged
from fieldguide.experiments.fold_task import Candidate
from fieldguide.tasks.task import EITHER
from tags_made import tags_of, write_tagged

PHOTOS = 64


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_tagged(tmp_path_factory.mktemp("tagged"), PHOTOS)


@pytest.fixture
def tagged(table, tiny_hub):
    with open_dataset(table, tasks=EITHER) as opened:
        yield opened


def test_every_photo_is_answered_once_by_a_model_that_had_not_seen_it(tagged):
    with cross_validation(tagged, [ONE], folds=4) as work:
        rows, outcomes = merged([work.run(ONE, fold) for fold in range(4)])
        numbers = work.folding.numbers
    assert rows.tolist() == list(range(PHOTOS))
    for row, tags in enumerate(outcomes.tags.tolist()):
        shown = [name for name, there in zip(tagged.classes, tags, strict=True) if there]
        assert shown == sorted(tags_of(row))
    for tag in range(3):  # every fold has its share of every tag
        counts = np.bincount(numbers[outcomes.tags[:, tag] == 1], minlength=4)
        assert counts.max() - counts.min() <= 1


def test_candidates_are_ranked_by_mean_average_precision(tagged, tmp_path):
    first = compare(tagged, [ONE, OTHER], folds=2, cache=tmp_path)
    again = compare(tagged, [ONE, OTHER], folds=2, cache=tmp_path)
    assert (first.reused, again.reused) == (0, 4)
    assert json.dumps(again.as_dict()["pairs"]) == json.dumps(first.as_dict()["pairs"])
    answer = json.loads(json.dumps(first.as_dict(), allow_nan=False))
    maps = [row["map"]["value"] for row in answer["candidates"]]
    assert maps == sorted(maps, reverse=True)
    assert {"micro_f1", "exact_match", "fold_maps", "log_loss"} <= answer["candidates"][0].keys()
    assert "accuracy" not in answer["candidates"][0]
    assert answer["pairs"][0]["measure"] == "map"


def test_tags_are_part_of_what_a_finished_fold_depends_on(table, tagged, tmp_path):
    import dataclasses

    compare(tagged, [ONE], folds=2, cache=tmp_path)
    changed = dataclasses.replace(tagged, tags=(tagged.tags[7], *tagged.tags[1:]))
    assert compare(changed, [ONE], folds=2, cache=tmp_path).reused == 0


def test_a_tag_that_a_fold_cannot_learn_is_improbable_there(tagged):
    import dataclasses

    from fieldguide.tasks.tags import Tags

    rare = dataclasses.replace(tagged, tags=(Tags.of([*tagged.tags[0].present, "rare"]), *tagged.tags[1:]))
    with cross_validation(rare, [ONE], folds=2) as work:
        _, outcomes = merged([work.run(ONE, fold) for fold in range(2)])
    column = rare.classes.index("rare")
    assert outcomes.probabilities[0, column] == 0 and not outcomes.given[0, column]


def test_a_recipe_without_tags_is_a_row_of_its_own(tagged):
    class Plain:
        SUMMARY, OPTIONS = "", frozenset()

    from fieldguide import recipes

    found = recipes.find
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "find", lambda name: Plain if name == "plain" else found(name))
        result = compare(tagged, [Candidate("plain", "plain"), ONE], folds=2)
        with pytest.raises(DataError, match="no candidate could be trained; plain"):
            compare(tagged, [Candidate("plain", "plain")], folds=2)
    assert result.rows[1].error.startswith("recipe plain: must have one label a photo here, got tags")
    assert result.recommended == "one"


def test_the_function_with_a_curve_and_the_command(table, tiny_hub, tmp_path, capsys):
    options = {"recipes": ["linear-probe"], "backbones": ["test_efficientnet"], "folds": 2}
    result = fieldguide.compare(table, **options, curve=True, progress=False)
    curve = result.as_dict()["learning_curve"]
    values = [point["map"]["value"] for point in curve["points"]]
    assert values[-1] == pytest.approx(result.rows[0].evaluation.average_precision.mean.value)
    assert "mean average precision" in repr(result)
    assert "mean average precision" in result._repr_html_()
    assert {"map", "map_low", "macro_f1"} <= set(result.to_pandas().columns)
    result.plot("accuracy")
    result.plot("curve")
    command = ["compare", str(table), "--recipes", "linear-probe", "--backbones", "test_efficientnet"]
    assert cli.main([*command, "--folds", "2"]) == 0
    assert "mean AP" in capsys.readouterr().out


def test_settings_are_searched_by_the_log_loss_of_all_tags(table, tiny_hub, tmp_path):
    options = {"backbone": "test_efficientnet", "trials": 2, "folds": 2, "progress": False}
    result = fieldguide.tune(table, out=tmp_path / "t.onnx", **options)
    answer = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert {"map", "exact_match", "log_loss"} <= answer["default"].keys()
    assert "map" in answer["expected"] and "map" in answer["trials"][0]
    assert "accuracy" not in answer["expected"]
    assert "mean average precision" in repr(result)
    assert "mean average precision" in result._repr_html_()
    assert fieldguide.load(tmp_path / "t.onnx").task == "multiple"
    with pytest.raises(OptionError, match="objective: must be log_loss for tags"):
        fieldguide.tune(table, objective="accuracy", **options)


def test_tuning_by_the_command(table, tiny_hub, tmp_path, capsys):
    out = tmp_path / "t.onnx"
    command = ["tune", str(table), "--out", str(out), "--backbone", "test_efficientnet", "--trials", "1"]
    assert cli.main([*command, "--folds", "2", "--yes"]) == 0
    assert "mean average precision" in capsys.readouterr().out
