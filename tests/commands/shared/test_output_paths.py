"""Where things are written: a foreign ending is refused before the work, and the right one named."""

import argparse
import os

import pytest

from fieldguide.commands.shared import output_paths as paths

MESSAGE = r"must end in {}; got '.*'; write '{}'"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("kind", "given", "allowed", "better"),
    [
        (paths.new_model, "m.pt", ".onnx", "m.onnx"),
        (paths.new_model, "m.v2", ".onnx", "m.onnx"),
        (paths.new_page, "r.pdf", ".html or .htm", "r.html"),
        (paths.new_json, "r.csv", ".json", "r.json"),
        (paths.new_lines, "p.json", ".jsonl", "p.jsonl"),
        (paths.new_table, "t.xlsx", ".csv", "t.csv"),
        (paths.new_png, "p.jpg", ".png", "p.png"),
        (paths.new_png, "p", ".png", "p.png"),
        (paths.new_file_ending(".csv", ".jsonl", needed=True), "rows", ".csv or .jsonl", "rows.csv"),
    ],
)
def test_a_foreign_ending_is_refused(kind, given, allowed, better):
    with pytest.raises(argparse.ArgumentTypeError, match=MESSAGE.format(allowed, better)):
        kind(given)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (paths.new_model, "m.onnx"),
        (paths.new_model, "M.ONNX"),
        (paths.new_model, "model"),
        (paths.new_page, "r.htm"),
        (paths.new_json, "-"),
        (paths.new_json, os.devnull),
        (paths.new_json, "/dev/null"),
    ],
)
def test_the_right_one_none_and_devices_are_taken(kind, given):
    assert str(kind(given)) == given


def test_folders_are_not_named_like_files(tmp_path):
    for given in ("x.zip", "x.csv", "photos.tar.gz"):
        with pytest.raises(argparse.ArgumentTypeError, match="must be a folder; got"):
            paths.new_folder_or()(given)
    with pytest.raises(
        argparse.ArgumentTypeError, match=r"or a file that ends in \.csv or \.tsv; got 'x.json'"
    ):
        paths.new_folder_or(".csv", ".tsv")("x.json")
    for given in ("parts", "x.csv", "v1.2"):
        assert str(paths.new_folder_or(".csv")(given)) == given
    (tmp_path / "odd.zip").mkdir()
    assert paths.new_folder_or()("odd.zip").is_dir()


@pytest.mark.parametrize(
    "command",
    [
        "train photos --out m.h5",
        "train photos --out m.onnx --json t.txt",
        "tune photos --recipe svm --trials 1 --out m.pkl",
        "pretrained efficientnet_lite0 --out m.pt",
        "export model.onnx --to int8 --out m.tflite",
        "evaluate model.onnx photos --json e.html",
        "evaluate model.onnx photos --report e.json",
        "predict model.onnx a.png --out rows.xlsx",
        "next model.onnx photos --out rows.jsonl",
        "check photos --json c.csv",
        "check photos --report c.pdf",
        "check photos --fix c.json",
        "compare photos --json c.csv",
        "novelty photos --json n.csv",
        "explain model.onnx a.png --out e.jpg",
        "explain model.onnx a.png --out e.png --json e.txt",
        "split photos --out parts.json",
        "convert photos --to coco --out coco.json",
        "dataset cifar10 --out c.tar",
        "demo --out d.zip",
    ],
)
def test_every_command_refuses_before_it_looks_at_anything(command, run):
    code, out, err = run(*command.split())
    assert (code, out) == (2, "") and len(err.splitlines()) == 1, err
    assert "must end in " in err or "must be a folder" in err
