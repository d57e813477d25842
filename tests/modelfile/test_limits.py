"""What a model cannot say."""

import pytest

from fieldguide.modelfile.limits import FROM_SCRATCH, limits_of


def card(held_out, **more):
    return {"thresholds": {"unknown": 0.01}, "metrics": {"n": held_out}, **more}


@pytest.mark.parametrize(("held_out", "begins"), [(1, "this model can never"), (99, "this model can never")])
def test_too_few_held_out(held_out, begins):
    (sentence,) = limits_of(card(held_out))
    assert sentence.startswith(begins)
    assert "100 are needed" in sentence


@pytest.mark.parametrize("held_out", [100, 300])
def test_coarse(held_out):
    (sentence,) = limits_of(card(held_out))
    assert sentence.startswith("typicality is coarse")


def test_a_network_from_scratch_says_unknown_of_few():
    assert limits_of(card(10_000, recipe="cnn")) == (FROM_SCRATCH,)
    assert limits_of(card(10_000, recipe="linear-probe")) == ()
    (never,) = limits_of(card(60, recipe="cnn"))
    assert never.startswith("this model can never say unknown")


@pytest.mark.parametrize(
    "given",
    [
        card(499),
        card(500),
        card(0),
        card(-1),
        {"metrics": {"n": 2}},
        card(10_000),
        card(None),
        card("7"),
        {},
        {"thresholds": {"unknown": 0.0}, "metrics": {"n": 5}},
    ],
)
def test_nothing_to_say(given):
    assert limits_of(given) == ()


def test_pretrained_and_what_a_card_says_itself():
    assert "typicality is 1" in limits_of({"recipe": "pretrained", "thresholds": {"unknown": 0.01}})[0]
    assert limits_of(card(3, limits=[])) == ()


def test_tags_that_cannot_reach_a_stated_precision_are_named():
    thresholds = {"unknown": 0.01, "precision": 0.9, "tags": [0.5, 1.0, 1]}
    card = {"classes": ["ant", "bee", "cow"], "thresholds": thresholds, "metrics": {"n": 5_000}}
    (said,) = limits_of(card)
    assert said.startswith("this model never gives 2 of its 3 tags ('bee', 'cow')") and "90%" in said
    assert limits_of(card | {"thresholds": thresholds | {"precision": None}}) == ()
    assert limits_of(card | {"thresholds": thresholds | {"tags": [0.5, 0.6, 0.7]}}) == ()
