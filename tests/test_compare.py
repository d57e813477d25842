"""Comparing ways of training: one pass, the same folds, honest answers, failures that stay their own."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from fieldguide import answers, cli, recipes
from fieldguide.answers import answer, seconds_per_image
from fieldguide.compare import candidates, compare
from fieldguide.comparison import Row, recommend
from fieldguide.cross_validation import Candidate, cross_validation, merged
from fieldguide.dataset import open_dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.evaluation import Outcomes, measure
from fieldguide.feature_memory import FeatureMemory
from fieldguide.features import _Extraction, extract
from fieldguide.fold_results import FoldResult, Journal
from fieldguide.intervals import Interval
from fieldguide.paired import Difference, Pair
from fieldguide.predictor import load
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Setting
from fieldguide.train import TrainOptions, train_dataset

ONE = Candidate("one", "linear-probe", Setting("test_efficientnet"))
OTHER = Candidate("other", "linear-probe", Setting("test_efficientnet", options={"shrinkage": 0.5}))
BROKEN = Candidate("broken", "linear-probe", Setting("test_efficientnet", options={"shrinkage": 7}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), {"red": 8, "green": 7, "grey": 6})
    shutil.copy(folder / "red" / "000.png", folder / "red" / "copy.png")
    (folder / "red" / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def photos(folder, tiny_hub):
    with open_dataset(folder) as dataset:
        yield dataset


@pytest.fixture
def passes(monkeypatch):
    """Filled with the images that pass a network."""
    seen = []
    real = _Extraction._forward
    monkeypatch.setattr(
        _Extraction, "_forward", lambda self, pixels: seen.extend(pixels) or real(self, pixels)
    )
    return seen


@pytest.fixture
def fits(monkeypatch):
    """Filled with the data set of each fit."""
    seen = []
    real = linear_probe.fit
    monkeypatch.setattr(
        linear_probe, "fit", lambda dataset, setting: seen.append(dataset) or real(dataset, setting)
    )
    return seen


# --- one pass


@pytest.mark.parametrize("cached", [True, False])
def test_every_image_passes_the_network_once(photos, passes, tmp_path, cached):
    result = compare(photos, [ONE, OTHER], folds=3, cache=tmp_path / "cache" if cached else None)
    assert len(passes) == 22
    assert result.images == 22


def test_memory_answers_as_extraction_does(photos, tmp_path):
    body = linear_probe.body(Setting("test_efficientnet"))
    memory = FeatureMemory(photos.paths)
    some = [photos.paths[row] for row in (5, 3, 0, 12)]
    for paths in (some, list(photos.paths)):
        mine, plain = memory.extract(paths, body), extract(paths, body)
        np.testing.assert_allclose(mine.vectors, plain.vectors, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(mine.signatures, plain.signatures)
        np.testing.assert_array_equal(mine.rows, plain.rows)
        assert (mine.digests, mine.refused) == (plain.digests, plain.refused)
    assert [refusal.code for refusal in plain.refused] == ["not_an_image"]


def test_memory_lets_go_of_what_was_asked_for_longest_ago(photos, passes, monkeypatch):
    monkeypatch.setattr("fieldguide.feature_memory.MOST_BYTES", 1)
    memory = FeatureMemory(photos.paths)
    bodies = [linear_probe.body(Setting(name)) for name in ("test_efficientnet", "test_resnet")]
    for body in (*bodies, bodies[0]):
        memory.whole(body)
    assert len(memory._whole) == 1
    assert len(passes) == 3 * 22


# --- the folds


def test_each_image_is_held_out_once_and_twins_stay_together(photos, fits, tmp_path):
    with cross_validation(photos, [ONE], folds=3, cache=tmp_path) as work:
        results = [work.run(ONE, fold) for fold in range(3)]
        rows, outcomes = merged(results)
        dataset = work.folding.dataset
        assert rows.tolist() == list(range(22))
        np.testing.assert_array_equal(outcomes.truth, work.folding.truth)
        for fold, learned in enumerate(fits):
            held = {dataset.paths[row] for row in results[fold].rows.tolist()}
            assert not held & set(learned.paths)
            assert held | set(learned.paths) == set(dataset.paths)
            twins = {path for path in dataset.paths if path.endswith(("red/000.png", "copy.png"))}
            assert len(twins & held) in (0, 2)
    assert [refusal.path for refusal in work.folding.refused] == ["red/broken.png"]


def test_only_the_training_split_is_looked_at(photos, fits, tmp_path):
    splits = tuple("test" if number % 4 == 0 else "train" for number in range(len(photos)))
    result = compare(dataclasses.replace(photos, splits=splits), [ONE], folds=2)
    closed = {path for path, split in zip(photos.paths, splits, strict=True) if split == "test"}
    assert fits
    assert not any(closed & set(dataset.paths) for dataset in fits)
    assert result.images <= splits.count("train")


def test_a_class_that_a_fold_has_not_learned_is_answered_wrongly(paint_classes, tmp_path, tiny_hub):
    folder = paint_classes(tmp_path / "photos", {"red": 8, "green": 8, "blue": 1})
    with open_dataset(folder) as dataset:
        result = compare(dataset, [ONE], folds=3)
    measured = result.rows[0].evaluation
    assert measured.classes == ("blue", "green", "red")
    assert measured.per_class.recall[0] == 0
    assert measured.n == 17


# --- the answers are those of the model file


def test_answers_are_the_model_files(photos, tmp_path):
    out = tmp_path / "model.onnx"
    fitted = train_dataset(photos, TrainOptions(tmp_path, out, setting=ONE.setting)).fitted
    answered = answer(fitted, photos.paths, ONE.setting)
    expected = load(out).predict(list(photos.paths))
    kept = [row for row, prediction in enumerate(expected) if prediction.error is None]
    assert answered.rows.tolist() == kept
    refused = [prediction.path for prediction in expected if prediction.error is not None]
    assert [refusal.path for refusal in answered.refused] == refused
    np.testing.assert_allclose(
        answered.probabilities, [expected[row].probabilities for row in kept], atol=1e-4
    )
    np.testing.assert_allclose(answered.typicality, [expected[row].typicality for row in kept], atol=1e-6)


def test_a_learned_network_is_run_over_the_pixels(photos, monkeypatch):
    """The same network, given as a graph instead of a backbone, answers the same in several batches."""
    monkeypatch.setattr(answers, "PIXEL_ROWS", 5)
    fitted = linear_probe.fit(photos, ONE.setting)
    learned = dataclasses.replace(fitted, body=answers_body(fitted))
    by_features = answer(fitted, photos.paths, ONE.setting)
    by_pixels = answer(learned, photos.paths, ONE.setting)
    assert by_pixels.rows.tolist() == by_features.rows.tolist()
    assert by_pixels.refused == by_features.refused
    np.testing.assert_allclose(by_pixels.probabilities, by_features.probabilities, atol=1e-4)
    assert 0 < seconds_per_image(learned, photos.paths) < 10


def answers_body(fitted):
    from fieldguide.graph import read_model

    return read_model(fitted.body.path)


# --- failures, interrupts


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
        def fit(dataset, setting):
            raise ZeroDivisionError("by zero")

    found = recipes.find
    monkeypatch.setattr(recipes, "find", lambda name: Magic if name == "magic" else found(name))
    result = compare(photos, [Candidate("magic", "magic"), ONE], folds=2)
    assert result.rows[1].error == "a mistake in the recipe itself (ZeroDivisionError: by zero)"
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


@pytest.mark.parametrize("change", ["seed", "option", "content", "code"])
def test_the_journal_answers_only_for_the_same_work(folder, tiny_hub, tmp_path, change, monkeypatch, fits):
    copied = shutil.copytree(folder, tmp_path / "photos")
    tried = ONE
    with open_dataset(copied) as dataset:
        compare(dataset, [ONE], folds=2, cache=tmp_path / "cache")
        if change == "seed":
            tried = dataclasses.replace(ONE, setting=dataclasses.replace(ONE.setting, seed=1))
        if change == "option":
            tried = OTHER
        if change == "content":  # in both folds' learned or held-out images
            shutil.copy(copied / "red" / "003.png", copied / "red" / "004.png")
        if change == "code":
            monkeypatch.setattr("fieldguide.cross_validation.code_fingerprint", lambda: "other")
        again = compare(dataset, [tried], folds=2, cache=tmp_path / "cache")
    assert again.reused == 0
    assert len(fits) == 4


def test_a_damaged_journal_is_only_slower(tmp_path):
    result = FoldResult(np.arange(2), outcomes([1, 0]), 1.5, 2, float("nan"), 3.0)
    journal = Journal(tmp_path)
    journal.put("key", result)
    kept = journal.get("key")
    assert (kept.fit_seconds, kept.pass_images, kept.megabytes) == (1.5, 2, 3.0)
    np.testing.assert_array_equal(kept.outcomes.truth, result.outcomes.truth)
    (path,) = tmp_path.glob("*.npz")
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[:-30], b"\x00" * 200):
        path.write_bytes(content)
        assert journal.get("key") is None
    assert journal.get("nothing") is None


def test_two_of_one_name_and_none_at_all_are_refused(photos):
    with pytest.raises(OptionError, match=r"each needs a name of its own, got 'one' twice"):
        compare(photos, [ONE, ONE])
    with pytest.raises(OptionError, match=r"need at least one recipe"):
        compare(photos, [])
    with pytest.raises(OptionError, match=r"folds: must be 2 or more, got 1"):
        compare(photos, [ONE], folds=1)


# --- ranking and recommendation


def outcomes(right):
    right = np.array(right)
    probabilities = np.where(right[:, None] == 1, [[0.9, 0.1]], [[0.1, 0.9]])
    return Outcomes.of(
        np.zeros(len(right), int),
        probabilities,
        np.ones(len(right)),
        set_threshold=0.5,
        unknown_threshold=0.01,
    )


def row(name, right, seconds, megabytes=1.0):
    shown = np.arange(100) < right
    return Row(Candidate(name, "x"), measure(outcomes(shown), ("a", "b")), (), 1, 1, seconds, megabytes)


def pair(first, second, points, p):
    low = 0.001 if p < 0.05 else -0.01
    return Pair(first, second, Difference(Interval(points, low, points + 0.1), 0, 0, p), p)


@pytest.mark.parametrize(
    ("pairs", "seconds", "name", "reason"),
    [
        ([("a", "b", 0.005, 0.6)], (0.2, 0.1), "b", "the quickest to answer (100 ms a photo against 200 ms"),
        ([("a", "b", 0.005, 0.001)], (0.2, 0.1), "a", "better than every other by more than chance"),
        ([("a", "b", 0.08, 0.3)], (0.2, 0.1), "a", "may still be chance"),
        ([("a", "b", 0.005, 0.6)], (0.1, 0.2), "a", "no slower than what cannot be told from it (b)"),
    ],
)
def test_the_cheapest_that_nothing_tells_from_the_best_is_recommended(pairs, seconds, name, reason):
    rows = [row("a", 90, seconds[0]), row("b", 89, seconds[1])]
    chosen, told = recommend(rows, [pair(*one) for one in pairs])
    assert chosen == name
    assert reason in told


def test_a_difference_is_real_only_where_test_and_interval_agree():
    assert pair("a", "b", 0.1, 0.01).real
    assert not pair("a", "b", 0.1, 0.06).real
    across = Difference(Interval(0.1, -0.001, 0.2), 9, 1, 0.02)
    assert not Pair("a", "b", across, 0.02).real
    assert (
        "cannot be told apart: 10.0 points (-0.1 to 20.0), p = 0.020" in Pair("a", "b", across, 0.02).sentence
    )


def test_recipes_presets_and_backbones_become_candidates():
    named = [candidate.name for candidate in candidates(["linear-probe"])]
    assert named == ["linear-probe fast", "linear-probe balanced"]
    found = candidates(["linear-probe"], backbones=["a", "b"], setting=Setting(seed=3))
    assert [candidate.setting.backbone for candidate in found] == ["a", "b"]
    assert [candidate.setting.seed for candidate in found] == [3, 3]
    with pytest.raises(OptionError, match=r"presets: linear-probe has fast, balanced, best; got 'huge'"):
        candidates(["linear-probe"], presets=["huge"])
    with pytest.raises(OptionError, match=r"recipe: must be one of"):
        candidates(["magic"])


# --- the command


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
