"""The history of a training run as a picture."""

import pytest
from PIL import Image

from fieldguide.errors import OptionError

pytest.importorskip("matplotlib", reason="the extra report is not installed")

from fieldguide.learning.history_plot import draw, figure_of
from fieldguide.recipes.training_outcome import HandedBack, StageMovement, TrainingOutcome

HISTORY = [
    {
        "epoch": number,
        "train_loss": 1 / number,
        "validation_loss": 1.5 / number,
        "validation_accuracy": 0.5 + 0.1 * number,
        "learning_rate": 0.01 * number,
    }
    for number in (1, 2, 3)
]


def test_every_number_is_drawn_and_the_kept_epoch_marked():
    losses, accuracy, rate = figure_of(HISTORY, kept_epoch=2).axes
    drawn = [[list(line.get_ydata()) for line in axes.get_lines()] for axes in (losses, accuracy, rate)]
    assert drawn[0][:2] == [[row[name] for row in HISTORY] for name in ("train_loss", "validation_loss")]
    assert drawn[1][0] == [row["validation_accuracy"] for row in HISTORY]
    assert drawn[2] == [[row["learning_rate"] for row in HISTORY]]
    assert [list(axes.get_lines()[-1].get_xdata()) for axes in (losses, accuracy)] == [[2, 2]] * 2
    assert len(figure_of(HISTORY, kept_epoch=None).axes[1].get_lines()) == 1


def test_the_file_is_a_picture_and_the_same_each_time(tmp_path):
    for name in ("a.png", "b.png"):
        draw(HISTORY, 3, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.format == "PNG" and opened.width > 1000


def test_without_epochs_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(OptionError, match="--plot: this recipe does not train in epochs"):
        draw([], None, tmp_path / "a.png")


def test_of_tags_the_precision_is_drawn():
    rows = [
        {"validation_map" if name == "validation_accuracy" else name: value for name, value in row.items()}
        for row in HISTORY
    ]
    _, measured, _ = figure_of(rows, kept_epoch=None).axes
    assert list(measured.get_lines()[0].get_ydata()) == [row["validation_map"] for row in rows]
    assert measured.get_ylabel() == "mean average precision on images held out"


@pytest.mark.parametrize(
    ("way", "weight", "named"),
    [
        (0.0, 1.0, "handed back: probe"),
        (0.4, 1.0, "handed back: 40% of the way"),
        (1.0, 1.0, "handed back: network"),
        (1.0, 0.25, "handed back: pool, 0.25 network"),
    ],
)
def test_the_point_handed_back_and_what_each_stage_learned_are_drawn(way, weight, named):
    outcome = TrainingOutcome((StageMovement("stem", 0.1),), HandedBack("x", way, weight, 0.75))
    losses, *_, moved = figure_of(HISTORY, None, outcome).axes
    assert list(losses.get_lines()[-1].get_ydata()) == [0.75, 0.75]
    assert [text.get_text() for text in losses.get_legend().get_texts()][-1] == named
    assert len(moved.patches) == 1 and "weights moved" in moved.get_xlabel()


def test_where_there_is_no_probe_no_point_is_drawn():
    outcome = TrainingOutcome((StageMovement("stem", 0.1),))
    figure = figure_of(HISTORY, None, outcome)
    assert len(figure.axes) == 4 and len(figure.axes[0].get_lines()) == 2
