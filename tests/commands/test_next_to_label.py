"""`fieldguide next`: the list, the table and the sheet."""

import csv

from PIL import Image

from fieldguide import cli
from tiny_model import tiny_tag_model, write_tiny_model


def test_the_command_writes_table_and_sheet(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_tiny_model(tmp_path / "model.onnx")
    (tmp_path / "pool").mkdir()
    for number, colour in enumerate([(230, 20, 20), (228, 22, 20), (20, 20, 230), (140, 120, 20)]):
        Image.new("RGB", (24, 20), colour).save(tmp_path / "pool" / f"{number}.png")
    (tmp_path / "pool" / "=broken.png").write_bytes(b"")
    arguments = ["next", "model.onnx", "pool", "--count", "3", "--out", "next.csv", "--sheet", "next.png"]
    assert cli.main(arguments) == 1
    assert "refused pool/=broken.png" in capsys.readouterr().err
    with (tmp_path / "next.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert {row["suggested"] for row in rows} <= {"red", "green", "blue"}
    assert {row["label"] for row in rows} == {""}
    assert {"pool/3.png", "pool/2.png"} <= {row["path"] for row in rows}
    assert not {"pool/0.png", "pool/1.png"} <= {row["path"] for row in rows}
    with Image.open(tmp_path / "next.png") as sheet:
        assert sheet.width > 500
    assert cli.main(["next", "model.onnx", "pool/0.png"]) == 0
    assert capsys.readouterr().out.startswith("1\tpool/0.png\t")


def test_tags_are_suggested_and_an_empty_column_is_theirs_to_fill_in(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tags.onnx").write_bytes(tiny_tag_model())
    (tmp_path / "pool").mkdir()
    for number, colour in enumerate([(230, 20, 220), (10, 12, 250), (140, 120, 20)]):
        Image.new("RGB", (24, 20), colour).save(tmp_path / "pool" / f"{number}.png")
    assert cli.main(["next", "tags.onnx", "pool", "--out", "next.csv", "--sheet", "next.png"]) == 0
    assert "fill in the column labels (with | between tags, | alone for none)" in capsys.readouterr().err
    with (tmp_path / "next.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    assert "red|blue" in {row["suggested"] for row in rows.values()}
    assert {row["labels"] for row in rows.values()} == {""}
    assert all(row["least_sure"] in ("red", "green", "blue") for row in rows.values())
