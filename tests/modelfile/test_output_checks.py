"""What cannot be an answer is not one: no numbers, shares outside of 0 to 1, rows that do not add up."""

import numpy as np
import pytest
from onnx import helper

import fieldguide
from fieldguide.errors import ModelFileError, RefusedInput
from fieldguide.modelfile.artifact import seal
from fieldguide.modelfile.output_checks import why_no_answer
from fieldguide.server.trial import warm
from tiny_model import card, tiny_proto, with_card

GOOD = np.array([0.7, 0.2, 0.1], np.float32)


@pytest.mark.parametrize(
    ("probabilities", "typicality", "reason"),
    [
        ([np.nan, 0.5, 0.5], 0.5, "is no number"),
        ([0.5, 0.5, 0.0], np.inf, "is no number"),
        ([1.2, -0.1, -0.1], 0.5, "has a probability of -0.1, outside of 0 to 1"),
        ([1.2, 0.0, 0.0], 0.5, "has a probability of 1.2, outside of 0 to 1"),
        (GOOD, 1.5, "has a typicality of 1.5, outside of 0 to 1"),
        (GOOD, -0.5, "has a typicality of -0.5, outside of 0 to 1"),
        ([0.5, 0.2, 0.1], 0.5, "has probabilities that add up to 0.8, not to 1"),
        ([0.0, 0.0, 0.0], 0.5, "has probabilities that add up to 0, not to 1"),
        ([0.9, 0.9, 0.9], 0.5, "has probabilities that add up to 2.7, not to 1"),
        (GOOD, 0.0, None),
        (GOOD + np.float32(1e-6), 1.0, None),
        ([1.00001, 0.0, -0.00001], 1.0, None),
    ],
)
def test_what_cannot_be_an_answer_is_named(probabilities, typicality, reason):
    row = np.asarray(probabilities, np.float32)
    assert why_no_answer(row, np.float32(typicality)) == reason
    rows = np.stack([GOOD, row])
    assert why_no_answer(rows, np.array([0.5, typicality], np.float32)) == reason
    assert why_no_answer(rows[::-1], np.array([typicality, 0.5], np.float32)) == reason


def test_no_image_and_shares_at_the_very_edge_are_an_answer():
    assert why_no_answer(np.zeros((0, 3), np.float32), np.zeros(0, np.float32)) is None
    edge = np.float64(1 + 1e-4)
    assert why_no_answer(np.array([edge, 0.0]), np.float32(1.0)) is None


def spoiled(tmp_path, output, *nodes):
    """The tiny model with nodes between what it computes and what it gives; grey images are spared."""
    proto = tiny_proto()
    for node in proto.graph.node:
        node.output[:] = [f"{name}_before" if name == output else name for name in node.output]
    proto.graph.node.extend(nodes)
    path = tmp_path / "model.onnx"
    path.write_bytes(seal(with_card(proto, card())))
    return fieldguide.load(path)


RED = np.full((16, 16, 3), (255, 0, 0), np.uint8)


@pytest.mark.parametrize(
    ("output", "operator", "reason", "of_grey"),
    [
        ("probabilities", "Sqrt", "add up to", "add up to"),
        ("probabilities", "Neg", "has a probability of -", "has a probability of -"),
        ("typicality", "Exp", "has a typicality of 2.7", None),  # of grey it is 1
    ],
)
def test_a_model_that_answers_so_is_refused_at_every_door(tmp_path, output, operator, reason, of_grey):
    model = spoiled(tmp_path, output, helper.make_node(operator, [f"{output}_before"], [output]))
    answer = model.predict([RED])[0]
    assert answer.label is None and answer.error.code == "no_answer"
    assert reason in answer.error.message
    with pytest.raises(RefusedInput, match=reason):
        model.explain(RED)
    if of_grey:
        with pytest.raises(ModelFileError, match=f"the model's answer to a grey image .*{of_grey}"):
            warm(model, 1)


def test_a_model_that_answers_as_it_should_is_not(tmp_path):
    assert spoiled(tmp_path, "nothing").predict([RED])[0].label == "red"
