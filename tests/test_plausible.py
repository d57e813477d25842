"""What can be read in an implausible way is said, and what a person may have edited is kept."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from fieldguide import cli
from fieldguide.data.corrections import read_corrections
from fieldguide.data.dataset import open_dataset
from fieldguide.modelfile.artifact import load_model_file

COUNTS = {"red": 8, "blue": 8}


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)


@pytest.fixture(scope="module")
def model(photos, tmp_path_factory, cache_of_the_tests):
    out = tmp_path_factory.mktemp("model") / "model.onnx"
    assert cli.main(["train", str(photos), "--out", str(out), "--recipe", "svm", "--preset", "fast"]) == 0
    return out


@pytest.fixture
def run(capsys):
    def command(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def train(run, tmp_path):
    def command(data, *more):
        answer = tmp_path / "train.json"
        out = tmp_path / "model.onnx"
        order = ("train", data, "--out", out, "--recipe", "svm", "--preset", "fast", "--json", answer)
        code, printed, errors = run(*order, *more)
        result = json.loads(answer.read_text()) if answer.exists() else None
        return code, printed, errors, result

    return command


# --- train


def test_three_lines_come_before_the_work(train, tmp_path, paint_classes):
    paint_classes(tmp_path / "d" / "Training", COUNTS)
    paint_classes(tmp_path / "d" / "Testing", COUNTS, first=50)
    shutil.copy(tmp_path / "d" / "Training" / "red" / "000.png", tmp_path / "d" / "Training" / "cover.png")
    (tmp_path / "d" / "Training" / "@eaDir").mkdir()
    code, _, errors, result = train(tmp_path / "d")
    assert code == 0
    said = errors.splitlines()[1:4]
    assert said[0] == "32 photos of 2 classes: blue 16, red 16"
    assert said[1] == "splits: train 16, test 16; test is not opened"
    assert said[2].startswith(
        "notes: 1 image in no class folder left out: 'Training/cover.png'; 1 hidden name"
    )
    assert result["images"] == {"used": 16, "refused": 0}
    assert result["doubts"] == []


def test_what_looks_like_splits_stops_with_exit_code_2_until_it_is_said(run, train, tmp_path, paint_classes):
    for name, first in (("lernen", 0), ("pruefen", 50)):
        paint_classes(tmp_path / "d" / name, COUNTS, first=first)
    for command in ("train", "check", "compare", "tune"):
        more = ("--out", tmp_path / "x.onnx") if command in ("train", "tune") else ()
        more = (*more, "--trials", "1") if command == "tune" else more
        code, _, errors = run(command, tmp_path / "d", *more)
        assert code == 2
        assert "--splits train=lernen,test=pruefen" in errors
    code, _, errors, result = train(tmp_path / "d", "--splits", "train=lernen,test=pruefen")
    assert (code, result["images"]["used"]) == (0, 16)
    assert "splits: train 16, test 16" in errors
    code, _, errors, result = train(tmp_path / "d", "--no-splits")
    assert (code, result["images"]["used"]) == (0, 32)
    with open_dataset(tmp_path / "d", splits={"train": "lernen", "test": "pruefen"}) as dataset:
        assert set(dataset.splits) == {"train", "test"}
    with open_dataset(tmp_path / "d", splits=False) as dataset:
        assert dataset.classes == ("lernen", "pruefen")


def test_splits_of_a_table_may_have_any_name(train, tmp_path, photos):
    rows = [
        f"{path.relative_to(photos)},{path.parent.name},{'A' if int(path.stem) % 2 else 'B'}"
        for path in sorted(photos.rglob("*.png"))
    ]
    folder = shutil.copytree(photos, tmp_path / "d")
    table = folder / "t.csv"
    table.write_text("\n".join(["path,label,split", *rows]))
    assert train(table)[0] == 2
    code, _, _, result = train(table, "--splits", "train=A,validation=B")
    assert (code, result["images"]["used"], result["validation"]["n"]) == (0, 8, 8)
    code, _, _, result = train(table, "--no-splits")
    assert (code, result["images"]["used"]) == (0, 16)


def test_unreadable_validation_images_are_named_and_counted(train, tmp_path, paint_classes):
    paint_classes(tmp_path / "d" / "train", COUNTS)
    paint_classes(tmp_path / "d" / "val", {"red": 3, "blue": 3}, first=50)
    for path in sorted((tmp_path / "d" / "val").rglob("*.png"))[:2]:
        path.write_bytes(b"")
    code, printed, errors, result = train(tmp_path / "d")
    assert (code, result["images"]["refused"], result["validation"]["n"]) == (1, 2, 4)
    assert [row["path"] for row in result["refused"]] == ["val/blue/050.png", "val/blue/051.png"]
    assert "refused val/blue/050.png: " in errors
    for path in (tmp_path / "d" / "val").rglob("*.png"):
        path.write_bytes(b"")
    code, printed, errors, result = train(tmp_path / "d")
    assert (code, result["images"]["refused"]) == (1, 6)
    assert printed.splitlines()[-1].endswith("6 images were refused, the model was written without")
    assert train(tmp_path / "d", "--allow-refused")[0] == 0


def test_a_class_that_is_lost_is_said_first(train, tmp_path, paint_classes):
    paint_classes(tmp_path / "d", {"red": 6, "blue": 6, "green": 3})
    for path in (tmp_path / "d" / "green").iterdir():
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    code, _, errors, result = train(tmp_path / "d")
    assert code == 1
    (doubt,) = result["doubts"]
    assert (doubt["code"], doubt["grave"]) == ("class_lost", True)
    assert "'green'" in doubt["message"]
    said = [line for line in errors.splitlines() if line.startswith(("serious doubt", "refused"))]
    assert said[0].startswith("serious doubt: no image of 'green' could be read")


def test_an_error_that_speaks_of_refusals_names_them(train, tmp_path, paint_classes):
    paint_classes(tmp_path / "d", {"red": 6, "blue": 2})
    for path in (tmp_path / "d" / "blue").iterdir():
        path.write_bytes(b"<html>")
    code, _, errors, _ = train(tmp_path / "d")
    assert code == 2
    assert "2 were refused; 'blue/000.png': " in errors
    assert "look at the refusals" not in errors


def test_both_accuracies_are_given_after_corrections(train, tmp_path, paint_classes):
    data = paint_classes(tmp_path / "d", COUNTS)
    (data / "red" / "000.png").rename(data / "blue" / "x.png")
    table = tmp_path / "fix.csv"
    table.write_text(
        "path,label,corrected,action,reason,code\nblue/x.png,blue,red,relabel,it is red,FG017\n"
        "red/001.png,red,,drop,odd,FG018\n"
    )
    code, printed, _, result = train(data, "--corrections", table)
    part = result["validation"]["corrections"]
    assert (code, part["relabelled"], part["dropped"]) == (0, 1, 1)
    assert part["n_without"] == result["validation"]["n"] - 1 == 14
    assert set(part["accuracy_without"]) == {"value", "low", "high"}
    assert "own doubts" in part["message"]
    assert "not relabelled" in printed
    assert "corrections" not in train(data)[3]["validation"]


# --- evaluate


def measured(run, model, data, tmp_path):
    code, printed, _ = run("evaluate", model, data, "--json", tmp_path / "e.json")
    return code, printed, json.loads((tmp_path / "e.json").read_text())


def test_a_flat_test_folder_and_images_learned_from_are_said(run, tmp_path, photos, model):
    data = tmp_path / "kaggle"
    shutil.copytree(photos, data / "train")
    (data / "test").mkdir()
    shutil.copy(photos / "red" / "000.png", data / "test" / "1.png")
    code, printed, answer = measured(run, model, data, tmp_path)
    assert code == 0
    assert printed.splitlines()[0].startswith(
        "careful: all 16 of these photos are photos the model learned from"
    )
    assert [doubt["code"] for doubt in answer["doubts"]] == ["unlabelled_split"]
    assert "'test'" in answer["doubts"][0]["message"]
    assert (answer["learned_from"]["n"], answer["learned_from"]["accuracy_without"]) == (16, None)


def test_a_part_of_them_under_other_names_is_known_too(run, tmp_path, photos, model, paint_classes):
    data = paint_classes(tmp_path / "d", {"red": 6, "blue": 6}, first=70)
    for number in range(5):
        shutil.copy(photos / "red" / f"{number:03}.png", data / "red" / f"renamed {number}.png")
    _, printed, answer = measured(run, model, data, tmp_path)
    learned = answer["learned_from"]
    assert (learned["n"], learned["of"], learned["n_without"]) == (5, 17, 12)
    assert learned["message"].startswith("5 of 17 of these photos are photos the model learned from")
    assert set(learned["accuracy_without"]) == {"value", "low", "high"}
    assert "on new photos" in printed


def test_new_photos_are_not_called_known(run, tmp_path, model, paint_classes):
    _, printed, answer = measured(run, model, paint_classes(tmp_path / "d", COUNTS, first=90), tmp_path)
    assert answer["learned_from"]["n"] == 0
    assert "careful" not in printed


# --- predict, next


def test_answers_of_csv(run, tmp_path, photos, model):
    (tmp_path / "bad.png").write_bytes(b"")
    red = photos / "red" / "000.png"
    out = tmp_path / "x.csv"
    code, _, errors = run("predict", model, red, tmp_path / "bad.png", "--out", out, "--top", "2")
    assert code == 1
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert list(rows[0])[:2] == ["path", "answer"]
    assert [row["answer"] for row in rows] == ["red", "refused"]
    assert rows[0]["label_2"] == "blue"
    assert 0 <= float(rows[0]["probability_2"]) < 0.5
    assert set(rows[0]["set"].split("|")) <= {"red", "blue"}
    assert "this model can never say unknown: it was calibrated on 16 held-out photos" in errors
    assert run("predict", model, tmp_path / "bad.png", "--allow-refused")[0] == 0


def test_limits_stand_in_the_card(model):
    (limit,) = load_model_file(model).card["limits"]
    assert limit.startswith("this model can never say unknown")


def test_guesses_are_no_labels_and_rows_without_one_are_counted(run, train, tmp_path, photos, model):
    data = shutil.copytree(photos, tmp_path / "d")
    new = shutil.copytree(photos / "red", tmp_path / "new")
    for number, path in enumerate(sorted(new.iterdir())):
        path.write_bytes((photos / "red" / path.name).read_bytes() + bytes([number]))
    table = tmp_path / "next.csv"
    assert run("next", model, new, "--count", "5", "--out", table)[0] == 0
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert {row["label"] for row in rows} == {""}
    assert {row["suggested"] for row in rows} <= {"red", "blue"}
    assert train(data, "--add", table)[0] == 2  # no label is filled in
    for row in rows[:2]:
        row["label"] = "red"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    code, _, errors, result = train(data, "--add", table)
    assert (code, result["images"]["used"]) == (0, 18)
    assert "added: 2 images, 3 left out that have no label" in errors
    filled_in = table.read_bytes()
    code, _, errors = run("next", model, new, "--out", table)
    assert (code, table.read_bytes()) == (2, filled_in)
    assert "holds 2 labels that were filled in" in errors
    assert run("next", model, new, "--out", table, "--force")[0] == 0
    assert (tmp_path / "next.csv.bak").read_bytes() == filled_in


# --- check --fix


def test_lines_of_a_person_are_kept(run, tmp_path, photos):
    data = shutil.copytree(photos, tmp_path / "d")
    shutil.copy(data / "red" / "000.png", data / "red" / "copy.png")
    shutil.copy(data / "red" / "001.png", data / "red" / "other copy.png")
    table = tmp_path / "fix.csv"
    run("check", data, "--fix", table)
    lines = read_corrections(table)
    twins = [line for line in lines if line.code == "FG003"]
    assert len(twins) == 2
    person = f"path;label;corrected;action;mine\n{twins[0].path};red;;keep;both are good\n"
    table.write_text(person, encoding="utf-8")
    _, _, errors = run("check", data, "--fix", table)
    assert table.read_text(encoding="utf-8").startswith(person)
    merged = read_corrections(table)
    assert [(line.path, line.action) for line in merged][:1] == [(twins[0].path, "keep")]
    assert twins[1].path in {line.path for line in merged}
    assert f"{table}: 1 line kept, {len(merged) - 1} added" in errors
    again = table.read_bytes()
    run("check", data, "--fix", table)
    assert table.read_bytes() == again
    _, _, errors = run("check", data, "--fix", table, "--force")
    assert (tmp_path / "fix.csv.bak").read_bytes() == again
    assert {line.action for line in read_corrections(table)} == {line.action for line in lines}


def test_another_file_is_not_overwritten(run, tmp_path, photos):
    table = tmp_path / "notes.csv"
    table.write_text("my diary\n")
    assert run("check", photos, "--fix", table)[0] == 2
    assert table.read_text() == "my diary\n"


def test_doubts_are_findings(run, tmp_path, photos):
    data = tmp_path / "d"
    shutil.copytree(photos / "red", data / "train")
    shutil.copytree(photos / "blue", data / "thumbnails")
    (data / "labels.csv").write_text("path,label\n")
    code, _, _ = run("check", data, "--json", tmp_path / "c.json")
    assert code == 1
    found = {
        finding["code"]: finding for finding in json.loads((tmp_path / "c.json").read_text())["findings"]
    }
    assert "'train' is learned as a class" in found["FG020"]["message"]
    assert "'thumbnails'" in found["FG021"]["message"]
    assert "'labels.csv'" in found["FG021"]["message"]
    assert Path(found["FG020"]["page"]).name == "FG020.md"
