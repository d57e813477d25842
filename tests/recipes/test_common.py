"""What every recipe takes: numbers among its settings, and features that fits share."""

import pytest

from fieldguide.errors import OptionError
from fieldguide.recipes import common
from fieldguide.recipes.common import Options, Run, number_option


def number(value, **limits):
    return number_option(Options(settings={"rate": value}), "rate", **limits)


@pytest.mark.parametrize(("value", "limits"), [(0.5, {"least": 0}), (1, {"least": 0, "most": 1})])
def test_a_number_in_range_is_taken(value, limits):
    assert number(value, **limits) == value
    assert isinstance(number(value, **limits), float)


def test_the_least_may_be_allowed_itself():
    assert number(0, least=0, least_is_allowed=True) == 0
    with pytest.raises(OptionError, match="rate: must be a number, more than 0; got 0"):
        number(0, least=0)


def test_what_was_not_given_is_none():
    assert number_option(Options(), "rate", least=0) is None


@pytest.mark.parametrize("value", [True, "0.5", float("nan"), float("inf"), 2, -1])
def test_what_is_no_number_or_out_of_range_is_told(value):
    with pytest.raises(OptionError, match="rate: must be a number, more than 0 and at most 1; got"):
        number(value, least=0, most=1)


def test_features_come_from_what_fits_share_where_there_is_such(monkeypatch):
    monkeypatch.setattr(common, "extract", lambda paths, body, **where: ("extracted", paths, where["cache"]))

    class Memory:
        def extract(self, paths, body, progress):
            return "remembered", paths

    assert Run(memory=Memory()).extract(["a"], None) == ("remembered", ["a"])
    assert Run(cache="c").extract(["a"], None) == ("extracted", ["a"], "c")
