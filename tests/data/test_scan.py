"""Walking folders: rows 18 to 20 and 30 of the fault list."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fieldguide.data.scan import Scan, scan
from fieldguide.errors import DataError

ODD_NAMES = [
    b"with space.jpg",
    b"new\nline.jpg",
    b"tab\t.jpg",
    b"'quote\".jpg",
    "\U0001f415.jpg".encode(),
    "\u202egpj.jpg".encode(),
    b"-leading.jpg",
    b"=cmd.jpg",
    b"bad\xff\xfe\n,=cmd.jpg",
    b"x" * 251 + b".jpg",
]


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def names(found: Scan) -> list[str]:
    return [os.path.relpath(path, found.root) for path in found.images]


def as_nobody(work) -> dict:
    """Run `work` in a child that has no rights of its own, for root may read everything."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writing, json.dumps(work()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(answer)


@pytest.fixture
def public(tmp_path):
    """A folder that another user may enter: pytest's own are closed, along the whole way."""
    for folder in (tmp_path, *tmp_path.parents):
        if (
            folder.stat().st_uid == os.getuid()
            and folder.stat().st_mode & 0o005 != 0o005
            and folder != Path("/")
        ):
            folder.chmod(folder.stat().st_mode | 0o005)
    return tmp_path


def test_images_by_suffix_others_and_hidden_counted(tmp_path):
    for name in (
        "b/2.JPG",
        "a/1.jpeg",
        "a/deep/3.webp",
        "a/notes.txt",
        "readme",
        "._x.jpg",
        "__MACOSX/a/4.jpg",
    ):
        touch(tmp_path / name)
    touch(tmp_path / "a/Thumbs.db")
    found = scan(tmp_path)
    assert names(found) == ["a/1.jpeg", "a/deep/3.webp", "b/2.JPG"]
    assert found.others == {".txt": 1, "": 1}
    assert found.hidden == 3
    assert len(found.notes()) == 2


def test_unreadable_folder_and_file_are_named(public):
    touch(public / "cat/1.jpg")
    touch(public / "cat/closed.jpg").chmod(0)
    touch(public / "closed/2.jpg")
    (public / "closed").chmod(0)
    try:
        refused = as_nobody(lambda: [(r.path, r.code) for r in scan(public).refused])
        images = as_nobody(lambda: scan(public).images)
    finally:
        (public / "closed").chmod(0o755)
    assert refused == [[str(public / "cat/closed.jpg"), "unreadable"], [str(public / "closed"), "unreadable"]]
    assert images == [str(public / "cat/1.jpg")]


def test_folder_that_can_be_listed_but_not_entered_accounts_for_its_files(public):
    touch(public / "cat/1.jpg")
    (public / "cat").chmod(0o744)
    try:
        refused = as_nobody(lambda: [r.path for r in scan(public).refused])
    finally:
        (public / "cat").chmod(0o755)
    assert refused == [str(public / "cat/1.jpg")]


def test_link_loops_end_and_each_folder_is_visited_once(tmp_path):
    touch(tmp_path / "cat/1.jpg")
    (tmp_path / "cat/loop").symlink_to("..")
    (tmp_path / "cat/self").symlink_to("self")
    (tmp_path / "a_first").symlink_to("cat")
    found = scan(tmp_path)
    assert names(found) == ["cat/1.jpg"]  # under its real name, though the link sorts first
    assert found.repeated == 2
    assert [(r.code, Path(r.path).name) for r in found.refused] == [("link_dangling", "self")]


def test_links_out_of_the_folder_are_refused(tmp_path):
    outside = touch(tmp_path / "data-private/secret.jpg")
    data = tmp_path / "data"
    touch(data / "cat/1.jpg")
    (data / "cat/file.jpg").symlink_to(outside)
    (data / "folder").symlink_to(outside.parent)
    (data / "gone.jpg").symlink_to("nothing.jpg")
    found = scan(data)
    assert names(found) == ["cat/1.jpg"]
    assert [r.code for r in found.refused] == ["link_outside", "link_outside", "link_dangling"]


def test_links_inside_the_folder_are_followed(tmp_path):
    touch(tmp_path / "cat/1.jpg")
    touch(tmp_path / ".store/x/2.jpg")
    (tmp_path / "cat/also.jpg").symlink_to("1.jpg")
    (tmp_path / "dog").symlink_to(".store/x")
    assert names(scan(tmp_path)) == ["cat/1.jpg", "cat/also.jpg", "dog/2.jpg"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_kept_byte_for_byte(tmp_path, name):
    touch(tmp_path / os.fsdecode(name))
    (path,) = scan(tmp_path).images
    assert os.fsencode(path).endswith(b"/" + name)
    assert Path(path).exists()


def test_pipe_with_an_image_name_is_refused_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "x.jpg")
    found = scan(tmp_path)
    assert found.images == []
    assert [r.code for r in found.refused] == ["not_a_file"]


def test_order_has_nothing_to_do_with_creation(tmp_path):
    for number in (3, 1, 2):
        touch(tmp_path / f"{number}/{9 - number}.jpg")
    assert names(scan(tmp_path)) == ["1/8.jpg", "2/7.jpg", "3/6.jpg"]


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.touch()])
def test_no_folder_stops_early(tmp_path, make):
    make(tmp_path / "x")
    with pytest.raises(DataError, match="must be a folder that exists"):
        scan(tmp_path / "x")


def test_progress_is_told(tmp_path):
    for number in range(1001):
        touch(tmp_path / f"{number}.jpg")
    calls = []
    scan(tmp_path, progress=lambda *call: calls.append(call))
    assert calls == [("scan", 1000, None), ("scan", 1001, 1001)]


def hard_links(folder: Path, count: int) -> None:
    """Files that cost no room."""
    original = touch(folder / "0000000.jpg")
    for number in range(1, count):
        if number % 25_000 == 0:  # file systems limit the links to one file
            original = touch(folder / f"{number:07}.jpg")
        else:
            os.link(original, folder / f"{number:07}.jpg")


MEASURE = """
import resource, sys, time
from fieldguide.data.dataset import open_dataset
start = time.perf_counter()
with open_dataset(sys.argv[1]) as dataset:
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(len(dataset), *dataset.classes, seconds, peak)
"""


@pytest.fixture(scope="module")
def million(tmp_path_factory):
    """A million files in one folder, which are gone at once after the test."""
    folder = tmp_path_factory.mktemp("million")
    hard_links(folder / "many", 1_000_000)
    touch(folder / "few/1.jpg")
    yield folder
    shutil.rmtree(folder)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory in kilobytes is how Linux counts")
@pytest.mark.parametrize("form", ["folder", "table"])
def test_a_million_files_in_one_folder_take_a_minute_and_500_megabytes_at_most(million, form):
    if form == "table":
        rows = (f"many/{number:07}.jpg,{'ab'[number % 2]}\n" for number in range(1_000_000))
        (million / "labels.csv").write_text("path,label\n" + "".join(rows) + "few/1.jpg,a\n")
    data = million / "labels.csv" if form == "table" else million
    done = subprocess.run([sys.executable, "-c", MEASURE, data], capture_output=True, text=True, check=True)
    count, *classes, seconds, megabytes = done.stdout.split()
    assert (int(count), classes) == (1_000_001, ["a", "b"] if form == "table" else ["few", "many"])
    assert float(seconds) < 60
    assert float(megabytes) < 500


def dicom_named(path: Path) -> Path:
    touch(path).write_bytes(bytes(128) + b"DICM")
    return path


def test_dicom_without_an_ending_is_found_where_no_name_is_that_of_an_image(tmp_path):
    for name in ("a/IM0001", "a/1.2.840.7", "b/IM0001", "DICOMDIR"):
        dicom_named(tmp_path / name)
    touch(tmp_path / "README")
    found = scan(tmp_path)
    assert names(found) == ["a/1.2.840.7", "a/IM0001", "b/IM0001"]
    assert found.by_content == 3 and dict(found.others) == {"": 2}
    assert found.notes()[0] == "3 files without an ending read as DICOM, by content"
    touch(tmp_path / "c.jpg")
    found = scan(tmp_path)
    assert names(found) == ["c.jpg"] and found.by_content == 0 and found.others[""] == 4
