"""`fieldguide novelty`: a class that a model never saw."""

from fieldguide import cli
from fieldguide.displays import novelty


def test_a_command_answers_to_the_name_it_had_before(capsys):
    assert cli.main(["rehearse", "--help"]) == 0
    before = capsys.readouterr().out
    assert cli.main(["novelty", "--help"]) == 0
    assert before.replace("rehearse", "novelty") == capsys.readouterr().out


def result(*classes):
    share = {"value": 0.5, "low": 0.25, "high": 0.75}
    rows = [
        {
            "label": name,
            "n": 8,
            "auroc": share,
            "auroc_of_probability": {"value": 0.9, "low": 0.8, "high": 0.95},
            "miss_rate": share,
            "taken_for": [{"label": "dog"}] if name == "wolf" else [],
        }
        for name in classes
    ]
    means = {"mean_auroc": 0.5, "mean_auroc_of_probability": 0.9, "mean_miss_rate": 0.5, "threshold": 0.01}
    return {"classes": rows, "not_applicable": {"emu": "one photo"}, **means}


def test_each_class_is_a_line_and_the_rest_a_sentence():
    told = list(novelty.lines_of(result("wolf", "cat")))
    assert told[1] == (
        "  wolf: AUROC 0.500 (0.250 to 0.750), 50% of 8 missed (25% to 75%), mostly taken for dog"
    )
    assert told[2].endswith("missed (25% to 75%)")
    assert "  emu: not applicable: one photo" in told
    assert told[-1].startswith("2 of 2 classes are told better by a low probability")


def test_of_many_classes_the_first_are_shown():
    told = list(novelty.lines_of(result(*(f"class {number}" for number in range(35)))))
    assert "  5 more; --json lists them all" in told
