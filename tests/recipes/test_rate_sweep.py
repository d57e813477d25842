"""The rate that a sweep suggests."""

import math

import pytest

from fieldguide.recipes.rate_sweep import RateSweep

RATES = tuple(10 ** (number / 20 - 5) for number in range(100))


def swept(loss):
    return RateSweep("cnn", 0.24, RATES, tuple(loss(rate) for rate in RATES))


def test_it_lies_where_the_loss_falls_and_well_below_where_it_is_lowest():
    found = swept(lambda rate: 1 / (1 + rate / 1e-3) + 20 * rate**2)
    lowest = RATES[min(range(100), key=lambda number: found.smoothed[number])]
    assert 1e-4 < found.suggested <= lowest / 9
    assert found.sentence() == f"suggested: --learning-rate {found.suggested:g}; without it, 0.24 is taken"


@pytest.mark.parametrize("loss", [lambda rate: 1.0, lambda rate: 1 + rate, lambda rate: 1 - 1e-3 * rate])
def test_where_nothing_lowers_the_loss_none_is_suggested(loss):
    assert swept(loss).suggested is None
    assert "no rate lowered the loss within 100 steps: keep the usual one, 0.24" in swept(loss).sentence()


def test_few_steps_show_nothing():
    assert RateSweep("cnn", 0.24, RATES[:9], tuple(9.0 - n for n in range(9))).suggested is None


def test_the_mean_of_losses_begins_with_the_first():
    assert RateSweep("cnn", 1, RATES, (2.0,) * 100).smoothed == pytest.approx((2.0,) * 100)
    assert math.isclose(RateSweep("cnn", 1, RATES, (2.0, 1.0)).smoothed[1], (0.9 * 2 + 1) / 1.9)


def test_the_answer_as_data_has_everything():
    told = swept(lambda rate: 1.0).as_dict()
    assert set(told) == {"recipe", "usual", "suggested", "rates", "losses", "smoothed"}
    assert len(told["rates"]) == len(told["losses"]) == len(told["smoothed"]) == 100
