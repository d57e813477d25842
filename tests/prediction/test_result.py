"""From a row of numbers to an answer, by the rules of a model's card."""

import numpy as np
import pytest

from fieldguide.prediction.result import DecisionRule, TagDecisionRule, refused


def judged(probabilities, *, set_from=0.25, top=5, typicality=0.5):
    judge = DecisionRule(("a", "b", "c", "d"), 0.01, set_from, top)
    return judge("x", np.array(probabilities, np.float32), np.float32(typicality))


@pytest.mark.parametrize(
    ("probabilities", "set_from", "expected"),
    [
        ([0.1, 0.6, 0.3, 0.0], 0.25, ("b", "c")),
        ([0.1, 0.6, 0.3, 0.0], 0.3, ("b", "c")),
        ([0.1, 0.6, 0.3, 0.0], 0.7, ()),
        ([0.1, 0.6, 0.3, 0.0], None, ("b",)),
        ([0.25, 0.25, 0.25, 0.25], 0.25, ("a", "b", "c", "d")),
        ([0.1, 0.6, 0.3, 0.0], 0.0, ("b", "c", "a", "d")),
    ],
)
def test_the_set_holds_what_reaches_the_threshold(probabilities, set_from, expected):
    assert judged(probabilities, set_from=set_from).set == expected


def test_the_set_does_not_depend_on_how_many_are_listed():
    answer = judged([0.3, 0.3, 0.4, 0.0], top=1)
    assert answer.set == ("c", "a", "b")
    assert answer.top == (("c", 0.4),)
    assert judged([0.3, 0.3, 0.4, 0.0], top=0).top == ()
    assert len(judged([0.3, 0.3, 0.4, 0.0], top=9).top) == 4


def test_numbers_are_as_short_as_they_are_exact():
    assert repr(judged([0.97, 0.01, 0.01, 0.01]).probability) == "0.97"


@pytest.mark.parametrize(("typicality", "unknown"), [(0.0099, True), (0.01, False), (1.0, False)])
def test_unknown_is_below_the_threshold(typicality, unknown):
    assert judged([1, 0, 0, 0], typicality=typicality).unknown is unknown


def test_equal_probabilities_stand_in_the_models_order():
    answer = judged([0.3, 0.4, 0.3, 0.0])
    assert answer.label == "b"
    assert [label for label, _ in answer.top] == ["b", "a", "c", "d"]


def test_a_refused_input_has_its_reason_and_nothing_else(tmp_path):
    answer = refused(tmp_path / "a.jpg", "truncated", "it ends early")
    assert answer.path == str(tmp_path / "a.jpg")
    assert answer.as_dict()["error"] == {"code": "truncated", "message": "it ends early"}
    assert (answer.label, answer.unknown, answer.set, answer.top) == (None, None, (), ())
    assert refused(None, "wrong_type", "m").path is None


RULE = TagDecisionRule(
    ("cat", "dog", "sea"), 0.01, 0.2, top=2, given_from=np.array([0.5, 0.3, 0.95], np.float32)
)


def tags_of(*probabilities, typicality=0.5):
    return RULE("a.jpg", np.array(probabilities, np.float32), np.float32(typicality))


def test_each_tag_has_its_own_threshold():
    answer = tags_of(0.6, 0.31, 0.9)
    assert answer.labels == ("cat", "dog")
    assert answer.set == ("sea", "cat", "dog")
    assert (answer.label, answer.answer) == ("sea", "cat|dog")
    assert answer.as_dict()["labels"] == ["cat", "dog"]


def test_no_tag_is_an_answer_and_so_is_unknown():
    assert (tags_of(0.1, 0.1, 0.1).labels, tags_of(0.1, 0.1, 0.1).answer) == ((), "")
    assert tags_of(0.9, 0.1, 0.1, typicality=0.001).answer == "unknown"


def test_what_is_given_is_in_the_set_even_below_its_threshold():
    loose = TagDecisionRule(("cat", "dog"), 0.01, 0.9, top=2, given_from=np.array([0.1, 0.95], np.float32))
    answer = loose("a.jpg", np.array([0.2, 0.92], np.float32), np.float32(0.5))
    assert (answer.labels, answer.set) == (("cat",), ("dog", "cat"))


def test_without_a_promise_the_set_are_the_tags_given():
    plain = TagDecisionRule(("cat", "dog"), 0.01, None, top=2, given_from=np.array([0.5, 0.5], np.float32))
    assert plain("a.jpg", np.array([0.2, 0.92], np.float32), np.float32(0.5)).set == ("dog",)


def test_a_refused_input_has_no_tags():
    answer = RULE.refused("a.jpg", "truncated", "it ends early")
    assert (answer.labels, answer.answer) == ((), "refused")
    assert "labels" not in refused("a.jpg", "truncated", "it ends early").as_dict()
