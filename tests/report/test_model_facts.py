"""The card in words."""

from dataclasses import replace

import pytest

from fieldguide.report import model_facts
from report_made import blocks


def facts(made):
    return dict(blocks(model_facts.section(made), "facts")[0].rows)


def test_the_card_is_told(measured):
    told = {name: value.replace("\N{NO-BREAK SPACE}", " ") for name, value in facts(measured).items()}
    assert told["recipe"] == "linear-probe fast"
    assert told["backbone"] == "tiny, licence MIT"
    assert told["trained on"] == "30 photos"
    assert told["accuracy then"] == "90.0 %, measured on out-of-fold photos"
    assert told["sees"] == "32 × 32 pixels, the whole photo made square"
    assert told["unknown"] == "below a typicality of 0.01"
    assert told["prediction set"] == "every class of at least 0.200; holds the truth for 95 %"
    assert told["file"] == f"SHA-256 {'0' * 64}"
    purpose = blocks(model_facts.section(measured), "text")[0].text
    assert purpose.startswith("It tells apart 6 classes: ant, bee, cow, dog, eel and fox.")


def test_choices_stand_in_their_order(measured):
    made = replace(measured, card={**measured.card, "choices": ["one", "two"]})
    assert blocks(model_facts.section(made), "facts")[1].rows == (("choice 1", "one"), ("choice 2", "two"))


@pytest.mark.parametrize(
    ("changes", "absent"),
    [({"backbone": None}, "backbone"), ({"seed": None}, "seed"), ({"metrics": {}}, "accuracy then")],
)
def test_what_the_card_does_not_say_is_left_out(measured, changes, absent):
    assert absent in facts(measured)
    assert absent not in facts(replace(measured, card={**measured.card, **changes}))


@pytest.mark.parametrize(
    ("least", "said"),
    [
        (1.0, "just the tags given;"),
        (0.0, "every tag;"),
        (0.25, "the tags given and those of at least 0.25;"),
    ],
)
def test_the_set_of_tags_is_told_as_it_is(measured, least, said):
    limits = {"tags": [0.4, 0.6], "set": least, "coverage": 0.95, "unknown": 0.01}
    card = {**measured.card, "task": "multiple", "thresholds": limits}
    assert facts(replace(measured, card=card))["set"].startswith(said)
