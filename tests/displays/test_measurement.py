"""What measurements of single labels and of tags show alike."""

import types

from fieldguide.displays.measurement import compared, figures, foreign, warnings, weakest
from fieldguide.errors import Refusal

RANGE = {"value": 0.5, "low": 0.25, "high": 0.75}


def test_figures_with_ranges_come_first_and_missing_ones_are_left_out():
    page = figures({"map": RANGE, "f1": None}, {"map": "mean", "f1": "F1"}, [("log loss", 0.125, "in nats")])
    assert "0.250 to 0.750" in page and "0.125" in page and "in nats" in page
    assert ">F1<" not in page


def test_the_weakest_are_those_with_the_lowest_f1():
    rows = [
        {"label": name, "n": n, "f1": f1, "precision": 1, "recall": 1}
        for name, n, f1 in (("good", 3, 0.9), ("<weak>", 3, 0.1), ("none", 0, 0.0), ("perfect", 3, 1.0))
    ]
    (page,) = weakest(rows, "tags", "photos")
    assert page.index("&lt;weak&gt;") < page.index("good")
    assert "none" not in page and "perfect" not in page
    assert weakest(rows[2:], "tags", "photos") == []


def test_all_that_must_not_be_overlooked_is_said():
    measured = types.SimpleNamespace(
        shift=types.SimpleNamespace(summary="unlike"),
        refused=(Refusal("x", "empty", "m"),),
        strangers=(("fox", 2),),
        doubts=(types.SimpleNamespace(message="a doubt"),),
    )
    said = "".join(warnings(measured, ["seen"], "photo", "tags"))
    for text in ("seen", "unlike", "1 photo could not be read", "no tags of the model: fox", "a doubt"):
        assert text in said


def test_foreign_photos_and_other_models_only_where_there_are_some():
    assert foreign(types.SimpleNamespace(foreign=None)) == []
    against = {
        "models": [{"name": "a", "map": RANGE, "log_loss": 1.0}, {"name": "b", "map": None, "log_loss": 1.0}],
        "pairs": [{"sentence": "a is better"}],
    }
    page = "".join(compared(against, "map", "mean average precision"))
    assert "a is better" in page and ">a<" in page and ">b<" not in page
