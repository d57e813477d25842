from pathlib import Path

import pytest

from fieldguide.data.corrections import Correction
from fieldguide.errors import DataError
from fieldguide.workspace.correction_table import CorrectionTable


def line(path, label, corrected="", action="drop", reason="why"):
    return Correction(path, label, corrected, action, reason)


def test_lines_are_added_and_the_newest_of_an_image_counts(tmp_path):
    table = CorrectionTable(tmp_path, Path("/data/photos"))
    assert table.lines() == ()
    table.put([line("a.jpg", "cat"), line("b.jpg", "dog", "cat", "relabel")])
    table.put([line("a.jpg", "cat", action="keep")])
    assert [(each.path, each.action) for each in table.lines()] == [("b.jpg", "relabel"), ("a.jpg", "keep")]
    table.clear()
    assert table.lines() == ()


def test_data_sets_of_one_name_have_tables_of_their_own(tmp_path):
    one, other = CorrectionTable(tmp_path, Path("/a/photos")), CorrectionTable(tmp_path, Path("/b/photos"))
    one.put([line("a.jpg", "cat")])
    assert other.lines() == ()
    assert one.path.name.startswith("photos-")


def test_hostile_names_stay_in_the_table(tmp_path):
    table = CorrectionTable(tmp_path, Path("/data/../<b>\n"))
    hostile = line("=1+1\n.jpg", "bad\udcff", "a,b", "relabel")
    table.put([hostile])
    assert table.lines() == (hostile,)
    assert table.path.parent == tmp_path


def test_a_table_that_somebody_broke_is_said_and_kept(tmp_path):
    table = CorrectionTable(tmp_path, Path("/data"))
    table.path.write_text("nonsense\n")
    with pytest.raises(DataError, match="columns path, label and action"):
        table.put([line("a.jpg", "cat")])
    assert table.path.read_text() == "nonsense\n"
