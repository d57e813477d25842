"""The switches of augmentation, as a person sets them."""

import math

import pytest

from fieldguide.errors import OptionError
from fieldguide.training.augment.switches import SWITCHES, check, parse


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rotat=10", "its switches are flip, rotate, .* got 'rotat'; did you mean rotate?"),
        ("zoom=2", "its switches are flip, .* got 'zoom'; write for example"),
        ("rotate", "rotate: must be a number from 0 to 180, got ''; rotate=0 turns it off"),
        ("rotate=much", "rotate: must be a number from 0 to 180, got 'much'"),
        ("rotate=nan", "rotate: must be a number from 0 to 180, got 'nan'"),
        ("rotate=181", "rotate: must be from 0 to 180, got 181; rotate=0 turns it off"),
        ("crop=0", "crop: must be from 0.05 to 1, got 0; crop=1 turns it off"),
        ("flip=-0.1", "flip: must be from 0 to 1, got -0.1"),
        ("flip=1,flip=0", "flip: may be set once, got it twice; leave one out"),
    ],
)
def test_a_wrong_switch_is_explained(text, words):
    with pytest.raises(OptionError, match=words):
        for name, value in parse(text).items():
            check(name, value)


def test_switches_are_names_and_numbers():
    assert parse(" rotate = 3, erase=0,mixup=.5 ,") == {"rotate": 3, "erase": 0, "mixup": 0.5}
    assert parse("") == {}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_may_be_off_and_at_either_end(name):
    low, high, off = SWITCHES[name]
    for value in (low, high, off):
        check(name, value)
    for value in (low - 0.01, high + 0.01, math.nan):
        with pytest.raises(OptionError, match=f"{name}: must be from"):
            check(name, value)
