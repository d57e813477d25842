"""Lists cut at white space: comments passed over, damaged lines counted with file and line."""

from pathlib import Path

from fieldguide.data.forms.academic.text_lists import beside, lines_of, pairs
from fieldguide.data.forms.records import Records


def test_lines_keep_their_numbers(tmp_path):
    file = tmp_path / "list.txt"
    file.write_bytes(b"\xef\xbb\xbf#Image ID\r\n\r\n  a 1 \r\nb 2\r\n")
    assert list(lines_of(file)) == [(3, "a 1"), (4, "b 2")]


def test_damaged_lines_are_refused_with_their_place(tmp_path):
    file, records = tmp_path / "classes.txt", Records("", Path())
    file.write_text("1 Black footed Albatross\n2\n1 again\n", encoding="utf-8")
    assert pairs(file, records, "number and name") == {"1": "Black footed Albatross"}
    assert [refusal.path for refusal in records.refused] == [f"{file}, line 2", f"{file}, line 3"]
    assert "the line must be number and name, each once, got '2'" in records.refused[0].message


def test_a_neighbour_is_a_file(tmp_path):
    (tmp_path / "a.txt").touch()
    (tmp_path / "folder").mkdir()
    assert beside(tmp_path / "x.txt", "a.txt") == tmp_path / "a.txt"
    assert beside(tmp_path / "x.txt", "folder") is None
