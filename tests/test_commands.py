"""The commands on a tiny model file: what they print, write and answer as exit code."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldguide import cli
from tiny_model import card, write_tiny_model

COLOURS = {"red": (230, 20, 20), "green": (20, 230, 20), "blue": (20, 20, 230), "grey": (99, 99, 99)}


def paint(path, colour):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 20), COLOURS[colour]).save(path)
    return path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder that holds `model.onnx`, and is the current one."""
    monkeypatch.chdir(tmp_path)
    write_tiny_model(tmp_path / "model.onnx")
    return tmp_path


@pytest.fixture
def photos(home):
    """Ten photos of each class; one green one lies among the red."""
    for colour in ("red", "green", "blue"):
        for number in range(10):
            paint(home / "photos" / colour / f"{number}.png", colour)
    paint(home / "photos" / "red" / "9.png", "green")
    return home / "photos"


@pytest.fixture
def run(capsys):
    def command(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


# --- predict


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
    first, second = out.splitlines()
    assert "\t" not in out
    assert first.index("a.png") == second.index("b.png")


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
        (["photos", "--out", "answers.xlsx"], r"answers.xlsx: results are written as .csv, .jsonl, .parquet"),
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


# --- evaluate


def test_evaluate_shows_a_page_and_writes_the_json(photos, run):
    code, out, _ = run("evaluate", "model.onnx", "photos", "--json", "e.json")
    answer = json.loads(Path("e.json").read_text(encoding="ascii"))
    assert code == 0
    assert answer["n"] == 30
    assert answer["accuracy"]["value"] == pytest.approx(29 / 30)
    assert "accuracy            0.967  (0.828 to 0.999)" in out
    assert "red taken for green: 1" in out


def test_evaluate_leaves_standard_output_to_the_json_when_asked(photos, run):
    _, out, err = run("evaluate", "model.onnx", "photos", "--json", "-")
    assert json.loads(out)["n"] == 30
    assert "macro F1" in err


def test_evaluate_takes_the_test_split_unless_told_otherwise(home, run):
    for split, count in (("train", 4), ("test", 2)):
        for colour in ("red", "blue"):
            for number in range(count):
                paint(home / "split" / split / colour / f"{number}.png", colour)
    counts = {}
    for choice in ([], ["--split", "train"], ["--split", "all"]):
        _, out, _ = run("evaluate", "model.onnx", "split", *choice, "--json", "-")
        counts["".join(choice)] = json.loads(out)["n"]
    assert counts == {"": 4, "--splittrain": 8, "--splitall": 12}
    code, _, err = run("evaluate", "model.onnx", "split", "--split", "validation")
    assert code == 2
    assert "has no split 'validation'; choose one of: train, test, all" in err


def test_evaluate_answers_1_where_images_are_refused_or_labels_unknown(photos, run):
    (photos / "red" / "0.png").write_bytes(b"\x89PNG")
    paint(photos / "mauve" / "0.png", "grey")
    code, out, err = run("evaluate", "model.onnx", "photos", "--json", "-")
    answer = json.loads(out)
    assert code == 1
    assert answer["n"] == 29
    assert [refusal["path"] for refusal in answer["refused"]] == ["red/0.png"]
    assert answer["labels_not_in_model"] == {"mauve": 1}
    assert "not measured: 1 images labelled 'mauve'" in err


def test_evaluate_tells_foreign_photos_apart_even_without_labels(photos, home, run):
    for number in range(5):
        paint(home / "other" / f"{number}.png", "grey")
    code, out, _ = run("evaluate", "model.onnx", "photos", "--foreign", "other", "--json", "-")
    foreign = json.loads(out)["foreign"]
    assert code == 0
    assert foreign["n"] == 5
    assert foreign["auroc"]["value"] == 1.0
    assert foreign["miss_rate"]["value"] == 0.0


def test_evaluate_takes_data_of_one_class(home, run):
    paint(home / "one" / "red" / "0.png", "red")
    code, out, _ = run("evaluate", "model.onnx", "one", "--json", "-")
    assert (code, json.loads(out)["n"]) == (0, 1)


# --- info


def test_info_is_the_card(home, run):
    code, out, _ = run("info", "model.onnx", "--json")
    assert code == 0
    assert json.loads(out) == card()
    code, out, _ = run("info", "model.onnx")
    assert out.startswith("model.onnx: 3 classes, ")
    assert "classes: red, green, blue\n" in out


def test_a_model_that_is_none_is_said_in_one_line(home, run):
    np.save(home / "array.npy", np.zeros(3))
    for command in (
        ["info", "array.npy"],
        ["predict", "array.npy", "a.png"],
        ["evaluate", "array.npy", "photos"],
    ):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert err.startswith(f"fieldguide {command[0]}: array.npy: not a model file")
        assert err.count("\n") == 1
