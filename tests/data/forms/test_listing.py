"""Rows of a table become images on disk: paths that leave the folder, missing files, repeats."""

import os
from pathlib import Path

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms import table
from fieldguide.data.forms.listing import listed
from fieldguide.data.forms.source import DataSource
from fieldguide.errors import DataError


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    for name in ("a.jpg", "b.jpg", "cat/c.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (tmp_path / "outside.jpg").touch()
    (tmp_path / "data-twin").mkdir()
    (tmp_path / "data-twin/x.jpg").touch()
    return folder


def read_listing(path, **options):
    source = DataSource(path)
    return listed(table.read(source, [path]), lambda: source.index, **options)


def listing(data, *rows, header="path,label", **options):
    listed_in = data / "t.csv"
    listed_in.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8", errors="surrogateescape")
    return read_listing(listed_in, **options)


def codes(found):
    return [(refusal.path, refusal.code) for refusal in found.refused]


def test_paths_count_from_the_tables_folder(data):
    found = listing(data, "a.jpg,x", "./cat/c.jpg,y", "cat\\c.jpg,y", f"{data}/b.jpg,x")
    assert [os.path.relpath(path, data) for path in found.paths] == ["a.jpg", "cat/c.jpg", "b.jpg"]
    assert found.labels == ["x", "y", "x"]
    assert "1 repeated row dropped" in found.notes


@pytest.mark.parametrize(
    "path",
    [
        "../outside.jpg",
        "cat/../../outside.jpg",
        "cat/../a.jpg",
        "..\\outside.jpg",
        "{up}/outside.jpg",
        "{up}/data-twin/x.jpg",
        "{up}/data/../outside.jpg",
        "/etc/passwd",
        "C:\\x.jpg",
        "\\\\server\\x.jpg",
    ],
)
def test_paths_that_leave_the_folder_are_refused(data, path):
    path = path.replace("{up}", str(data.parent))
    found = listing(data, f"{path},x", "a.jpg,y")
    assert codes(found) == [(path, "outside")]
    assert len(found.paths) == 1


def test_links_that_leave_the_folder_are_refused(data):
    (data / "link.jpg").symlink_to("../outside.jpg")
    (data / "twin").symlink_to("../data-twin")
    (data / "inner.jpg").symlink_to("a.jpg")
    found = listing(data, "link.jpg,x", "twin/x.jpg,x", "inner.jpg,y")
    assert codes(found) == [("link.jpg", "link_outside"), ("twin/x.jpg", "link_outside")]
    assert found.labels == ["y"]


def test_missing_rows_are_listed_and_counted(data):
    found = listing(
        data, *(f"gone{number}.jpg,x" for number in range(9)), "cat,x", "a.jpg,y", ",z", "a.jpg\0,x"
    )
    assert len(found.refused) == 12
    assert {refusal.code for refusal in found.refused} == {"missing", "not_a_file"}
    assert any(
        "12 of 13 rows left out: 11 missing, 1 not_a_file; first 'gone0.jpg'" in n for n in found.notes
    )


def test_unlabelled_rows(data):
    assert codes(listing(data, "a.jpg,", "b.jpg,x")) == [("a.jpg", "unlabelled")]
    assert listing(data, "a.jpg,", "b.jpg,x", unlabelled=True).labels == ["", "x"]
    assert listing(data, "a.jpg", header="path", unlabelled=True).labels == [""]
    with (
        pytest.raises(DataError, match="need a column of labels, such as label or class"),
        open_dataset(data / "t.csv"),
    ):
        pass


def test_splits_and_groups(data):
    rows = ("a.jpg,x,Train,p1", "b.jpg,y,val,", "cat/c.jpg,x,TEST,p2", "a.jpg,x,fold3,p1", "b.jpg,x,,p1")
    found = listing(data, *rows, header="path,label,split,group")
    assert found.splits == ["train", "validation", "test"]
    assert found.groups == ["p1", "", "p2"]
    assert codes(found) == [("a.jpg", "unknown_split"), ("b.jpg", "unknown_split")]


def test_conflicts_are_noted_and_kept(data):
    found = listing(
        data, "a.jpg,x,train", "a.jpg,y,train", "b.jpg,x,train", "b.jpg,x,test", header="path,label,split"
    )
    assert len(found.paths) == 4
    assert "1 image listed under more than one label" in found.notes
    assert "1 image listed in more than one split" in found.notes


def test_extra_files_are_counted(data):
    found = listing(data, "a.jpg,x", "cat/c.jpg,y")
    assert "1 image beside the listed ones not in the table, not used" in found.notes


def test_no_rows_stop_early(data):
    with pytest.raises(DataError, match="got 0 rows"):
        listing(data)


def test_labels_are_kept_exactly(data):
    assert listing(data, 'a.jpg," x "', "b.jpg,é=\U0001f415").labels == [" x ", "é=\U0001f415"]


def test_odd_bytes_find_their_file(data):
    name = os.fsdecode(b"bad\xff.jpg")
    (data / name).touch()
    found = listing(data, f"{name},x")
    assert os.fsencode(Path(found.paths[0]).name) == b"bad\xff.jpg"


def test_progress_is_told(data):
    calls = []
    listing(data, "a.jpg,x", progress=lambda *call: calls.append(call))
    assert calls == [("table", 1, 1)]


def test_a_folder_that_is_listed_once_says_the_same(data):
    """From the eighth file on, a listing of the folder answers; links and folders are still told."""
    for number in range(12):
        (data / f"n{number}.jpg").touch()
    (data / "link.jpg").symlink_to("../outside.jpg")
    (data / "inner.jpg").symlink_to("a.jpg")
    (data / "folder.jpg").mkdir()
    rows = [f"n{number}.jpg,x" for number in range(12)]
    found = listing(data, *rows, "link.jpg,x", "inner.jpg,y", "folder.jpg,y", "none.jpg,y", "cat/../a.jpg,y")
    assert codes(found) == [
        ("link.jpg", "link_outside"),
        ("folder.jpg", "not_a_file"),
        ("none.jpg", "missing"),
        ("cat/../a.jpg", "outside"),
    ]
    assert len(found.paths) == 13
