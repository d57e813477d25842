"""Tables as people and programs write them: row 28 of the fault list."""

import contextlib
import json
import sys
from pathlib import Path

import pytest

from fieldguide.data.tables import read_table
from fieldguide.errors import DataError

PLAIN = "path,label\na.jpg,cat\nb.jpg,dog\n"


def cells(path):
    return [(row.path, row.label) for row in read_table(path).rows]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.rstrip("\n").encode(),
        PLAIN.replace("\n", "\n\n").encode(),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        b"\xef\xbb\xbf" + PLAIN.replace(",", ";").replace("\n", "\r\n").encode(),
        b'"path","label"\n"a.jpg","cat"\n"b.jpg","dog"\n',
    ],
)
def test_every_dialect_reads_the_same(tmp_path, content):
    table = tmp_path / "t.csv"
    table.write_bytes(content)
    assert cells(table) == [("a.jpg", "cat"), ("b.jpg", "dog")]


@pytest.mark.parametrize("path", ["path", "image", "file", "filename", " Path ", "FileName"])
@pytest.mark.parametrize("label", ["label", "class", "Class"])
def test_column_names(tmp_path, path, label):
    table = tmp_path / "t.csv"
    table.write_text(f"id,{label},{path}\n7,cat,a.jpg\n")
    assert cells(table) == [("a.jpg", "cat")]


def test_preferred_names_win(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("filename,class,path,label\nwrong,wrong,a.jpg,cat\n")
    assert cells(table) == [("a.jpg", "cat")]


def test_quoted_newline_delimiter_and_quote(tmp_path):
    table = tmp_path / "t.csv"
    table.write_bytes(b'path,label\n"a\nb.jpg","big, ""bad"" cat"\nc.jpg,dog\n')
    assert cells(table) == [("a\nb.jpg", 'big, "bad" cat'), ("c.jpg", "dog")]


def test_label_with_semicolon_does_not_change_the_delimiter(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label;x,label\na.jpg,1;2;3,cat\n")
    assert cells(table) == [("a.jpg", "cat")]


def test_bytes_that_are_no_utf8_match_file_names(tmp_path):
    table = tmp_path / "t.csv"
    table.write_bytes(b"path,label\nbad\xff.jpg,cat\n")
    read = read_table(table)
    assert read.rows[0].path.encode("utf-8", "surrogateescape") == b"bad\xff.jpg"
    assert "not UTF-8" in read.notes[0]


def test_short_rows_are_filled_and_long_ones_cut(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label,split\na.jpg\nb.jpg,dog,train,more\n")
    assert cells(table) == [("a.jpg", ""), ("b.jpg", "dog")]


def test_tabs(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text("path\tlabel\tsplit\tgroup\na.jpg\tcat\ttest\tp1\n")
    assert cells(table) == [("a.jpg", "cat")]


def test_columns_are_found_as_in_data(tmp_path):
    for name in ("7.jpg", "8.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "ids.csv").write_text("shot,kind\n7.jpg,cat\n8.jpg,dog\n")
    assert [path for path, _ in cells(tmp_path / "ids.csv")] == ["7.jpg", "8.jpg"]
    (tmp_path / "bare.csv").write_text("7.jpg,cat\n8.jpg,dog\n")
    assert cells(tmp_path / "bare.csv") == [("7.jpg", "cat"), ("8.jpg", "dog")]


def test_excel(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (("image", "label"), ("a.jpg", "cat")):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    assert cells(tmp_path / "t.xlsx") == [("a.jpg", "cat")]


def test_images_inside_last_as_long_as_the_stack(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    image = [{"bytes": b"\xff\xd8\xff\xe0a", "path": "../a.jpg"}, {"bytes": None, "path": None}]
    parquet.write_table(pyarrow.table({"image": image, "label": ["cat", ""]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="holds images itself"):
        read_table(tmp_path / "t.parquet")
    with contextlib.ExitStack() as stack:
        read = read_table(tmp_path / "t.parquet", stack)
        assert [(row.path, row.label) for row in read.rows] == [("a.jpg", "cat"), ("", "")]
        assert Path(read.root, "a.jpg").read_bytes() == b"\xff\xd8\xff\xe0a"
    assert not Path(read.root).exists()


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a,b\n1,2\n", b"a.jpg,cat\n", b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xfe"]
)
def test_no_path_column_stops_early(tmp_path, content):
    table = tmp_path / "t.csv"
    table.write_bytes(content)
    with pytest.raises(DataError, match="a column must name the images"):
        read_table(table)


def test_a_cell_beyond_all_measure_stops_early(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label\n" + "x" * 200_000 + ",cat\n")
    with pytest.raises(DataError, match="line 2 is not valid CSV"):
        read_table(table)


def test_header_only_gives_no_rows(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("path,label\n")
    assert read_table(table).rows == ()


def test_json_lines(tmp_path):
    table = tmp_path / "t.jsonl"
    lines = [
        json.dumps({"image": "a.jpg", "label": 3}),
        "",
        "{broken",
        "[1]",
        json.dumps({"image": "b\u2028.jpg"}),
    ]
    table.write_text("\n".join(lines), encoding="utf-8")
    read = read_table(table)
    assert [(r.number, r.path, r.label) for r in read.rows] == [(1, "a.jpg", "3"), (4, "b\u2028.jpg", "")]
    assert read.damaged == (2, 3)


def test_json_lines_without_a_path(tmp_path):
    table = tmp_path / "t.jsonl"
    table.write_text('{"x": 1}\n')
    with pytest.raises(DataError, match="a column must name the images"):
        read_table(table)


def test_json_depth_does_not_crash(tmp_path):
    table = tmp_path / "t.jsonl"
    table.write_text("[" * 100_000 + "\n" + '{"path": "a.jpg", "label": "cat"}\n')
    read = read_table(table)
    assert (len(read.rows), read.damaged) == (1, (1,))


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = tmp_path / "t.parquet"
    columns = {"extra": [1.0, 2.0, 3.0], "file": ["a.jpg", "b.jpg", None], "label": [1.0, float("nan"), 2.0]}
    parquet.write_table(pyarrow.table(columns), table)
    assert cells(table) == [("a.jpg", "1.0"), ("b.jpg", ""), ("", "2.0")]
    table.write_bytes(table.read_bytes()[:-20])
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_table(table)
    parquet.write_table(pyarrow.table({"x": [1]}), table)
    with pytest.raises(DataError, match="a column must name the images"):
        read_table(table)


def test_parquet_without_pyarrow_names_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"save the table as \.csv or run: pip install 'pyarrow>="):
        read_table(tmp_path / "t.parquet")


def test_unknown_suffix_names_the_allowed(tmp_path):
    with pytest.raises(DataError, match=r"\.csv, \.jsonl, \.parquet, \.tsv, \.xlsx, got \.doc"):
        read_table(tmp_path / "t.doc")


def test_missing_table(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / "t.csv")
