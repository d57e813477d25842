"""Files written whole or not at all: rows 43 to 45 of the fault list. And temporary folders."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from fieldguide import files
from fieldguide.errors import OutputError
from fieldguide.files import atomic_write, cache_folder, new_folder, remove_folder, scratch_folder

WRITER = """
import sys
from fieldguide.files import atomic_write
with atomic_write(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("written", flush=True)
    sys.stdin.read()
"""


def start_writer(target: Path, code: str = WRITER) -> subprocess.Popen:
    """A process that has written half a file and waits."""
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "written\n"
    return writer


def end(writer: subprocess.Popen, how: signal.Signals | None = None) -> None:
    if how is not None:
        writer.send_signal(how)
    writer.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(target: Path, content: bytes = b"new") -> None:
    with atomic_write(target) as file:
        file.write(content)


def test_the_file_appears_whole_with_the_usual_rights(tmp_path):
    target = tmp_path / "x.csv"
    mask = os.umask(0o027)
    try:
        with atomic_write(target) as file:
            file.write(b"new")
            assert not target.exists()
    finally:
        os.umask(mask)
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert names(tmp_path) == ["x.csv"]


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_an_error_on_the_way_leaves_the_old_file(tmp_path, error):
    target = tmp_path / "x.csv"
    target.write_bytes(b"old")
    with pytest.raises(type(error)), atomic_write(target) as file:
        file.write(b"half")
        raise error
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["x.csv"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    target = tmp_path / "x.csv"
    target.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"x\.csv: was not written \(File too large\); the old file is"):
            write(target, bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["x.csv"]


def test_a_disk_that_cannot_sync_is_no_success(tmp_path, monkeypatch):
    """The bytes, then the new name: only the first of them can still leave the old file."""
    target = tmp_path / "x.csv"
    target.write_bytes(b"old")

    def fail(descriptor, folders):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode) == folders:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", lambda descriptor: fail(descriptor, False))
    with pytest.raises(
        OutputError, match=r"was not written \(Input/output error\); the old file is untouched"
    ):
        write(target)
    assert target.read_bytes() == b"old"
    monkeypatch.setattr(os, "fsync", lambda descriptor: fail(descriptor, True))
    with pytest.raises(
        OutputError, match=r"the disk does not confirm it \(Input/output error\); write it again"
    ):
        write(target)
    assert names(tmp_path) == ["x.csv"]


def test_a_failing_rename_is_told(tmp_path, monkeypatch):
    def fail(self, target):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="was not written"):
        write(tmp_path / "x.csv")
    assert names(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match=r"No such file or directory\); choose another place"):
        write(tmp_path / "gone" / "x.csv")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(OutputError, match="it is a folder or device; choose another name"):
            write(tmp_path / name)
    assert names(tmp_path) == ["folder", "pipe"]


def test_what_a_killed_process_left_is_cleared_by_the_next_write(tmp_path):
    target = tmp_path / "x.csv"
    target.write_bytes(b"old")
    end(start_writer(target), signal.SIGKILL)
    assert target.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2  # nobody could clear up after it
    write(target)
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["x.csv"]


def test_the_temporary_file_of_a_living_process_stays(tmp_path):
    target = tmp_path / "x.csv"
    writer = start_writer(target)
    try:
        held = names(tmp_path)
        write(target)
        assert names(tmp_path) == [*held, "x.csv"]
    finally:
        end(writer)
    assert writer.returncode == 0
    assert target.read_bytes() == b"half"
    assert names(tmp_path) == ["x.csv"]


def test_the_temporary_file_of_another_thread_stays(tmp_path):
    with atomic_write(tmp_path / "a.csv") as outer:
        thread = threading.Thread(target=write, args=(tmp_path / "a.csv", b"inner"))
        thread.start()
        thread.join()
        assert (tmp_path / "a.csv").read_bytes() == b"inner"
        outer.write(b"outer")
    assert (tmp_path / "a.csv").read_bytes() == b"outer"
    assert names(tmp_path) == ["a.csv"]


def test_files_that_are_not_ours_stay(tmp_path):
    """Above all the journals with which predictions go on."""
    strangers = ["x.csv.partial", ".x.csv.0123abcd.partial", ".x.csv.fieldguide-0123abcd.partial.csv", "y"]
    for name in strangers:
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / ".x.csv.fieldguide-0123abcd.partial").symlink_to("y")
    left_over = tmp_path / ".n\n.fieldguide-0123abcd.partial"
    left_over.touch()
    write(tmp_path / "x.csv")
    assert names(tmp_path) == sorted([*strangers, ".x.csv.fieldguide-0123abcd.partial", "x.csv"])
    assert (tmp_path / "y").read_bytes() == b"mine"


def test_a_temporary_file_taken_for_left_over_before_it_was_locked_is_made_anew(tmp_path, monkeypatch):
    """Between its making and its lock another process may look at it."""
    real, calls = files.lock, []

    def late(descriptor):
        calls.append(descriptor)
        if len(calls) == 1:
            files._clear_left_over(tmp_path)  # locks, hence the second call
        return real(descriptor)

    monkeypatch.setattr(files, "lock", late)
    write(tmp_path / "x.csv")
    assert len(calls) == 3
    assert (tmp_path / "x.csv").read_bytes() == b"new"
    assert names(tmp_path) == ["x.csv"]


def test_where_files_cannot_be_locked_nothing_is_taken_for_left_over(tmp_path, monkeypatch):
    def unsupported(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    left_over = tmp_path / ".x.csv.fieldguide-0123abcd.partial"
    left_over.touch()
    monkeypatch.setattr(files.fcntl, "flock", unsupported)
    write(tmp_path / "x.csv")
    assert names(tmp_path) == [left_over.name, "x.csv"]


HOLDER = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from fieldguide.files import scratch_folder
with scratch_folder() as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "x").write_bytes(b"half")
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary_place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_scratch_folder_is_there_until_the_end_of_the_block(temporary_place):
    with pytest.raises(ValueError, match="mine"), scratch_folder() as folder:
        (folder / "x").touch()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert names(temporary_place) == [folder.name]
        raise ValueError("mine")
    assert names(temporary_place) == []


def test_scratch_folders_of_killed_processes_are_cleared_and_those_of_living_ones_stay(temporary_place):
    living, killed = start_writer(temporary_place, HOLDER), start_writer(temporary_place, HOLDER)
    try:
        assert len(names(temporary_place)) == 2
        end(killed, signal.SIGKILL)
        with scratch_folder() as folder:
            (kept,) = set(names(temporary_place)) - {folder.name}
            assert (temporary_place / kept / "deep" / "x").read_bytes() == b"half"
    finally:
        end(living)
    assert living.returncode == 0
    assert names(temporary_place) == []


def test_scratch_folders_of_other_users_and_links_stay(temporary_place, monkeypatch):
    precious = temporary_place / "precious"
    precious.mkdir()
    (temporary_place / "fieldguide-scratch-link").symlink_to(precious)
    with scratch_folder():
        assert precious.exists()
    (temporary_place / "fieldguide-scratch-other").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with scratch_folder():
            assert (temporary_place / "fieldguide-scratch-other").exists()
    with scratch_folder():
        assert not (temporary_place / "fieldguide-scratch-other").exists()


def deep(folder, depth):
    """So many folders in each other; their whole path is longer than the system takes."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=descriptor)
        inner = os.open("a", os.O_RDONLY, dir_fd=descriptor)
        os.close(os.open("file", os.O_CREAT, dir_fd=inner))
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)


def test_depth_is_no_hindrance_to_removal(tmp_path):
    folder, precious = tmp_path / "folder", tmp_path / "precious"
    for path in (folder, precious, folder / "side" / "one", folder / "side" / "two"):
        path.mkdir(parents=True)
    (precious / "file").touch()
    (folder / "side" / "link").symlink_to(precious)
    (folder / "side" / "two").chmod(0o500)
    deep(folder / "side" / "one", 5000)
    assert remove_folder(folder)
    assert not folder.exists()
    assert (precious / "file").exists()
    assert remove_folder(folder)


def test_what_cannot_be_removed_is_passed_over_and_said_once(temporary_place, monkeypatch, caplog):
    stuck = temporary_place / "fieldguide-scratch-stuck"
    (stuck / "a").mkdir(parents=True)
    (temporary_place / "fieldguide-scratch-loose").mkdir()
    real = Path.rmdir

    def rmdir(path):
        if path.parent == stuck:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        real(path)

    monkeypatch.setattr(Path, "rmdir", rmdir)
    for _ in range(2):
        with scratch_folder():
            assert [path.name for path in temporary_place.glob("*stuck")] == [stuck.name]
            assert not list(temporary_place.glob("*loose"))
    assert [record.getMessage() for record in caplog.records] == [
        f"{stuck}: is left over and cannot be removed (Operation not permitted); remove it by hand"
    ]


def test_a_scratch_folder_that_cannot_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with (
        pytest.raises(OutputError, match=r"no temporary folder can be made \(No such file"),
        scratch_folder(),
    ):
        pass


def test_the_cache_folder_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("FIELDGUIDE_CACHE")
    assert cache_folder().name == "fieldguide"


def written_folder(out, *names, replaceable=()):
    with new_folder(out, replaceable) as folder:
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(name)


def test_a_folder_appears_only_once_it_is_whole(tmp_path):
    out = tmp_path / "deep" / "out"
    with new_folder(out) as folder:
        (folder / "one").write_text("1")
        assert not out.exists()
    assert names(out.parent) == ["out"] and names(out) == ["one"]
    with pytest.raises(KeyError), new_folder(tmp_path / "other") as folder:
        raise KeyError
    assert names(tmp_path) == ["deep"]


def test_a_folder_that_holds_something_is_never_touched(tmp_path):
    out = tmp_path / "out"
    written_folder(out, "one", "sub/two")
    for held in (out, out / "one"):
        with pytest.raises(OutputError, match="must be a new or empty folder"):
            written_folder(held, "three", replaceable=("one",))
    assert (out / "one").read_text() == "one" and (out / "sub" / "two").exists()
    (tmp_path / "empty").mkdir()
    written_folder(tmp_path / "empty", "one")
    assert names(tmp_path / "empty") == ["one"]
    (tmp_path / "holds a folder" / "empty").mkdir(parents=True)
    with pytest.raises(OutputError, match="must be a new or empty folder"):
        written_folder(tmp_path / "holds a folder", "one")


def test_what_an_earlier_run_wrote_is_replaced_whole(tmp_path):
    out = tmp_path / "out"
    written_folder(out, "one", "sub/two")
    written_folder(out, "one", "three", replaceable=("one", "sub/two", "three"))
    assert names(out) == ["one", "three"] and names(tmp_path) == ["out"]
