"""Rows by the names of their columns; one thing seen, several, none."""

from pathlib import Path

from fieldguide.data.forms.camera_traps.tables import columns_of, is_true, one_label, rows_of
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import DataSource


def test_rows_are_as_wide_as_the_header(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a, b,c\n1\n1,2,3,4\n", encoding="utf-8")
    rows = list(rows_of(DataSource(tmp_path), file))
    assert rows == [(1, {"a": "1", "b": "", "c": ""}), (2, {"a": "1", "b": "2", "c": "3"})]
    assert columns_of(DataSource(tmp_path), file) == {"a", "b", "c"}
    assert columns_of(DataSource(tmp_path), tmp_path / "none.csv") == set()


def test_what_was_seen():
    records = Records("", Path())
    assert one_label(["fox", "", "fox"], records) == "fox"
    assert one_label(["fox", "hare"], records) is None
    assert one_label([""], records) is None
    assert dict(records.left_out) == {
        "several species on a photo are tags, which are not learned": 1,
        "not identified": 1,
    }
    assert [is_true(text) for text in ("True", "1", "0", "false", "")] == [True, True, False, False, False]
