"""How far each stage moved, as bars."""

import pytest

pytest.importorskip("matplotlib", reason="the extra report is not installed")

from matplotlib.figure import Figure

from fieldguide.learning.movement_plot import LONGEST, MOST_BARS, draw_movement
from fieldguide.recipes.training_outcome import StageMovement, TrainingOutcome


def drawn(*stages):
    axes = Figure().subplots()
    draw_movement(axes, TrainingOutcome(stages))
    return axes


def test_every_stage_is_a_bar_in_its_order():
    axes = drawn(StageMovement("stem", 0.0), StageMovement("blocks.0", 0.02), StageMovement("x" * 99, 0.35))
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0, 2, 35])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["stem", "blocks.0", "x" * LONGEST]
    assert axes.yaxis_inverted()
    assert [text.get_text() for text in axes.texts] == ["0", "2", "35"]


def test_of_many_stages_those_that_moved_most_are_drawn():
    axes = drawn(*(StageMovement(str(number), number) for number in range(MOST_BARS + 6)))
    assert axes.get_yticklabels()[0].get_text() == "6" and len(axes.patches) == MOST_BARS
