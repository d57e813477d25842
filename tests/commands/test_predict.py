"""`fieldguide predict`: a line or a row an input."""

import csv
import json
import sys
from pathlib import Path

import pytest

from commands_made import paint


def test_predict_prints_a_line_an_input(home, run):
    paint(home / "a.png", "blue"), paint(home / "b.png", "grey")
    code, out, err = run("predict", "model.onnx", "a.png", "b.png", "gone.png")
    lines = [line.split("\t") for line in out.splitlines()]
    assert code == 1
    assert [line[0] for line in lines] == ["blue", "unknown (red)", "refused (missing)"]
    assert [line[3] for line in lines] == ["a.png", "b.png", "gone.png"]
    assert 0.5 < float(lines[0][1]) < 1
    assert float(lines[1][2]) == 0
    assert "refused gone.png: " in err


def test_predict_lists_classes_where_top_is_given(home, run):
    paint(home / "a.png", "blue")
    assert len(run("predict", "model.onnx", "a.png")[1].split("\t")) == 4
    listed = run("predict", "model.onnx", "a.png", "--top", "2")[1].rstrip().split("\t")[4]
    assert listed.startswith("blue 0.")
    assert listed.count(", ") == 1


def test_predict_aligns_lines_on_a_terminal(home, run, monkeypatch):
    paint(home / "a.png", "blue"), paint(home / "b.png", "grey")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _, out, _ = run("predict", "model.onnx", "a.png", "b.png")
    heading, first, second = out.splitlines()
    assert "\t" not in out
    assert heading.split() == ["answer", "probability", "typicality", "path"]
    assert heading.index("path") == first.index("a.png") == second.index("b.png")


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_predict_writes_a_row_an_input_in_order(kind, photos, run):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    (photos / "blue" / "3.png").write_bytes(b"")
    code, out, err = run("predict", "model.onnx", "photos", "--out", f"answers.{kind}")
    assert (code, out) == (1, "")
    assert f"answers.{kind}: 30 rows" in err
    rows = read_rows(kind)
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    assert len(rows) == 30
    assert [row["path"] for row in rows if row["error"]] == ["photos/blue/3.png"]


def read_rows(kind):
    if kind == "jsonl":
        return [json.loads(line) for line in Path("answers.jsonl").read_text(encoding="ascii").splitlines()]
    if kind == "csv":
        with Path("answers.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    import pyarrow.parquet

    return pyarrow.parquet.read_table("answers.parquet").to_pylist()


def test_predict_says_what_it_skips(home, run):
    paint(home / "in" / "a.png", "red")
    (home / "in" / "notes.txt").write_text("hello")
    code, out, err = run("predict", "model.onnx", "in")
    assert code == 0
    assert out.count("\n") == 1
    assert "note: in: 1 file skipped" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["photos", "--out", "answers.xlsx"],
            "got 'answers.xlsx'; write 'answers.csv'",
        ),
        (["empty"], "no image"),
        (["photos", "--top", "0"], "--top: must be a whole number, 1 or more; got '0'"),
    ],
)
def test_predict_says_why_it_cannot_start(arguments, message, photos, home, run):
    (home / "empty").mkdir()
    code, out, err = run("predict", "model.onnx", *arguments)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err


def test_predict_writes_pre_annotations(home, run):
    paint(home / "a.png", "blue"), paint(home / "b.png", "grey")
    code, _, err = run("predict", "model.onnx", "a.png", "b.png", "--out", "x.json", "--form", "label-studio")
    assert (code, "x.json: 2 rows" in err) == (0, True)
    known, unknown = json.loads(Path("x.json").read_text(encoding="ascii"))
    (prediction,) = known["predictions"]
    assert prediction["result"][0]["value"] == {"choices": ["blue"]}
    assert prediction["model_version"].startswith("fieldguide-")
    assert "predictions" not in unknown
    code, _, err = run("predict", "model.onnx", "a.png", "--form", "cvat")
    assert (code, "say --out too" in err) == (2, True)


def test_predict_sorts_photos_into_folders(photos, run):
    (photos / "blue" / "3.png").write_bytes(b"")
    code, out, err = run("predict", "model.onnx", "photos", "--sort-into", "sorted", "--dry-run")
    assert (code, len(out.splitlines()), Path("sorted").exists()) == (1, 30, False)
    code, out, err = run("predict", "model.onnx", "photos", "--sort-into", "sorted", "--by", "hardlink")
    assert (code, out) == (1, "")
    assert "sorted: 30 linked" in err
    assert len(list(Path("sorted", "green").iterdir())) == 11
    assert [path.name for path in Path("sorted", "refused").iterdir()] == ["3.png"]
    assert run("predict", "model.onnx", "photos", "--sort-into", "sorted", "--allow-refused")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "move"], "say --sort-into FOLDER too"),
        (["--sort-into", "x", "--out", "x.csv"], "leave --out and --top out"),
        (["--sort-into", "x.csv"], "must be a folder"),
        (["--sort-into", "none/x"], "cannot be made"),
    ],
)
def test_predict_says_why_it_cannot_sort(arguments, message, photos, run):
    code, out, err = run("predict", "model.onnx", "photos", *arguments)
    assert (code, out, message in err.splitlines()[-1]) == (2, "", True)


def test_predict_writes_labels_into_sidecars(photos, run):
    (photos / "blue" / "3.png").write_bytes(b"")
    code, out, err = run("predict", "model.onnx", "photos", "--write-tags")
    assert (code, out) == (1, "")
    assert "sidecars: 29 new, 1 left" in err
    assert len(list(photos.rglob("*.xmp"))) == 29
    assert run("predict", "model.onnx", "photos", "--write-tags", "--allow-refused")[0] == 0
