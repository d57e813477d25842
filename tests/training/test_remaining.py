"""What is left of a training, said after each pass."""

import pytest

from fieldguide.training.remaining import Remaining, history_row, passes, time_left

ROW = {"epoch": 4, "train_loss": 0.5}


def test_what_is_put_beside_a_row_can_be_taken_away_again():
    told = Remaining(9, 360.0, 900.0).beside(ROW)
    assert told == {**ROW, "epochs": 9, "seconds_left": 360.0, "seconds_allowed": 900.0}
    assert history_row(told) == ROW
    assert passes(told) == "4 of 9"


@pytest.mark.parametrize(
    ("left", "allowed", "said"),
    [
        (360.0, 900.0, "6 of 15 min left"),
        (60.0, 120.0, "1 of 2 min left"),
        (59.9, 120.0, "under 1 of 2 min left"),
        (-3.0, 119.0, "0 of 119 s left"),
    ],
)
def test_the_time_is_said_in_minutes_or_seconds(left, allowed, said):
    assert time_left(Remaining(9, left, allowed).beside(ROW)) == said


def test_where_no_clock_ends_it_no_time_is_said():
    assert time_left(Remaining(9).beside(ROW)) is None
    assert passes(ROW) == "4"
