"""`fieldguide undo`: photos go back by the table."""

import json
from pathlib import Path

from commands_made import paint


def test_undo_puts_back_and_says_how_many(photos, run):
    assert run("predict", "model.onnx", "photos", "--sort-into", "sorted", "--by", "move")[0] == 0
    assert not list(photos.rglob("*.png"))
    code, out, err = run("undo", "sorted/sorted.csv", "--dry-run")
    assert (code, out, "30 moved back" in err, "dry run" in err) == (0, "", True, True)
    assert not list(photos.rglob("*.png"))
    code, _, err = run("undo", "sorted/sorted.csv", "--json", "undone.json")
    assert (code, "sorted/sorted.csv: 30 moved back, 0 copies and links removed, 0 left" in err) == (0, True)
    assert len(list(photos.rglob("*.png"))) == 30
    assert json.loads(Path("undone.json").read_text()) == {
        "moved_back": 30,
        "removed": 0,
        "kept": {},
        "dry_run": False,
    }


def test_undo_says_what_it_leaves(home, run):
    paint(home / "new" / "a.png", "red")
    run("predict", "model.onnx", "new", "--sort-into", "sorted")
    (home / "new" / "a.png").unlink()
    code, _, err = run("undo", "sorted/sorted.csv")
    assert code == 1
    assert f"left {home}/new/a.png: its original is not there any more" in err
    assert (home / "sorted" / "red" / "a.png").exists()


def test_undo_says_why_it_cannot_start(home, run):
    (home / "mine.csv").write_text("a,b\n1,2\n")
    code, _, err = run("undo", "mine.csv")
    assert (code, "must be a table that `predict --sort-into` left" in err) == (2, True)
    assert run("undo", "gone.csv")[0] == 2
