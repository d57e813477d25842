"""filing.py: `predict(sort_into=…)` and `undo`, as scripts call them."""

import pytest

import fieldguide
from commands_made import paint
from fieldguide.api.filing import check_options
from fieldguide.errors import OptionError
from tiny_model import write_tiny_model


@pytest.fixture
def home(tmp_path):
    write_tiny_model(tmp_path / "model.onnx")
    for colour in ("red", "green", "grey"):
        paint(tmp_path / "new" / f"{colour}.png", colour)
    return tmp_path


def test_photos_are_sorted_and_put_back(home):
    done = fieldguide.predict(home / "model.onnx", home / "new", sort_into=home / "out", by="move")
    assert done.counts == {"move": 3}
    assert (home / "out" / "red" / "red.png").exists()
    assert (home / "out" / "unknown" / "grey.png").exists()
    assert list((home / "new").iterdir()) == []
    assert fieldguide.undo(done.tables[0]).moved_back == 3
    assert len(list((home / "new").iterdir())) == 3


def test_without_a_word_photos_are_copied(home):
    assert fieldguide.predict(home / "model.onnx", home / "new", sort_into=home / "out").counts == {"copy": 3}
    assert len(list((home / "new").iterdir())) == 3


def test_sidecars_are_written_and_go_along(home):
    done = fieldguide.predict(home / "model.onnx", home / "new", write_tags=True)
    assert done.as_dict() == {"counts": {"new": 2, "none": 1}, "left": []}
    assert "fieldguide|red" in (home / "new" / "red.png.xmp").read_text("utf-8")
    again = fieldguide.predict(home / "model.onnx", home / "new", write_tags=True, tag_unknown=True)
    assert again.counts == {"new": 1, "unchanged": 2}
    fieldguide.predict(home / "model.onnx", home / "new", sort_into=home / "out", by="move")
    assert (home / "out" / "unknown" / "grey.png.xmp").exists()


NOTHING = {**dict.fromkeys(("out", "form", "top", "sort_into", "by")), "dry_run": False}
NOTHING |= {"write_tags": False, "tag_unknown": False}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"form": "cvat"}, "say --out too"),
        ({"by": "copy"}, "say --sort-into FOLDER too"),
        ({"dry_run": True}, "say that too"),
        ({"sort_into": "x", "by": "shred"}, "must be one of copy, hardlink, move"),
        ({"tag_unknown": True}, "say that too"),
        ({"write_tags": True, "sort_into": "x"}, "a run of its own"),
        ({"sort_into": "x", "out": "y.csv"}, "leave --out and --top out"),
        ({"sort_into": "x", "top": 2}, "leave --out and --top out"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given, message):
    with pytest.raises(OptionError, match=message):
        check_options(**{**NOTHING, **given})
    check_options(**NOTHING)
