"""The page of a measurement of tags."""

import numpy as np

from fieldguide.displays import summary
from fieldguide.evaluation.tag_result import TagOutcomes, measure_tags


def answer(**more):
    tags = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 5, np.int8)
    probabilities = np.where(tags == 1, 0.8, 0.3)
    probabilities[0] = (0.2, 0.9)
    outcomes = TagOutcomes.of(
        tags,
        probabilities,
        np.ones(20),
        thresholds=np.full(2, 0.5),
        set_threshold=0.25,
        unknown_threshold=0.01,
    )
    return {**measure_tags(outcomes, ("beach", "dog")).as_dict(), **more}


def test_figures_weak_tags_and_pairs():
    page = "\n".join(summary.lines(answer()))
    assert "20 photos measured" in page
    assert "mean average precision" in page
    assert "sets hold of the truth" in page
    assert "beach: F1 0.95" in page
    assert "beach missed, dog given: 1" in page


def test_what_must_not_be_overlooked_comes_first():
    part = {"n": 3, "of": 20, "message": "3 of 20 photos ...", "n_without": 0, "map_without": None}
    lines = list(summary.lines(answer(learned_from=part, leaks={**part, "message": "3 leak"})))
    assert lines[0] == "careful: 3 of 20 photos ..."
    assert any("nothing is left to measure on" in line for line in lines)
    assert any("3 leak" in line for line in lines)
