"""`auto`: what it has after each step, when it ends, and that it ends with something."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import BackboneError
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes import linear_probe
from fieldguide.recipes.auto import choice as module
from fieldguide.recipes.auto import recipe, search
from fieldguide.recipes.auto.candidates import PossibleCandidate, classical
from fieldguide.recipes.common import Options, Run
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER
from tags_made import write_tagged

COUNTS = {"red": 12, "green": 11, "blue": 10}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, paint_classes):
    paths = sorted(paint_classes(tmp_path_factory.mktemp("photos"), COUNTS).rglob("*.png"))
    labels = [Path(path).parent.name for path in paths]
    labels[0], labels[-1] = labels[-1], labels[0]  # so that not everything is right at once
    return Dataset(Path("photos"), tuple(map(str, paths)), tuple(labels))


@pytest.fixture
def run(tiny_hub, cache_of_the_tests):
    return Run(cache=cache_of_the_tests)


def options(**settings):
    return Options("test_efficientnet", "fast", settings=settings)


def said(fitted, text):
    return any(text in choice for choice in fitted.choices)


def test_without_other_candidates_it_is_the_probe(dataset, run):
    fitted = recipe.fit(dataset, options(candidates=0), run)
    probe = linear_probe.fit(dataset, options(), run)
    assert fitted.head.SerializeToString() == probe.head.SerializeToString()
    assert fitted.choices[0] == "5 minutes, usual for this preset; --minutes changes it"
    assert said(fitted, "0 of 9 ways looked at after the first; --set candidates=0 looks at the same")


def test_it_says_what_it_has_after_each_step(dataset, run):
    told = []
    recipe.fit(dataset, options(), replace(run, progress=lambda *step: told.append(step[0])))
    names = [stage.partition(":")[0] for stage in told if "images not seen right, log loss" in stage]
    assert names[0].startswith("linear probe of test_efficientnet at ")
    assert names[1:] == ["svm", "extra-trees"]


def test_what_there_is_no_time_for_is_passed_over(dataset, run, monkeypatch):
    endless = PossibleCandidate("endless", 1e9, lambda: pytest.fail("there is no time for it"))
    monkeypatch.setattr(search, "STEPS", (classical("svm"), lambda *_: endless, classical("extra-trees")))
    fitted = recipe.fit(dataset, options(minutes=60), run)
    assert said(fitted, "2 of 3 ways looked at after the first; --set candidates=13 looks at the same")
    assert said(fitted, "not tried: endless: would take some 1,000,000,000 s, and 3,")
    again = recipe.fit(dataset, options(minutes=60, candidates=13), run)
    assert [one for one in fitted.choices if "endless" not in one] == list(again.choices)
    assert again.network.SerializeToString() == fitted.network.SerializeToString()


def test_ctrl_c_ends_it_with_what_there_is(dataset, run, monkeypatch):
    def pressed():
        raise KeyboardInterrupt

    monkeypatch.setattr(
        search, "STEPS", (lambda *_: PossibleCandidate("other", 0.0, pressed), classical("svm"))
    )
    fitted = recipe.fit(dataset, options(), run)
    assert fitted.interrupted
    assert said(fitted, "linear probe of test_efficientnet")


def test_a_candidate_that_fails_does_not_take_the_others_with_it(dataset, run, monkeypatch):
    def failing():
        raise BackboneError("no weights")

    monkeypatch.setattr(
        search, "STEPS", (lambda *_: PossibleCandidate("other", 0.0, failing), classical("svm"))
    )
    fitted = recipe.fit(dataset, options(), run)
    assert said(fitted, "not to be had: other: no weights")
    assert said(fitted, "2 of 2 ways looked at")
    assert said(fitted, "svm")


def test_where_all_is_right_nothing_else_is_tried(paint_classes, tmp_path, run, monkeypatch):
    monkeypatch.setattr(search, "LEAST_ERROR", 1.0)
    paths = sorted(paint_classes(tmp_path / "photos", COUNTS).rglob("*.png"))
    clean = Dataset(Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths))
    fitted = recipe.fit(clean, options(), run)
    assert said(fitted, "nothing else tried: ")
    assert said(fitted, "0 of 9 ways")


def test_a_pool_is_one_file_that_keeps_every_promise(dataset, run, monkeypatch, tmp_path):
    """Both are made to look as if they erred apart; what counts is the file that comes out."""
    chosen = recipe.choose

    def pooled(trials, groups, seed):
        monkeypatch.setattr(module, "_best", lambda losses, singles: losses.shape[0] - 1)
        monkeypatch.setattr(module, "_pays", lambda *_: True)
        even = [0.5, 0.5] + [0.0] * (len(trials) - 2)
        monkeypatch.setattr(module.pools, "chosen", lambda *_: np.array(even))
        return chosen(trials, groups, seed)

    monkeypatch.setattr(recipe, "choose", pooled)
    wanted = TrainOptions(Path(), tmp_path / "m.onnx", "auto", options(candidates=15), run)
    result = train_dataset(dataset, wanted)
    assert "taken: logarithmic pool of linear probe" in "\n".join(result.choices)
    answers = load(tmp_path / "m.onnx").predict(list(dataset.paths))
    card = load(tmp_path / "m.onnx").card
    for answer in answers:
        assert abs(sum(answer.probabilities) - 1) < 1e-5
        assert 0 <= answer.typicality <= 1
        floor = card["thresholds"]["set"]
        pairs = zip(card["classes"], answer.probabilities, strict=True)
        assert set(answer.set) == {label for label, share in pairs if share >= floor}


def test_of_tags_it_ends_with_the_best(run, tmp_path):
    table = write_tagged(tmp_path, 48)
    lines = table.read_text().splitlines()
    lines[2] = lines[2].replace("red", "blue")  # so that not everything is right at once
    table.write_text("\n".join(lines))
    with open_dataset(table, tasks=EITHER) as tagged:
        fitted = recipe.fit(tagged, options(candidates=1256), run)
        doubted = replace(tagged, tags=(Tags((), ("red",)), *tagged.tags[1:]))
        left = recipe.fit(doubted, options(candidates=1256), run)
    assert len(fitted.tag_thresholds) == 3
    assert said(fitted, "all tags of ")
    assert said(fitted, "4 of 9 ways looked at")
    assert said(left, "not to be had: svm: recipe svm: must know of every photo and tag")
