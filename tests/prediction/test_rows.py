"""Rows of results as lines and cells."""

import io
import json

import pytest

from fieldguide.plain_text import text_of_cell
from fieldguide.prediction.result import Prediction, refused
from fieldguide.prediction.rows import COLUMNS, WRITERS, flat, json_line, write_csv, write_jsonl

GOOD = Prediction("=a.jpg", "café", 0.5, 0.25, False, ("café", "b"), (("café", 0.5),)).as_row()
BAD = refused("odd\udcff\n.jpg", "truncated", "it ends early").as_row()


def test_a_line_of_json_is_ascii_and_exact():
    for row in (GOOD, BAD):
        line = json_line(row)
        assert line.isascii() and line.count(b"\n") == 1
        assert json.loads(line) == row


def test_what_is_no_number_is_not_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line({**GOOD, "probability": float("nan")})


def test_a_flat_row_has_every_column_and_no_formula():
    row = dict(zip(COLUMNS, flat(GOOD, formulas=True), strict=True))
    assert row["path"] == "'=a.jpg" and row["label"] == "café"
    assert (row["probability"], row["typicality"], row["unknown"]) == (0.5, 0.25, False)
    assert (row["answer"], row["set"], row["top"]) == ("café", "café|b", "café")
    assert (row["error"], row["message"]) == (None, None)
    assert dict(zip(COLUMNS, flat(GOOD, formulas=False), strict=True))["path"] == "=a.jpg"


def test_a_refused_row_keeps_its_name_and_has_no_numbers():
    row = dict(zip(COLUMNS, flat(BAD, formulas=True), strict=True))
    assert text_of_cell(row["path"]) == "odd\udcff\n.jpg"
    assert (row["label"], row["probability"], row["error"]) == (None, None, "truncated")


def test_files_hold_a_line_a_row():
    table, lines = io.BytesIO(), io.BytesIO()
    write_csv([GOOD, BAD], table)
    write_jsonl([GOOD, BAD], lines)
    assert table.getvalue().count(b"\n") == 3
    assert table.getvalue().startswith(b'"path","answer","label"')
    assert [json.loads(line) for line in lines.getvalue().splitlines()] == [GOOD, BAD]
    assert set(WRITERS) == {".csv", ".jsonl", ".parquet"}
