"""Models of tags on the same photos."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.evaluation import tag_comparison
from fieldguide.evaluation.tag_comparison import compare_tags
from fieldguide.evaluation.tag_measurement import MeasuredTags
from fieldguide.evaluation.tag_result import TagOutcomes, measure_tags

N = 300
CHANCE = np.random.default_rng(0)
TRUTH = (CHANCE.random((N, 3)) < 0.4).astype(np.int8)
DATASET = Dataset(Path("photos"), tuple(f"{row}.jpg" for row in range(N)), ("",) * N)


@pytest.fixture(autouse=True)
def no_files(monkeypatch):
    monkeypatch.setattr(
        tag_comparison, "duplicate_numbers", lambda dataset, rows, progress: np.arange(len(rows))
    )


def answered(noise, classes=("a", "b", "c"), rows=None, seed=1):
    rows = np.arange(N) if rows is None else rows
    chance = np.random.default_rng(seed)
    columns = ["abc".index(name) for name in classes]
    truth = TRUTH[rows][:, columns]
    probabilities = 1 / (1 + np.exp(-(truth * 2 - 1 + noise * chance.normal(size=truth.shape))))
    outcomes = TagOutcomes.of(
        truth,
        probabilities,
        np.ones(len(rows)),
        thresholds=np.full(len(columns), 0.5),
        set_threshold=0.2,
        unknown_threshold=0.01,
    )
    return classes, MeasuredTags(rows, outcomes, ()), measure_tags(outcomes, classes)


def test_a_much_better_model_is_told_from_a_worse_one():
    compared = compare_tags(DATASET, {"poor": answered(3.0), "good": answered(0.7, seed=2)})
    (pair,) = compared.pairs
    assert (pair.first, pair.second, pair.real) == ("good", "poor", True)
    assert pair.difference.low < pair.difference.value < pair.difference.high
    assert "more than chance" in pair.sentence
    assert compared.as_dict()["models"][1]["map"]["value"] > compared.as_dict()["models"][0]["map"]["value"]


def test_equally_good_models_are_not_told_apart_too_often():
    real = [
        compare_tags(
            DATASET, {"one": answered(1.5, seed=2 * trial), "two": answered(1.5, seed=2 * trial + 1)}
        )
        .pairs[0]
        .p
        < 0.05
        for trial in range(60)
    ]
    assert np.mean(real) <= 0.12


def test_the_same_answers_do_not_differ():
    same = answered(1.0)
    (pair,) = compare_tags(DATASET, {"one": same, "two": same}).pairs
    assert (pair.difference.value, pair.p, pair.real) == (0.0, 1.0, False)


def test_compared_are_common_tags_and_photos():
    rows = np.arange(0, N, 2)
    found = {"all": answered(1.0), "some": answered(1.0, ("b", "c"), rows, seed=5)}
    compared = compare_tags(DATASET, found)
    assert compared.tags == ("b", "c")
    assert compared.n == len(rows)


def test_nothing_to_compare():
    with pytest.raises(OptionError, match="must be two or more, got 1"):
        compare_tags(DATASET, {"one": answered(1.0)})
    with pytest.raises(DataError, match="share no tag or no photo"):
        compare_tags(DATASET, {"one": answered(1.0, ("a",)), "two": answered(1.0, ("b",))})
