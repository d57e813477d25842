"""`compare` and `novelty`: the command's JSON."""

import pytest

import fieldguide


def timeless(answer):
    """Without what a clock or an earlier run decides."""
    rows = [
        {key: value for key, value in row.items() if key != "seconds"} for row in answer.pop("candidates")
    ]
    hidden = ("folds_from_earlier_runs", "reason", "recommended")
    return rows, {key: value for key, value in answer.items() if key not in hidden}


@pytest.mark.parametrize("curve", [False, True])
def test_the_same_call_gives_the_same_comparison(photos, command, curve):
    flags = ["--recipes", "linear-probe,svm", "--presets", "fast", "--folds", 2, "--seed", 1]
    _, answer = command("compare", photos, *flags, *(["--curve"] if curve else []))
    result = fieldguide.compare(
        photos, recipes=["linear-probe", "svm"], presets=["fast"], folds=2, seed=1, curve=curve
    )
    assert timeless(result.as_dict()) == timeless(answer)
    assert ("learning_curve" in result.as_dict()) is curve
    assert [refusal.code for refusal in result.refused] == ["truncated"]


def test_the_same_call_gives_the_same_novelty(photos, command):
    _, answer = command("novelty", photos, "--preset", "fast")
    assert fieldguide.novelty(photos, preset="fast").as_dict() == answer
