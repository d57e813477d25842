"""What training did to a network's weights, as card and JSON hold it."""

import json

import pytest

from fieldguide.recipes.training_outcome import LONGEST, HandedBack, StageMovement, TrainingOutcome

STAGES = tuple(StageMovement(name, moved) for name, moved in [("a", 0.0), ("b", 0.021), ("c", 0.35)])


@pytest.mark.parametrize("point", [None, HandedBack("a pool", 1.0, 0.5, 0.6)])
def test_what_was_written_is_read(point):
    outcome = TrainingOutcome(STAGES, point)
    assert TrainingOutcome.read(json.loads(json.dumps(outcome.as_dict()))) == outcome


@pytest.mark.parametrize(
    "found",
    [
        None,
        "text",
        {},
        {"stages": []},
        {"stages": [{"stage": "a"}]},
        {"stages": [{"stage": "a", "moved": "far"}]},
        {"stages": [{"stage": "a", "moved": float("nan")}]},
        {"stages": [{"stage": "a", "moved": -1}]},
        {"stages": [{"stage": "a", "moved": 1e300}]},
        {"stages": [{"stage": "a", "moved": 1}], "handed_back": {"point": "x"}},
    ],
)
def test_what_another_program_wrote_is_no_outcome(found):
    assert TrainingOutcome.read(found) is None


def test_a_long_name_is_cut():
    read = TrainingOutcome.read({"stages": [{"stage": "x" * 1000, "moved": 1}]})
    assert read is not None and read.stages[0].stage == "x" * LONGEST


def test_the_sentence_names_the_ends():
    assert TrainingOutcome(STAGES).summary() == (
        "weights moved by at most 35 % of their length in c, by 2.1 % in b, and by 0 % at least, in a"
    )
    assert TrainingOutcome(STAGES[2:]).summary() == "weights moved by at most 35 % of their length in c"
