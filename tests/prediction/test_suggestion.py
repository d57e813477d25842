"""A suggestion in words and as a row."""

import numpy as np

from fieldguide.prediction.result import TagDecisionRule
from fieldguide.prediction.suggestion import TagSuggestion

CLASSES = ("ant", "bee", "cow", "doe", "elk")


def suggestion(*probabilities):
    rule = TagDecisionRule(CLASSES, 0.01, None, 2, given_from=np.full(5, 0.5, np.float32))
    return TagSuggestion.of(rule("a.jpg", np.array(probabilities, np.float32), np.float32(0.5)), CLASSES)


def test_the_reason_names_the_least_sure_tags_first_and_not_all():
    found = suggestion(0.4, 0.5, 0.62, 0.3, 0.99)
    assert found.doubt() == "unsure of 'bee' 0.50, 'ant' 0.40, 'cow' 0.62"
    assert (found.least_sure, found.probability) == ("bee", 0.5)


def test_tags_that_are_surely_there_or_not_are_no_doubts():
    found = suggestion(0.81, 0.19, 0.01, 0.99, 0.9)
    assert (found.doubt(), found.sure()) == ("", "'doe', 'elk', 'ant'")
    assert found.guess == "doe, elk, ant"


def test_a_row_holds_what_files_of_results_hold():
    row = suggestion(0.9, 0.5, 0.01, 0.01, 0.01).as_dict()
    assert row["suggested"] == "ant|bee"
    assert "unsure" not in row
