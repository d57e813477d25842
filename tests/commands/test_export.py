"""`fieldguide export`: another form, and what it gained."""

import json

import numpy as np
import pytest
from PIL import Image

from fieldguide import cli
from fieldguide.commands import export as command
from fieldguide.modelfile.exports import web
from fieldguide.modelfile.exports.conversion import FOLDER, FORMS
from layered_model import write_layered_model
from web_made import package


@pytest.fixture
def model(tmp_path):
    return write_layered_model(tmp_path / "model.onnx")


def test_the_command_writes_and_says_what_it_gained(model, tmp_path, capsys):
    code = cli.main(["export", str(model), "--to", "int8", "--out", str(tmp_path / "small.onnx")])
    told = capsys.readouterr()
    assert code == 0
    assert f"{tmp_path / 'small.onnx'}: 361 kB instead of 665 kB" in told.out
    assert "--against" in told.err
    assert cli.main(["export", str(model), "--to", "tea", "--out", str(tmp_path / "x")]) == 2
    assert "invalid choice: 'tea'" in capsys.readouterr().err


def test_photos_that_tell_ranges_are_for_whole_numbers_alone(model, tmp_path, capsys):
    order = [
        "export",
        str(model),
        "--to",
        "core",
        "--out",
        str(tmp_path / "x.onnx"),
        "--calibrate",
        str(tmp_path),
    ]
    assert cli.main(order) == 2
    assert (
        "calibrate: photos tell the ranges of int8, litert-int8, litert-micro alone; got to core"
        in capsys.readouterr().err
    )


def test_a_page_is_a_folder(model, tmp_path, capsys):
    order = ["export", str(model), "--to", "web", "--runtime", str(package(tmp_path / "runtime")), "--out"]
    assert cli.main([*order, str(tmp_path / "page")]) == 0
    told = capsys.readouterr()
    assert f"{tmp_path / 'page'}: a page for any host of plain files" in told.out
    assert "int8: about a third of the bytes" in told.out
    assert "python3 -m http.server --bind 127.0.0.1 --directory" in told.err
    assert cli.main([*order, str(tmp_path / "page.onnx")]) == 2
    assert "--out: must be a folder; got" in capsys.readouterr().err
    assert cli.main(["export", str(model), "--to", "core", "--out", str(tmp_path / "page")]) == 2
    assert "--out: must be the name of a file" in capsys.readouterr().err
    assert cli.main([*order[:4], "--runtime", str(tmp_path / "none"), "--out", str(tmp_path / "x")]) == 2
    assert "fetch it with: npm pack" in capsys.readouterr().err


def test_a_core_is_checked_on_photos_of_ones_own(model, tmp_path, capsys):
    random = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(3):
            pixels = random.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{number}.png")
    order = ["export", str(model), "--to", "core", "--out", str(tmp_path / "core.onnx")]
    order += ["--check", str(tmp_path / "photos"), "--json"]
    assert cli.main([*order, str(tmp_path / "check.json")]) == 0
    told = capsys.readouterr().out
    assert "checked on 6 photos: same label on 100.0%" in told
    assert f"{tmp_path / 'core.json'}: its card" in told
    found = json.loads((tmp_path / "check.json").read_text())
    names = {"to", "n", "same_label", "max_probability_difference", "max_typicality_difference"}
    assert names | {"same_set", "size_bytes", "speed_ratio"} <= set(found)
    (tmp_path / "photos" / "a" / "broken.png").write_bytes(b"none")
    assert cli.main([*order, "-"]) == 1
    assert json.loads(capsys.readouterr().out)["refused"][0]["path"] == "a/broken.png"


def test_json_holds_a_check_and_is_refused_without_one(model, tmp_path, capsys):
    order = ["export", str(model), "--to", "core", "--out", str(tmp_path / "core.onnx"), "--json", "-"]
    assert cli.main(order) == 2
    assert "--json: holds what --check DATA found" in capsys.readouterr().err
    assert not (tmp_path / "core.onnx").exists()


def test_the_command_knows_every_form():
    assert (*FORMS, FOLDER) == command.FORMS
    assert command.PRECISIONS == web.PRECISIONS
