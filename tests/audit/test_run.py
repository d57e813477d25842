"""The audit from files to findings, and the command `check` from outside."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from fieldguide import cli
from fieldguide.audit.run import audit
from fieldguide.data.corrections import Correction, corrected, read_corrections
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.learning.train import TrainOptions, train
from fieldguide.recipes.common import Options
from tiny_backbone import tiny_weights

KEYS = {"code", "title", "severity", "count", "message", "paths"}
"""Of the contract's finding."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), {"red": 16, "green": 16, "blue": 16})


@pytest.fixture
def data(photos, tmp_path):
    """A copy of sound data, to be broken."""
    return Path(shutil.copytree(photos, tmp_path / "data"))


@pytest.fixture
def check(weights, tmp_path, capsys):
    """Run the command: `check(data, …)` gives exit code, JSON, and what was shown."""

    def run(data, *arguments):
        out = tmp_path / "check.json"
        own = ["--backbone", "test_efficientnet", "--weights", str(weights), "--json", str(out)]
        code = cli.main(["check", str(data), *own, *map(str, arguments)])
        shown = capsys.readouterr()
        answer = json.loads(out.read_text(encoding="ascii")) if code < 2 else None
        return code, answer, shown.out + shown.err

    return run


def paths_of(answer, code):
    return {path for finding in answer["findings"] if finding["code"] == code for path in finding["paths"]}


def test_sound_data_have_no_issues(photos, check):
    code, answer, shown = check(photos)
    assert code == 0
    assert (answer["images"], answer["classes"]) == (48, 3)
    assert [finding for finding in answer["findings"] if finding["severity"] == "issue"] == []
    assert set(answer["not_applicable"]) == {"FG006", "FG007", "FG010"}
    assert "48 images, 3 classes: 0 issues" in shown


def test_planted_faults_are_found_and_mended(data, check, tmp_path, weights):
    shutil.copy(data / "red/001.png", data / "red/copy.png")
    shutil.copy(data / "red/002.png", data / "green/conflict.png")
    with Image.open(data / "blue/003.png") as photo:
        photo.save(data / "blue/again.jpg", quality=70)
    (data / "blue/004.png").rename(data / "red/wrong.png")
    (data / "green/005.png").write_bytes((data / "green/005.png").read_bytes()[:200])
    Image.new("RGB", (70, 70), (90, 90, 90)).save(data / "blue/blank.png")
    shutil.copy(data / "green/006.png", data / "green/png.jpg")
    (data / "green/006.png").unlink()
    code, answer, shown = check(data, "--fix", tmp_path / "fix.csv")
    assert code == 1
    assert all(set(finding) >= KEYS for finding in answer["findings"])
    assert paths_of(answer, "FG001") == {"green/005.png"}
    assert paths_of(answer, "FG002") == {"green/png.jpg"}
    assert paths_of(answer, "FG003") == {"red/001.png", "red/copy.png"}
    assert paths_of(answer, "FG004") == {"blue/003.png", "blue/again.jpg"}
    assert paths_of(answer, "FG005") == {"red/002.png", "green/conflict.png"}
    assert paths_of(answer, "FG016") == {"blue/blank.png"}
    assert "red/wrong.png" in paths_of(answer, "FG017")
    assert shown.index("issue FG001") < shown.index("tip FG002")
    with (tmp_path / "fix.csv").open(encoding="utf-8", newline="") as file:
        fixes = {row["path"]: row for row in csv.DictReader(file)}
    assert fixes["red/wrong.png"]["action"] == "relabel"
    assert fixes["red/wrong.png"]["corrected"] == "blue"
    assert list(fixes["red/copy.png"]) == ["path", "label", "corrected", "action", "reason", "code"]
    assert [fixes["red/copy.png"][key] for key in ("label", "corrected", "action", "code")] == [
        *("red", "", "drop", "FG003")
    ]
    assert fixes["green/conflict.png"]["action"] == "drop"
    assert (data / "red/copy.png").exists()

    _, mended, _ = check(data, "--corrections", tmp_path / "fix.csv")
    left = {finding["code"] for finding in mended["findings"] if finding["severity"] == "issue"}
    assert left == {"FG001"}
    options = Options(backbone="test_efficientnet", weights=weights)
    result = train(TrainOptions(data, tmp_path / "m.onnx", options=options, corrections=tmp_path / "fix.csv"))
    assert any(choice.startswith("corrections: ") for choice in result.choices)
    assert result.fitted.used == answer["images"] - 1 - sum(row["action"] == "drop" for row in fixes.values())


def test_what_a_person_keeps_is_not_raised_again_and_the_table_is_carried_on(data, check, tmp_path):
    (data / "blue/004.png").rename(data / "red/right after all.png")
    shutil.copy(data / "green/001.png", data / "green/copy.png")
    _, answer, _ = check(data, "--fix", tmp_path / "fix.csv")
    assert "red/right after all.png" in paths_of(answer, "FG017")
    text = (tmp_path / "fix.csv").read_text().replace('"blue","relabel"', '"","keep"')
    (tmp_path / "fix.csv").write_text(text)
    _, answer, _ = check(data, "--corrections", tmp_path / "fix.csv", "--fix", tmp_path / "new.csv")
    assert paths_of(answer, "FG017") == set()
    assert paths_of(answer, "FG003") == set()
    carried = {(line.path, line.action) for line in read_corrections(tmp_path / "new.csv")}
    assert {("red/right after all.png", "keep"), ("green/copy.png", "drop")} <= carried


def test_a_keep_for_one_finding_does_not_hide_another(photos, weights):
    options = Options(backbone="test_efficientnet", weights=weights)
    with open_dataset(photos) as dataset:
        twice = Dataset(
            dataset.root, (*dataset.paths, dataset.paths[0]), (*dataset.labels, "red"), notes=dataset.notes
        )
    path = twice.display(twice.paths[0])
    for code, codes in (("FG017", ["FG003"]), ("FG003", [])):
        keep = Correction(path, "blue", "", "keep", "", code)
        assert twice.labels[0] == "blue"
        twice_red = corrected(twice, [])
        twice_red = Dataset(twice.root, twice.paths, ("blue", *twice.labels[1:-1], "blue"))
        found = audit(twice_red, options, corrections=[keep])
        assert [finding.code for finding in found.findings if finding.code == "FG003"] == codes


def test_corrections_that_do_not_fit_are_named(data, check, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label,corrected,action\ngone.jpg,red,,drop\nred/001.png,red,mauve,relabel\n")
    code, answer, _ = check(data, "--corrections", table)
    assert code == 1
    assert paths_of(answer, "FG001") == {"gone.jpg", "red/001.png"}
    code, _, shown = check(data, "--corrections", tmp_path / "none.csv")
    assert code == 2
    assert "none.csv: the corrections cannot be read" in shown
    assert shown.count("\n") == 1


def test_splits_and_groups_of_a_table_are_looked_at(data, check):
    rows = []
    for path in sorted(data.rglob("*.png")):
        number = int(path.stem)
        split = "test" if number >= 12 else "train"
        group = "shop 1" if number in (3, 14) and path.parent.name == "red" else ""
        rows.append(f"{path.relative_to(data).as_posix()},{path.parent.name},{split},{group}")
    shutil.copy(data / "blue/000.png", data / "leak.png")
    rows.append("leak.png,blue,test,")
    (data / "table.csv").write_text("\n".join(["path,label,split,group", *rows]))
    code, answer, _ = check(data / "table.csv")
    assert code == 1
    assert answer["not_applicable"] == []
    assert paths_of(answer, "FG006") == {"blue/000.png", "leak.png"}
    assert paths_of(answer, "FG007") == {"red/003.png", "red/014.png"}


def test_classes_that_differ_by_case_or_form_are_one_finding(data, check):
    (data / "Red").mkdir()
    (data / "red/000.png").rename(data / "Red/000.png")
    for name in ("caf\u00e9", "cafe\u0301"):
        (data / name).mkdir()
        (data / "green" / f"00{len(name)}.png").rename(data / name / "a.png")
    _, answer, _ = check(data)
    finding = next(finding for finding in answer["findings"] if finding["code"] == "FG019")
    assert finding["count"] == 4
    assert "'Red' and 'red'" in finding["message"]
    assert "'caf\\xe9'" in finding["message"]


def test_hostile_names_are_exact_in_the_json_and_harmless_on_the_terminal(data, check, tmp_path):
    name = os.fsdecode(b"=bad\xff\n\x1b]0;\xe2\x80\xae,'\".png")
    for copy in (name, "0" + name):
        shutil.copy(data / "red/007.png", data / "red" / copy)
    _, answer, shown = check(data, "--fix", tmp_path / "fix.csv")
    assert paths_of(answer, "FG003") == {"red/007.png", f"red/{name}", f"red/0{name}"}
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    dropped = {line.path for line in read_corrections(tmp_path / "fix.csv") if line.code == "FG003"}
    assert len(dropped) == 2
    assert f"red/{name}" in dropped
    with open_dataset(data) as dataset:
        mended = corrected(dataset, read_corrections(tmp_path / "fix.csv"))
    assert mended.refused == ()


def test_an_archive_is_checked_by_its_names_inside(data, check, tmp_path):
    shutil.copy(data / "red/001.png", data / "red/copy.png")
    shutil.make_archive(str(tmp_path / "photos"), "zip", data)
    _, answer, _ = check(tmp_path / "photos.zip")
    assert paths_of(answer, "FG003") == {"red/001.png", "red/copy.png"}


def test_one_class_or_nothing_readable_is_no_reason_to_stop(data, check, tmp_path):
    (tmp_path / "one").mkdir()
    (data / "red").rename(tmp_path / "one/red")
    code, answer, _ = check(tmp_path / "one")
    assert code == 0
    assert {"FG017", "FG018"} <= set(answer["not_applicable"])
    for path in (tmp_path / "one/red").iterdir():
        path.write_bytes(b"")
    code, answer, _ = check(tmp_path / "one")
    assert (code, len(paths_of(answer, "FG001"))) == (1, 16)


def test_what_is_no_data_stops_early(tmp_path, check):
    code, _, shown = check(tmp_path / "nowhere")
    assert code == 2
    assert (
        shown
        == f"fieldguide check: {tmp_path / 'nowhere'}: there is no such file or folder; check the path\n"
    )


def test_findings_go_to_standard_error_where_json_has_the_other(photos, weights, capsys):
    own = ["--backbone", "test_efficientnet", "--weights", str(weights)]
    cli.main(["check", str(photos), *own, "--json", "-"])
    shown = capsys.readouterr()
    assert json.loads(shown.out)["images"] == 48
    assert "48 images, 3 classes" in shown.err


def test_next_and_evaluate_load_no_training_library():
    code = "import fieldguide.prediction.active_learning, fieldguide.images.contact_sheet, sys; "
    code += "import fieldguide.data.leaks, fieldguide.evaluation.measurement; "
    code += "assert not {'torch', 'timm', 'sklearn', 'onnx', 'scipy', 'safetensors'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
