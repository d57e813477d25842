"""What several commands share."""

import argparse
import json
import os

import pytest

from fieldguide.cli import main
from fieldguide.commands.shared import options
from fieldguide.errors import DataError
from fieldguide.progress import silent


def test_json_goes_whole_to_a_file_in_ascii(tmp_path):
    options.write_json({"path": os.fsdecode(b"bad\xff")}, tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text(encoding="ascii")
    assert os.fsencode(json.loads(text)["path"]) == b"bad\xff"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (["--cluster"], "local"),
        (["--cluster=auto"], "auto"),
        (["--cluster", "head:6379"], "head:6379"),
        ([], None),
    ],
)
def test_the_address_of_a_cluster(written, address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "auto").mkdir()
    parser = argparse.ArgumentParser()
    options.add_cluster(parser, "compute")
    assert parser.parse_args(written).cluster == address


def test_data_after_cluster_is_not_taken_for_an_address(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    assert main(["train", "--cluster", str(tmp_path / "photos"), "--out", str(tmp_path / "m.onnx")]) == 2
    said = capsys.readouterr().err
    assert "photos' lies here and is no address: write --cluster last, or --cluster=local before it" in said


def test_refusals_are_named_up_to_a_limit(capsys):
    refused = [{"path": f"{number}.jpg", "code": "empty", "message": "no bytes"} for number in range(25)]
    options.say_refused(refused, 25, "--json lists")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "refused 0.jpg: no bytes (empty)"
    assert lines[-1] == "refused 5 more; --json lists them all"


def test_what_was_said_of_data_is_how_it_is_opened(tmp_path):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).touch()
    table = tmp_path / "t.csv"
    table.write_text("path,kind,part\na.jpg,cat,old\nb.jpg,dog,old\nc.jpg,dog,new\n")
    parser = argparse.ArgumentParser()
    options.add_data(parser)
    words = f"{table} --label-column kind --split-column part --splits train=old,test=new"
    with options.opened(parser.parse_args(words.split()), silent) as dataset:
        assert dataset.labels == ("cat", "dog", "dog")
        assert dataset.splits == ("train", "train", "test")


def test_the_number_of_classes_is_the_commands_choice(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/a.jpg").touch()
    parser = argparse.ArgumentParser()
    options.add_data(parser)
    assert options.data_options(parser.parse_args([str(tmp_path), "--crops"])).crops
    given = parser.parse_args([str(tmp_path)])
    with options.opened(given, silent, minimum_classes=1) as dataset:
        assert dataset.classes == ("cat",)
    with pytest.raises(DataError, match="need two classes"), options.opened(given, silent):
        pass
