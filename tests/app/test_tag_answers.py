"""What chips and sentences say of tags; tests/app/test_tag_pages.py has the pages."""

from types import SimpleNamespace

import numpy as np

from fieldguide.app.tag_answers import doubt, likeliest, probabilities, shown
from fieldguide.prediction.result import TagDecisionRule

CLASSES = ("dog", "sea", "sun")
MODEL = SimpleNamespace(thresholds={"coverage": 0.95, "set": 0.2, "unknown": 0.01})


def answer(*shares, typicality=0.5):
    given_from = np.array([0.5, 0.3, 0.9], np.float32)
    rule = TagDecisionRule(CLASSES, 0.01, set_from=0.2, top=3, given_from=given_from)
    return rule("a.jpg", np.array(shares, np.float32), np.float32(typicality))


def test_tags_given_come_first_even_where_others_are_more_probable():
    found = answer(0.1, 0.4, 0.6)
    assert likeliest(found, CLASSES) == ["sea", "sun", "dog"]
    assert [round(share, 2) for share in probabilities(found, CLASSES).values()] == [0.1, 0.4, 0.6]


def test_the_promise_is_said_of_what_is_shown():
    held = "hold at least 95 % of a photo's true tags, on average over photos."
    assert doubt(MODEL, answer(0.9, 0.9, 0.95)) == f"These {held}"
    assert doubt(MODEL, answer(0.9, 0.1, 0.5)) == (
        f"Dashed tags are possible, too. All of these together {held}"
    )
    assert doubt(MODEL, answer(0.1, 0.1, 0.1)) == "No tag is likely enough to be counted in."
    assert doubt(MODEL, answer(0.9, 0.9, 0.9, typicality=0.0)).endswith("these would be the likeliest.")
    without = SimpleNamespace(thresholds={"coverage": None})
    assert doubt(without, answer(0.9, 0.9, 0.95)) == ""


def test_tags_stand_in_a_sentence_as_text():
    assert shown(["a*b", "c"]) == "**a\\*b**, **c**"
    assert shown([]) == "**none of the tags**"
