"""How a model reacts to what was left out of its training."""

import types

import numpy as np
import pytest

from fieldguide.experiments.left_out import LeftOut, LeftOutTag, compared
from fieldguide.metrics.intervals import share


@pytest.fixture
def fields():
    known = types.SimpleNamespace(
        typicality=np.linspace(0.005, 1, 200), probabilities=np.tile([[0.9, 0.1]], (200, 1))
    )
    fitted = types.SimpleNamespace(out_of_fold=known, classes=("ant", "bee"))
    answers = types.SimpleNamespace(
        typicality=np.array([0.001, 0.5, 0.6]), probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    )
    return compared(fitted, answers)


def test_missed_are_those_that_look_familiar(fields):
    one = LeftOut(label="cow", **fields)
    assert (one.n, one.known) == (3, 200)
    assert one.miss_rate.value == pytest.approx(2 / 3)
    assert one.false_alarm_rate.value == 1 / 200
    assert one.taken_for == (("bee", 2),)
    assert one.as_dict()["taken_for"] == [{"label": "bee", "n": 2}]


def test_a_tag_says_beside_that_what_was_given(fields):
    one = LeftOutTag(
        label="cow", **fields, tagged=share(1, 3), with_others=4, unknown_with_others=share(0, 4)
    )
    answer = one.as_dict()
    assert answer["tagged"]["value"] == pytest.approx(1 / 3)
    assert answer["with_others"]["n"] == 4 and answer["with_others"]["unknown_rate"]["value"] == 0
    alone = LeftOutTag(label="cow", **fields, tagged=share(1, 3), with_others=0, unknown_with_others=None)
    assert alone.as_dict()["with_others"] == {"n": 0, "unknown_rate": None}
