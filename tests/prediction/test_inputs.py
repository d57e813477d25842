"""Files, folders, globs and tables become one list in which everything has its place."""

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from fieldguide.errors import DataError, Refusal
from fieldguide.prediction.inputs import find_inputs, path_of


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(folder, *paths):
    """Items relative to `folder`, refusals as pairs (path, code)."""
    items = find_inputs([f"{folder}/{path}" for path in paths]).items
    short = [path_of(item).removeprefix(f"{folder}/") for item in items]
    return [
        (name, item.code) if isinstance(item, Refusal) else name
        for name, item in zip(short, items, strict=True)
    ]


def test_files_are_tried_whatever_their_name_and_stay_in_order(tmp_path):
    touch(tmp_path, "b.jpg", "a.txt", "-x")
    assert found(tmp_path, "b.jpg", "a.txt", "-x", "missing.jpg", "b.jpg") == [
        *("b.jpg", "a.txt", "-x", "missing.jpg", "b.jpg")
    ]


def test_folders_are_walked_for_images_and_the_rest_is_counted(tmp_path):
    touch(tmp_path, "p/b.JPG", "p/a/c.png", "p/notes.txt", "p/.hidden.jpg")
    assert found(tmp_path, "p") == ["p/a/c.png", "p/b.JPG"]
    notes = find_inputs([tmp_path / "p"]).notes
    assert any("1 file skipped" in note and ".txt" in note for note in notes)


def test_links_that_leave_or_loop_are_not_followed(tmp_path):
    touch(tmp_path, "p/a.jpg", "outside/secret.jpg")
    (tmp_path / "p/loop").symlink_to(".")
    (tmp_path / "p/away").symlink_to("../outside")
    (tmp_path / "p/one.jpg").symlink_to("../outside/secret.jpg")
    assert found(tmp_path, "p") == ["p/a.jpg", ("p/away", "link_outside"), ("p/one.jpg", "link_outside")]


def test_globs_are_files_and_folders_in_order_of_names(tmp_path):
    touch(tmp_path, "x/2.jpg", "x/10.jpg", "x/.secret.jpg", "y/3.jpg", "y/notes.txt")
    assert found(tmp_path, "x/*.jpg") == ["x/10.jpg", "x/2.jpg"]
    assert found(tmp_path, "?") == ["x/10.jpg", "x/2.jpg", "y/3.jpg"]
    assert found(tmp_path, "**/*.jpg") == ["x/10.jpg", "x/2.jpg", "y/3.jpg"]
    assert found(tmp_path, "y/**") == ["y/3.jpg", "y/notes.txt"]
    assert found(tmp_path, "[xy]/[0-9].jpg") == ["x/2.jpg", "y/3.jpg"]
    assert found(tmp_path, "*.webp", "x/2.jpg") == [("*.webp", "missing"), "x/2.jpg"]


def test_a_glob_of_all_folders_ends_where_links_loop(tmp_path):
    touch(tmp_path, "a/1.jpg")
    for number in range(3):
        (tmp_path / f"a/loop{number}").symlink_to("..")
    assert found(tmp_path, "**/*.jpg") == ["a/1.jpg"]


def test_a_name_with_the_signs_of_a_glob_is_a_name_first(tmp_path):
    touch(tmp_path, "a[1].jpg", "a1.jpg", "x[2]/b[3].jpg")
    assert found(tmp_path, "a[1].jpg") == ["a[1].jpg"]
    assert found(tmp_path, "*/*.jpg") == ["x[2]/b[3].jpg"]


def test_a_table_is_one_input_a_row(tmp_path):
    touch(tmp_path, "t/a.jpg", "t/b.jpg")
    away = tmp_path / "away.jpg"
    (tmp_path / "t/list.csv").write_text(
        f"id,image\n1,a.jpg\n2,../t/b.jpg\n3,a.jpg\n4,\n5,gone.jpg\n6,{away}\n"
    )
    assert found(tmp_path, "t/list.csv") == [
        "t/a.jpg",
        ("../t/b.jpg", "outside"),
        "t/a.jpg",
        ("t/list.csv, row 4", "missing"),
        "t/gone.jpg",
        "away.jpg",
    ]


def test_a_table_from_windows_may_write_backslashes(tmp_path):
    touch(tmp_path, "t/cat/a.jpg", "t/odd\\name.jpg")
    (tmp_path / "t/list.csv").write_text("path\ncat\\a.jpg\nodd\\name.jpg\n..\\x.jpg\n")
    assert found(tmp_path, "t/list.csv") == ["t/cat/a.jpg", "t/odd\\name.jpg", ("..\\x.jpg", "outside")]


def test_a_table_of_damaged_lines_says_so(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"path": "a.jpg"}\n{"path": \n')
    inputs = find_inputs([tmp_path / "t.jsonl"])
    assert inputs.items == [str(tmp_path / "a.jpg")]
    assert any("1 rows are not JSON objects" in note and note.endswith(": 2") for note in inputs.notes)


def test_an_archive_is_its_images(tmp_path):
    touch(tmp_path, "p/a/1.jpg", "p/2.png", "p/notes.md")
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "p")
    with contextlib.ExitStack() as stack:
        inputs = find_inputs([archive], stack=stack)
        assert [path_of(item) for item in inputs.items] == [f"{archive}/2.png", f"{archive}/a/1.jpg"]
        assert all(Path(file).read_bytes() == b"x" for file in inputs.files().values())
        assert any("1 file skipped" in note for note in inputs.notes)
    assert not any(map(os.path.exists, inputs.files().values()))


def test_nothing_at_all_cannot_start(tmp_path):
    touch(tmp_path, "p/notes.txt")
    with pytest.raises(DataError, match=r"p'.*there is no image in it.*skipped.*name image files"):
        find_inputs([tmp_path / "p"])
