"""undo.py: what was sorted goes back, and nothing that is the last of its kind goes."""

from dataclasses import replace
from pathlib import Path

import pytest

from fieldguide.errors import DataError
from fieldguide.prediction.inputs import EmbeddedImage, Inputs, find_inputs
from fieldguide.prediction.sorting import sort
from fieldguide.prediction.sorting.sort import sort_photos
from fieldguide.prediction.sorting.table import read_table, write_table
from fieldguide.prediction.sorting.undo import undo_sort
from sorting_killed import ByName, contents, write_photos


@pytest.fixture
def sorted_by(tmp_path):
    """Sort 20 photos: `table = sorted_by("move")`."""

    def run(by):
        write_photos(tmp_path, 20)
        return sort_photos(
            ByName(), lambda: find_inputs([tmp_path / "photos"]), tmp_path / "sorted", by=by
        ).tables[0]

    return run


@pytest.mark.parametrize("by", ["copy", "hardlink", "move"])
def test_a_sorting_is_undone_and_a_second_time_does_nothing(by, sorted_by, tmp_path):
    table = sorted_by(by)
    before = contents(tmp_path)
    would = undo_sort(table, dry_run=True)
    assert contents(tmp_path) == before
    done = undo_sort(table)
    assert (done.moved_back, done.removed, done.kept) == ((22, 0, []) if by == "move" else (0, 22, []))
    assert (would.moved_back, would.removed) == (done.moved_back, done.removed)
    assert len(contents(tmp_path / "photos")) == 22
    assert [path.name for path in (tmp_path / "sorted").iterdir()] == ["sorted.csv"]
    again = undo_sort(table)
    assert again.as_dict() == {"moved_back": 0, "removed": 0, "kept": {}, "dry_run": False}


def first(table):
    row = read_table(table)[0]
    return row, table.parent / row.target


@pytest.mark.parametrize("by", ["copy", "hardlink"])
def test_a_copy_stays_where_its_original_is_gone_or_another(by, sorted_by):
    table = sorted_by(by)
    rows = read_table(table)
    gone, changed, edited = rows[0], rows[5], rows[9]
    Path(gone.source).unlink()
    for path, content in ((changed.source, b"edited"), (table.parent / edited.target, b"retouched")):
        Path(path).unlink()
        Path(path).write_bytes(content)
    done = undo_sort(table)
    assert done.as_dict()["kept"] == {
        "its original is not there any more": 1,
        "it and its original differ": 2,
    }
    assert all((table.parent / row.target).exists() for row in (gone, changed, edited))


def test_a_moved_photo_comes_back_only_where_nothing_is(sorted_by):
    table = sorted_by("move")
    row, target = first(table)
    Path(row.source).write_bytes(b"a new one")
    done = undo_sort(table)
    assert [kept.note for kept in done.kept] == ["another file is where it came from"]
    assert target.exists()
    assert Path(row.source).read_bytes() == b"a new one"


def test_a_moved_photo_that_was_edited_comes_back_and_one_that_is_gone_is_said(sorted_by):
    table = sorted_by("move")
    (row, target), gone = first(table), read_table(table)[5]
    target.write_bytes(b"edited since")
    (table.parent / gone.target).unlink()
    done = undo_sort(table)
    assert Path(row.source).read_bytes() == b"edited since"
    assert [kept.note for kept in done.kept] == ["it lies neither here nor where it came from"]


def test_a_table_that_names_the_original_as_the_copy_removes_nothing(sorted_by, tmp_path):
    table = sorted_by("copy")
    row, target = first(table)
    write_table([replace(row, source=str(target))], table)
    assert undo_sort(table).kept[0].note == "it is the original"
    (tmp_path / "link.jpg").symlink_to(target)
    write_table([replace(row, source=str(tmp_path / "link.jpg"))], table)
    assert undo_sort(table).kept[0].note == "it is the original"
    assert target.exists()


def test_a_table_that_names_a_place_outside_is_refused_whole(sorted_by, tmp_path):
    table = sorted_by("copy")
    rows = read_table(table)
    (tmp_path / "victim.jpg").write_bytes(Path(rows[0].source).read_bytes())
    write_table([*rows, replace(rows[0], target="../victim.jpg")], table)
    with pytest.raises(DataError, match="nothing is undone"):
        undo_sort(table)
    assert (tmp_path / "victim.jpg").exists()
    assert (tmp_path / "sorted" / rows[0].target).exists()


def test_links_in_the_folder_are_not_followed(sorted_by, tmp_path):
    table = sorted_by("copy")
    rows = [row for row in read_table(table) if row.target.startswith("cat/")]
    (table.parent / "cat").rename(tmp_path / "elsewhere")
    (table.parent / "cat").symlink_to(tmp_path / "elsewhere")
    done = undo_sort(table)
    assert [kept.note for kept in done.kept] == ["it is a link or a folder now"] * len(rows)
    assert len(list((tmp_path / "elsewhere").iterdir())) == len(rows)


@pytest.mark.parametrize("by", ["copy", "move"])
def test_a_run_that_was_killed_is_undone_by_its_journal(by, sorted_by, tmp_path, monkeypatch):
    real, left = sort.place, [9]

    def place(*given):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(sort, "place", place)
    with pytest.raises(KeyboardInterrupt):
        sorted_by(by)
    journal = tmp_path / "sorted" / "sorted.csv.partial"
    undo_sort(journal)
    assert len(contents(tmp_path / "photos")) == 22
    assert list((tmp_path / "sorted").iterdir()) == []
    with pytest.raises(DataError, match="no such file"):
        undo_sort(journal)


def test_what_a_journal_could_not_undo_stays_in_a_table(sorted_by, tmp_path, monkeypatch):
    monkeypatch.setattr(sort, "write_table", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sorted_by("move")
    monkeypatch.undo()
    (tmp_path / "photos" / "0" / "p0.jpg").write_bytes(b"another")
    done = undo_sort(tmp_path / "sorted" / "sorted.csv.partial")
    assert len(done.kept) == 1
    assert len(read_table(tmp_path / "sorted" / "sorted.csv")) == 22


def interrupt(photos, path):
    raise KeyboardInterrupt


def test_copies_from_an_archive_go_while_it_is_there(tmp_path):
    (tmp_path / "p1.jpg").write_bytes(b"photo")
    (tmp_path / "p.zip").write_bytes(b"archive")
    item = EmbeddedImage(str(tmp_path / "p.zip" / "p1.jpg"), str(tmp_path / "p1.jpg"))
    table = sort_photos(ByName(), lambda: Inputs([item]), tmp_path / "sorted").tables[0]
    (row,) = read_table(table)
    (table.parent / row.target).write_bytes(b"Photo")
    assert undo_sort(table).kept[0].note == "it was changed since"
    (table.parent / row.target).write_bytes(b"photo")
    (tmp_path / "p.zip").rename(tmp_path / "q.zip")
    assert undo_sort(table).kept[0].note == "its archive is not there any more"
    (tmp_path / "q.zip").rename(tmp_path / "p.zip")
    assert undo_sort(table).removed == 1
