"""evaluate.py and evaluation.py: the numbers, the contract's JSON, and what cannot be measured."""

import json

import numpy as np
import pytest

from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.evaluation.measurement import choose_split, evaluate
from measured_made import data
from path_oracle import CLASSES, Oracle

KEYS = [
    *("n", "refused", "accuracy", "balanced_accuracy", "macro_f1", "macro_precision", "macro_recall", "top5"),
    *("log_loss", "ece", "coverage", "mean_set_size", "unknown_rate", "per_class", "confusion"),
]


def test_the_numbers_are_those_of_the_answers():
    measured = evaluate(Oracle(), data(("ant", "ant"), ("ant", "ant"), ("bee", "bee"), ("bee", "cow")))
    assert measured.n == 4
    assert measured.accuracy.value == 0.75
    assert measured.accuracy.low < 0.75 < measured.accuracy.high
    assert measured.balanced_accuracy.value == 0.75
    assert measured.macro_recall.value == pytest.approx((1 + 0.5 + 0) / 3)
    assert measured.coverage == 0.75
    assert measured.mean_set_size == 1.0
    assert measured.log_loss == pytest.approx(-(3 * np.log(0.9) + np.log(0.02)) / 4, rel=1e-6)
    assert measured.ece == pytest.approx(0.15, abs=1e-6)
    assert measured.confused() == [("bee", "cow", 1)]


def test_the_json_is_the_contracts():
    broken = ("ant", "broken")
    answer = evaluate(Oracle(), data(("ant", "ant"), broken, ("bee", "cow"))).as_dict()
    assert [key for key in answer if key in KEYS] == KEYS
    assert answer["refused"] == [
        {"path": "ant/ant_broken_1.jpg", "code": "truncated", "message": "the file ends too early"}
    ]
    assert set(answer["accuracy"]) == {"value", "low", "high"}
    assert answer["per_class"][0] == {
        "label": "ant",
        "n": 1,
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "coverage": 1.0,
    }
    assert answer["confusion"]["labels"] == list(CLASSES)
    assert answer["confusion"]["matrix"][1][2] == 1
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_labels_that_the_model_does_not_know_are_left_out_and_counted():
    measured = evaluate(Oracle(), data(("ant", "ant"), ("yak", "ant"), ("yak", "bee")))
    assert measured.n == 1
    assert measured.accuracy.value == 1.0
    assert measured.strangers == (("yak", 2),)
    assert measured.as_dict()["labels_not_in_model"] == {"yak": 2}


def test_refusals_of_the_data_set_itself_are_kept():
    earlier = Refusal("cow", "unreadable", "the folder cannot be opened")
    measured = evaluate(Oracle(), data(("ant", "ant"), ("bee", "broken"), refused=[earlier]))
    assert [refusal.path for refusal in measured.refused] == ["cow", "bee/bee_broken_1.jpg"]


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (data(), "holds no images"),
        (data(("yak", "ant")), "none of its labels is a class of the model"),
        (data(("ant", "broken"), ("bee", "broken")), r"none of its 2 images could be read; the first: ant/"),
    ],
)
def test_nothing_to_measure_is_said(dataset, message):
    with pytest.raises(DataError, match=message):
        evaluate(Oracle(), dataset)


def test_progress_counts_every_image():
    seen = []
    evaluate(
        Oracle(),
        data(("ant", "ant"), ("ant", "broken"), ("bee", "bee")),
        progress=lambda *say: seen.append(say),
    )
    assert seen == [("evaluating", done, 3) for done in range(4)]


def test_foreign_images_are_told_apart_by_typicality():
    own = data(*[("ant", "ant")] * 8)
    others = data(*[("odd", "ant")] * 6, ("odd", "broken"))
    foreign = evaluate(Oracle(), own, foreign=others).as_dict()["foreign"]
    assert foreign["n"] == 6
    assert foreign["auroc"]["value"] == 1.0
    assert foreign["auroc"]["low"] < 0.9
    assert foreign["auroc_of_probability"]["value"] == 0.5  # the oracle is as sure of them as of the others
    assert foreign["false_alarm_rate"]["value"] == 0.0
    assert foreign["miss_rate"]["value"] == 0.0
    assert [refusal["code"] for refusal in foreign["refused"]] == ["truncated"]


def test_foreign_images_that_look_the_same_are_missed():
    foreign = evaluate(Oracle(), data(*[("ant", "ant")] * 8), foreign=data(*[("bee", "ant")] * 6)).foreign
    assert foreign.auroc.value == 0.5
    assert foreign.miss_rate.value == 1.0


SPLIT = data(("ant", "ant"), ("bee", "bee"), ("cow", "cow"), splits=("train", "validation", "test"))


@pytest.mark.parametrize(
    ("dataset", "split", "labels"),
    [
        (SPLIT, None, ("cow",)),
        (SPLIT, "train", ("ant",)),
        (SPLIT, "all", ("ant", "bee", "cow")),
        (data(("ant", "ant"), ("bee", "bee"), splits=("train", "validation")), None, ("ant", "bee")),
        (data(("ant", "ant")), None, ("ant",)),
    ],
)
def test_the_split_is_the_one_named_else_test_else_all(dataset, split, labels):
    assert choose_split(dataset, split).labels == labels


def test_a_split_that_the_data_lack_is_refused_with_those_they_have():
    with pytest.raises(OptionError, match=r"has no split 'test'; choose one of: train, all"):
        choose_split(data(("ant", "ant"), splits=("train",)), "test")
