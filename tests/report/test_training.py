"""The history of training in the report."""

import dataclasses

import pytest

from fieldguide.report import training
from report_made import material, sections

EPOCHS = [
    {
        "epoch": number,
        "train_loss": 1.5 / number,
        "validation_loss": 1.2 / number,
        "validation_accuracy": 0.6 + 0.1 * number,
        "learning_rate": 0.01,
        "note": "text",
    }
    for number in (1, 2, 3)
]


def test_training_that_had_epochs_shows_them(tmp_path):
    made = sections(material(tmp_path / "photos", each=3, history=EPOCHS))["history"]
    (picture,) = made.blocks
    told = picture.alt.replace("\N{NO-BREAK SPACE}", " ")
    assert told == (
        "Training over 3 epochs: held-out loss 1.200 at first, 0.400 at last; held-out accuracy 90.0 %."
    )
    assert picture.numbers.columns == tuple(EPOCHS[0])[:-1]  # what is no number is in no table of numbers
    assert picture.numbers.rows == tuple(tuple(row.values())[:-1] for row in EPOCHS)
    lines = [line for axes in picture.drawing.figure.axes for line in axes.get_lines()]
    drawn = [list(line.get_ydata()) for line in lines]
    for key in ("train_loss", "validation_loss", "validation_accuracy"):
        assert [row[key] for row in EPOCHS] in drawn, key


def test_training_of_tags_is_told_by_mean_average_precision(tmp_path):
    epochs = [
        {"validation_map" if name == "validation_accuracy" else name: value for name, value in row.items()}
        for row in EPOCHS
    ]
    made = sections(material(tmp_path / "photos", each=3, history=epochs))["history"]
    told = made.blocks[0].alt.replace("\N{NO-BREAK SPACE}", " ")
    assert told.endswith("held-out mean average precision 90.0 %.")


def test_what_each_stage_learned_is_drawn_and_told(tmp_path):
    outcome = {"stages": [{"stage": "stem", "moved": 0.1}], "handed_back": None}
    made = sections(material(tmp_path / "photos", each=3, history=EPOCHS, outcome=outcome))["history"]
    (picture,) = made.blocks
    assert picture.alt.endswith(" Weights moved by at most 10 % of their length in stem.")
    assert len(picture.drawing.figure.axes) == 4


@pytest.mark.parametrize("history", [None, "text", [1, 2], [{"epoch": 1}], [EPOCHS[0], {"epoch": 2}]])
def test_a_history_that_is_none_is_left_out(tmp_path, history):
    assert "history" not in sections(material(tmp_path / "photos", each=3, history=history))


def test_a_curve_of_tags_is_drawn_by_mean_average_precision(measured):
    points = [{"images": 10 * n, "map": {"value": n / 4, "low": 0.1, "high": 0.9}} for n in (1, 2, 3)]
    made = dataclasses.replace(measured, learning_curve={"points": points, "sentence": "more would help"})
    (picture,) = [block for block in training.curve(made).blocks if block.kind == "picture"]
    assert picture.numbers.columns[1] == "mean average precision"
    assert picture.numbers.rows[0] == (10.0, 0.25, 0.1, 0.9)
