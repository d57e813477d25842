"""The share of training that is done, also where training is made shorter or longer on its way."""

import pytest

from fieldguide.training.schedule import Schedule


def test_the_share_grows_evenly_and_ends_at_the_whole():
    schedule = Schedule([[0, 8]])
    assert [schedule.share(step) for step in range(9)] == [step / 8 for step in range(9)]
    assert schedule.share(9) == 1.0


def test_changed_twice_it_goes_on_where_it_was_and_ends_at_the_whole():
    schedule = Schedule([[0, 100]]).changed(20, 60).changed(40, 50)
    assert schedule.steps == 50
    shares = [schedule.share(step) for step in range(51)]
    assert shares[20] == pytest.approx(0.2)
    assert shares[40] == pytest.approx(0.2 + 0.8 * 20 / 40)
    assert shares[50] == 1.0
    assert shares == sorted(shares)


def test_made_longer_again_it_goes_on_more_slowly():
    schedule = Schedule([[0, 100]]).changed(20, 60).changed(40, 80)
    assert schedule.share(40) == pytest.approx(0.6)
    assert schedule.share(60) == pytest.approx(0.8)
    assert schedule.share(80) == 1.0


def test_what_it_would_be_changes_nothing():
    schedule = Schedule([[0, 10]])
    assert schedule.changed(5, 7).share(6) == pytest.approx(0.75)
    assert schedule.share(6) == 0.6
