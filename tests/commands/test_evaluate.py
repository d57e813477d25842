"""`fieldguide evaluate`: a page of text and JSON."""

import json
from pathlib import Path

import pytest

from commands_made import paint


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


def test_the_form_of_foreign_photos_can_be_said(photos, home, run):
    code, _, err = run("evaluate", "model.onnx", "photos", "--foreign", "photos", "--foreign-form", "coco")
    assert code == 2
    assert "coco" in err


def test_evaluate_tells_foreign_photos_apart_even_without_labels(photos, home, run):
    for number in range(5):
        paint(home / "other" / f"{number}.png", "grey")
    code, out, _ = run("evaluate", "model.onnx", "photos", "--foreign", "other", "--json", "-")
    foreign = json.loads(out)["foreign"]
    assert code == 0
    assert foreign["n"] == 5
    assert foreign["auroc"]["value"] == 1.0
    assert foreign["miss_rate"]["value"] == 0.0


def test_foreign_photos_may_be_an_export(photos, home, run):
    for number in range(5):
        paint(home / "other" / "upload" / f"{number}.png", "grey")
    tasks = [
        {
            "data": {"image": f"/data/upload/{number}.png"},
            "annotations": [{"result": [{"type": "choices", "value": {"choices": ["grey"]}}]}],
        }
        for number in range(4)
    ]
    (home / "other" / "export.json").write_text(json.dumps(tasks))
    code, out, err = run("evaluate", "model.onnx", "photos", "--foreign", "other", "--json", "-")
    assert (code, json.loads(out)["foreign"]["n"]) == (0, 4)
    assert "note: Label Studio export 'export.json': 4 tasks" in err


def test_evaluate_takes_data_of_one_class(home, run):
    paint(home / "one" / "red" / "0.png", "red")
    code, out, _ = run("evaluate", "model.onnx", "one", "--json", "-")
    assert (code, json.loads(out)["n"]) == (0, 1)
