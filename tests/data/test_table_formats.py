"""Table files as rows, whatever their format."""

import json

import pytest

from fieldguide.data.table_formats import CELL_READERS, read_cells
from fieldguide.errors import DataError

ROWS = [("a.jpg", "cat"), ("b.jpg", "dog")]


def write(folder, suffix):
    """The same table in a format."""
    path = folder / f"t{suffix}"
    if suffix == ".xlsx":
        openpyxl = pytest.importorskip("openpyxl", reason="the extra excel is not installed")
        book = openpyxl.Workbook()
        for row in (("path", "label"), *ROWS):
            book.active.append(row)
        book.save(path)
    elif suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
        import pyarrow
        import pyarrow.parquet

        columns = {"path": [one for one, _ in ROWS], "label": [other for _, other in ROWS]}
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
    elif suffix in (".json", ".jsonl"):
        objects = [{"path": one, "label": other} for one, other in ROWS]
        lines = "\n".join(map(json.dumps, objects))
        path.write_text(json.dumps(objects) if suffix == ".json" else lines, encoding="utf-8")
    else:
        mark = "\t" if suffix in (".tsv", ".txt") else ","
        path.write_text(
            "".join(f"{mark.join(row)}\n" for row in (("path", "label"), *ROWS)), encoding="utf-8"
        )
    return path


@pytest.mark.parametrize("suffix", CELL_READERS)
def test_every_format_gives_the_same_rows(tmp_path, suffix):
    cells = read_cells(write(tmp_path, suffix))
    assert cells.header == ("path", "label")
    assert [tuple(row) for row in cells.records()] == ROWS
    assert [tuple(row) for row in cells.records()] == ROWS  # each call begins anew
    assert [tuple(row) for row in cells.head(1)] == ROWS[:1]


@pytest.mark.parametrize("suffix", [".json", ".xlsx", ".parquet"])
def test_what_a_file_is_not_is_said_in_a_sentence(tmp_path, suffix):
    if suffix != ".json":
        pytest.importorskip({".xlsx": "openpyxl", ".parquet": "pyarrow"}[suffix])
    path = tmp_path / f"t{suffix}"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"it is not (valid JSON|a readable (Excel workbook|Parquet file))"):
        read_cells(path)


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "\ufeffSEP=;\n"])
def test_the_line_that_tells_excel_the_delimiter_is_no_header(tmp_path, line):
    path = tmp_path / "a.csv"
    path.write_text(line + "path;label\n1,5.jpg;cat\n", encoding="utf-8", newline="")
    cells = read_cells(path)
    assert cells.header == ("path", "label")
    assert cells.head(2) == [["1,5.jpg", "cat"]]


def test_labels_by_image_are_a_table_and_names_of_classes_are_none(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text('{"a.jpg": "cat", "b.jpg": "dog"}')
    cells = read_cells(path)
    assert (cells.header, cells.head(5)) == (("image", "label"), [("a.jpg", "cat"), ("b.jpg", "dog")])
    path.write_text('{"0": "cat", "1": "dog"}')
    with pytest.raises(DataError, match="must be a list of objects"):
        read_cells(path)


def test_columns_of_lists_are_a_table_too(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"path": ["a.jpg"], "label": ["cat"]}), encoding="utf-8")
    assert list(read_cells(path).records()) == [("a.jpg", "cat")]


def test_a_line_that_is_no_object_keeps_its_number(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"path": "a.jpg"}\n[1]\n{"path": "b.jpg"}\n', encoding="utf-8")
    cells = read_cells(path)
    assert cells.damaged == (2,)
    assert [list(row) for row in cells.records()] == [["a.jpg"], [], ["b.jpg"]]


def test_a_path_with_spaces_and_a_number(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("my photos/a b.jpg 0\nc.jpg 1\n", encoding="utf-8")
    cells = read_cells(path)
    assert [cells.header, *map(tuple, cells.records())] == [("my photos/a b.jpg", "0"), ("c.jpg", "1")]


def test_an_ending_that_is_none_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a table must end in \.csv.*got \.doc"):
        read_cells(tmp_path / "t.doc")
