"""A pass in one line."""

import pytest

from fieldguide.learning.history_line import bars, line
from fieldguide.training.remaining import Remaining

ROW = {
    "epoch": 2,
    "train_loss": 0.5,
    "validation_loss": 0.25,
    "validation_accuracy": 0.875,
    "learning_rate": 0.001,
    "seconds": 3.6,
}


def test_an_epoch_is_a_line():
    assert line(ROW, [0.5, 0.25]) == (
        "epoch 2: loss 0.500, held out 0.250 █▁ accuracy 0.875, rate 0.001, 4 s"
    )


@pytest.mark.parametrize(
    ("values", "drawn"), [([1.0], "▁"), ([2.0, 2.0], "▁▁"), ([0.0, 1.0], "▁█"), ([0.0, 0.5, 1.0], "▁▅█")]
)
def test_bars_go_from_the_lowest_to_the_highest(values, drawn):
    assert bars(values) == drawn


def test_only_the_last_values_are_drawn():
    assert bars([100.0] + [1.0] * 4, most=4) == "▁▁▁▁"
    assert len(bars([float(number) for number in range(50)])) == 20


def test_an_epoch_of_tags_is_a_line():
    row = {"validation_map" if name == "validation_accuracy" else name: value for name, value in ROW.items()}
    assert " mean average precision 0.875, rate 0.001" in line(row, [0.25])


def test_with_a_clock_the_line_says_what_is_left_and_fits_80_columns():
    told = Remaining(19, 372.0, 790.0).beside({**ROW, "epoch": 14})
    said = line(told, [1 / number for number in range(1, 15)])
    assert said.startswith("epoch 14 of 19: loss 0.500, held out 0.250 ")
    assert said.endswith(" accuracy 0.875, 6 of 13 min left")
    assert 70 < len(said) <= 80 and "rate" not in said
