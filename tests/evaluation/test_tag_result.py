"""What a measurement of tags says."""

import dataclasses
import json

import numpy as np
import pytest

from fieldguide.errors import Refusal
from fieldguide.evaluation.learned_images import LearnedImages
from fieldguide.evaluation.tag_result import TagOutcomes, TagsWithout, measure_tags

CLASSES = ("beach", "dog", "dusk")


@pytest.fixture
def outcomes():
    tags = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, -1]], np.int8)
    probabilities = np.array([[0.9, 0.8, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.1], [0.7, 0.2, 0.9]])
    return TagOutcomes.of(
        tags,
        probabilities,
        np.array([0.5, 0.5, 0.001, 0.5]),
        thresholds=np.array([0.5, 0.5, 0.5]),
        set_threshold=0.25,
        unknown_threshold=0.01,
    )


def test_figures_of_four_photos(outcomes):
    measured = measure_tags(outcomes, CLASSES, (Refusal("x.jpg", "truncated", "it ends early"),))
    answer = json.loads(json.dumps(measured.as_dict(), allow_nan=False))
    assert answer["task"] == "multiple"
    assert answer["n"] == 4
    assert answer["exact_match"]["value"] == 0.75  # what is not known of dusk is no mistake
    assert answer["micro_precision"]["value"] == pytest.approx(3 / 4)
    assert answer["micro_recall"]["value"] == pytest.approx(3 / 4)
    assert answer["map"]["value"] == pytest.approx(1.0)
    assert answer["coverage"]["value"] == 1.0
    assert answer["unknown_rate"] == 0.25
    assert answer["mean_labels"] == pytest.approx(5 / 4)
    assert answer["taken_for"] == [{"missed": "dog", "given": "beach", "n": 1}]
    assert [row["label"] for row in answer["per_class"]] == list(CLASSES)
    assert answer["per_class"][2]["ap"] is None
    assert answer["refused"][0]["path"] == "x.jpg"


def test_tags_given_are_in_the_set_whatever_its_threshold(outcomes):
    assert (outcomes.members >= outcomes.given).all()
    strict = TagOutcomes.of(
        outcomes.tags,
        outcomes.probabilities,
        outcomes.typicality,
        thresholds=np.full(3, 0.5),
        set_threshold=0.95,
        unknown_threshold=0.01,
    )
    assert (strict.members == strict.given).all()


def test_photos_that_were_learned_from_are_told_apart(outcomes):
    part = TagsWithout.learned(LearnedImages((True, False, False, None)), outcomes)
    assert (part.n, part.of, part.n_without) == (1, 3, 2)
    assert part.map_without.value == 1.0
    assert "1 of 3 photos" in part.summary
    assert TagsWithout.learned(LearnedImages((False,) * 4), outcomes).summary == ""
    assert TagsWithout.learned(LearnedImages((True,) * 4), outcomes).map_without is None


def test_curves_of_tags_are_read_off_for_json(outcomes):
    measured = measure_tags(outcomes, CLASSES)
    answer = json.loads(json.dumps(measured.as_dict(), allow_nan=False))
    roc, ranked = answer["curves"]["roc"], answer["curves"]["precision_recall"]
    assert {len(line) for line in (*roc.values(), *ranked.values())} == {101}
    assert ranked["precision"] == [1.0] * 101  # beach and dog are ranked without a mistake
    assert roc["recall"][-1] == 1
    beach, _, dusk = answer["per_class"]
    assert (beach["auroc"], beach["precision_at_recall"]) == (1.0, [1.0] * 11)
    assert dusk["auroc"] is dusk["precision_at_recall"] is None


def test_without_a_tag_on_some_photos_alone_curves_are_empty(outcomes):
    everywhere = dataclasses.replace(outcomes, tags=np.ones((4, 3), np.int8))
    curves = measure_tags(everywhere, CLASSES).as_dict()["curves"]
    assert all(line == [] for curve in curves.values() for line in curve.values())


def test_photos_whose_tags_were_changed_are_told_apart(outcomes):
    part = TagsWithout.corrected(np.array([True, False, False, True]), 2, outcomes)
    assert (part.n, part.of, part.n_without) == (2, 4, 2)
    assert (
        part.map_without.value
        == TagsWithout.learned(LearnedImages((True, False, False, None)), outcomes).map_without.value
    )
    answer = dataclasses.replace(measure_tags(outcomes, CLASSES), corrections=part).as_dict()["corrections"]
    assert (answer["relabelled"], answer["dropped"], answer["n_without"]) == (2, 2, 2)
    assert "tags of 2 of the photos measured were changed and 2 photos left out" in answer["message"]
