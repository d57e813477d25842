"""placing.py: a file in its new place whole, never over another, and the original only then gone."""

import errno
import os
import sys
from pathlib import Path

import pytest

from fieldguide.errors import OutputError
from fieldguide.prediction.sorting import placing
from fieldguide.prediction.sorting.placing import place, publish, same_content, same_entry
from fieldguide.prediction.sorting.table import SortedPhoto

POSIX = pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")


@pytest.fixture
def put(tmp_path):
    """Place `a.jpg` as `b/a.jpg`: `put(how)`."""
    source, target = tmp_path / "a.jpg", tmp_path / "b" / "a.jpg"
    source.write_bytes(b"photo")
    os.utime(source, (1, 1_000_000))
    target.parent.mkdir()

    def run(how, source=source):
        row = SortedPhoto(str(source), "b/a.jpg", "b", 0.9, how)
        return place(row, str(source), target, tmp_path / ".scratch")

    run.source, run.target, run.scratch = source, target, tmp_path / ".scratch"
    return run


def fail(monkeypatch, name, code, only=None):
    real = getattr(os, name)

    def failing(*arguments, **options):
        if only is None or only(arguments):
            raise OSError(code, os.strerror(code))
        return real(*arguments, **options)

    monkeypatch.setattr(os, name, failing)


@pytest.mark.parametrize("how", ["copy", "unpack", "hardlink", "move"])
def test_a_photo_is_placed_with_its_time(how, put):
    row = put(how)
    assert put.target.read_bytes() == b"photo"
    assert put.target.stat().st_mtime == 1_000_000
    assert put.source.exists() == (how != "move")
    assert (row.how, row.bytes, len(row.sha256)) == (how, 5, 64 if how in ("copy", "unpack") else 0)
    assert not put.scratch.exists()


@pytest.mark.parametrize("how", ["copy", "hardlink", "move"])
def test_another_file_is_never_written_over(how, put):
    put.target.write_bytes(b"other")
    with pytest.raises(FileExistsError):
        put(how)
    assert (put.target.read_bytes(), put.source.read_bytes()) == (b"other", b"photo")


@POSIX
@pytest.mark.parametrize("how", ["copy", "hardlink", "move"])
def test_a_link_in_the_new_place_is_not_followed(how, put, tmp_path):
    put.target.symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        put(how)
    assert not (tmp_path / "victim").exists()
    (tmp_path / "victim").write_bytes(b"photo")  # the same bytes, behind a link
    with pytest.raises(FileExistsError):
        put(how)
    assert put.source.exists()


@POSIX
def test_links_are_not_moved_and_what_is_behind_them_is_copied(put, tmp_path):
    (tmp_path / "link.jpg").symlink_to(put.source)
    assert "is a link" in put("move", tmp_path / "link.jpg").note
    assert not put.target.exists()
    assert put("copy", tmp_path / "link.jpg").how == "copy"
    assert not put.target.is_symlink()


@POSIX
def test_a_pipe_and_a_folder_are_left(put, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for how in ("copy", "move"):
        assert put(how, tmp_path / "pipe").note == "it is no regular file"
        assert put(how, tmp_path).how == "left"


@pytest.mark.parametrize("how", ["copy", "hardlink", "move"])
def test_a_photo_that_is_gone_is_left(how, put):
    put.source.unlink()
    assert put(how).note == "it is not there any more"


@pytest.mark.parametrize("how", ["copy", "move"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_stops_the_run_and_nothing_is_lost(how, code, put, monkeypatch):
    fail(monkeypatch, "link", errno.EXDEV)
    monkeypatch.setattr(placing, "_renamed", far)
    fail(monkeypatch, "fsync", code)
    with pytest.raises(OutputError, match="make room and run the same command again"):
        put(how)
    assert put.source.read_bytes() == b"photo"
    assert not put.target.exists() and not put.scratch.exists()


def far(source, target):
    if source.name == ".scratch":
        source.rename(target)
    else:
        raise OSError(errno.EXDEV, "another disk")


def test_to_another_disk_a_move_is_a_copy_that_is_read_again(put, monkeypatch):
    fail(monkeypatch, "link", errno.EXDEV)
    monkeypatch.setattr(placing, "_renamed", far)
    row = put("move")
    assert (row.how, len(row.sha256), put.source.exists()) == ("move", 64, False)
    assert put.target.read_bytes() == b"photo"


def test_a_copy_that_reads_differently_does_not_replace_the_original(put, monkeypatch):
    fail(monkeypatch, "link", errno.EXDEV)
    monkeypatch.setattr(placing, "_renamed", far)
    monkeypatch.setattr(placing, "digest_of", lambda path: "0" * 64)
    assert "reads differently" in put("move").note
    assert put.source.exists() and not put.target.exists()


def test_an_original_that_changes_meanwhile_is_kept(put, monkeypatch):
    fail(monkeypatch, "link", errno.EXDEV)

    def changing(source, target):
        far(source, target)
        put.source.write_bytes(b"edited meanwhile")

    monkeypatch.setattr(placing, "_renamed", changing)
    with pytest.raises(OSError, match="another disk"):
        changing(put.source, put.target)
    assert "changed while it was moved" in put("move").note
    assert put.source.read_bytes() == b"edited meanwhile"
    assert not put.target.exists()


def test_without_hard_links_nothing_is_written_over_either(put, monkeypatch):
    fail(monkeypatch, "link", errno.EPERM)
    put.target.write_bytes(b"other")
    with pytest.raises(FileExistsError):
        put("move")
    put.target.unlink()
    assert put("move").how == "move"
    assert put.target.read_bytes() == b"photo"
    put.scratch.write_bytes(b"new")
    with pytest.raises(FileExistsError):
        publish(put.scratch, put.target)
    assert put.target.read_bytes() == b"photo"


def test_a_hard_link_to_another_disk_is_a_copy(put, monkeypatch):
    fail(monkeypatch, "link", errno.EXDEV, only=lambda given: Path(given[0]) == put.source)
    assert put("hardlink").how == "copy"
    assert put.target.stat().st_ino != put.source.stat().st_ino


def test_where_the_original_may_not_go_the_photo_stays(put, monkeypatch):
    real = Path.unlink

    def unlink(path, *given, **options):
        if path == put.source:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *given, **options)

    monkeypatch.setattr(Path, "unlink", unlink)
    assert "its folder may not be changed (Permission denied)" in put("move").note
    assert put.source.exists() and not put.target.exists()


@POSIX
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() == 0, reason="root may read all")
def test_a_photo_that_may_not_be_read_is_left(put):
    put.source.chmod(0)
    assert "cannot be read" in put("copy").note


@POSIX
def test_a_move_that_was_killed_half_way_is_ended(put):
    os.link(put.source, put.target)  # the same disk: two names
    assert put("move").how == "move"
    assert put.target.read_bytes() == b"photo" and not put.source.exists()
    assert put("move").how == "move"  # and once more: it was done, only not noted
    put.source.write_bytes(b"photo")  # another disk: two copies
    assert put("move").how == "move"
    assert put.target.read_bytes() == b"photo" and not put.source.exists()


def test_a_photo_in_its_own_place_is_never_removed(put):
    row = SortedPhoto(str(put.source), "b/a.jpg", "b", 0.9, "move")
    assert place(row, str(put.source), put.source, put.scratch).how == "present"
    assert put.source.exists()


def test_names_and_contents_are_told_apart(put, tmp_path):
    (tmp_path / "same.jpg").write_bytes(b"photo")
    (tmp_path / "other.jpg").write_bytes(b"pHoto")
    assert same_content(put.source, tmp_path / "same.jpg")
    assert not same_content(put.source, tmp_path / "other.jpg")
    assert not same_content(put.source, tmp_path / "gone.jpg")
    assert same_entry(put.source, tmp_path / "b" / ".." / "a.jpg")
    assert not same_entry(put.source, tmp_path / "same.jpg")
    os.link(put.source, tmp_path / "b" / "a.jpg")
    assert not same_entry(put.source, tmp_path / "b" / "a.jpg")
