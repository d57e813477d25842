"""Datasets of the field: every kind of original, whole, damaged, missing, downloaded, stopped half-way."""

import gzip
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import field_originals_made as made
from catalogue_made import content_of
from fieldguide import cli
from fieldguide.data.catalogue import preparation
from fieldguide.data.catalogue.entries import find
from fieldguide.data.catalogue.originals import store, unpacked
from fieldguide.data.catalogue.preparation import write
from fieldguide.data.dataset import open_dataset
from fieldguide.errors import OutputError

NAMES = tuple(made.MAKERS)
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.mark.parametrize("name", NAMES)
def test_packed_and_unpacked_originals_give_the_same_folders(name, given, tmp_path, monkeypatch):
    entry = made.make(name, given, monkeypatch)
    done = write(name, tmp_path / "packed", root=given)
    assert done.written == done.images == entry.images
    assert not (store(entry) / "unpacked").exists()
    laid_out = unpacked(entry, given, download=False).rename(tmp_path / "laid out")
    write(name, tmp_path / "unpacked", root=laid_out)
    assert content_of(tmp_path / "packed") == content_of(tmp_path / "unpacked")
    assert laid_out.exists()
    with open_dataset(tmp_path / "packed") as dataset:
        assert len(dataset) == entry.images
        assert set(dataset.splits or ()) == set(entry.splits)
        assert not dataset.refused
        assert [note[:20] for note in dataset.notes] == ["1 hidden name skippe"]  # the marker
        for path in dataset.paths:
            Image.open(path).load()


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
@pytest.mark.long
def test_the_real_fashion_mnist(tmp_path):
    assert write("fashion-mnist", tmp_path / "out", root=DEBIAN).written == 70_000
    with open_dataset(tmp_path / "out") as dataset:
        train, test = dataset.select("train"), dataset.select("test")
        assert [len(train), len(test), len(dataset.classes)] == [60_000, 10_000, 10]
        assert all(train.labels.count(name) == 6_000 for name in dataset.classes)
    with gzip.open(DEBIAN / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    for path in map(Path, test.paths[::97]):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), images[int(path.stem)])


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_debians_files_are_the_published_ones(tmp_path):
    entry = find("fashion-mnist")
    for original in entry.originals:
        content = gzip.decompress((DEBIAN / original.name).read_bytes())
        assert hashlib.sha256(content).hexdigest() == original.content_sha256


def test_a_folder_with_other_things_is_left_alone(given, tmp_path, monkeypatch):
    made.make("eurosat", given, monkeypatch)
    made.make("food101", given, monkeypatch)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    write("food101", tmp_path / "food", root=given)
    (tmp_path / "file").write_text("")
    for out, reason in (("other", "something other"), ("food", "something other"), ("file", "got a file")):
        before = content_of(tmp_path / out)
        with pytest.raises(OutputError, match=reason):
            write("eurosat", tmp_path / out, root=given)
        assert content_of(tmp_path / out) == before


def test_a_zip_holds_the_same_and_the_same_bytes_each_time(given, tmp_path, monkeypatch):
    entry = made.make("cifar10", given, monkeypatch)
    write("cifar10", tmp_path / "folder", root=given)
    assert write("cifar10", tmp_path / "a.zip", root=given).written == 120
    write("cifar10", tmp_path / "b.ZIP", root=given)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.ZIP").read_bytes()
    assert not (store(entry) / "folders").exists()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert inside == content_of(tmp_path / "folder")
    with open_dataset(tmp_path / "a.zip") as dataset:
        assert len(dataset) == 120 and dataset.classes == tuple(made.CIFAR10)
    assert write("cifar10", tmp_path / "a.zip").written == 0


def test_a_zip_of_something_else_is_left_alone(given, tmp_path, monkeypatch):
    made.make("eurosat", given, monkeypatch)
    before = (given / "EuroSAT.zip").read_bytes()
    with pytest.raises(OutputError, match="is not a complete eurosat"):
        write("eurosat", given / "EuroSAT.zip", root=given)
    assert (given / "EuroSAT.zip").read_bytes() == before


def stopped_at(number):
    def progress(stage, done, total):
        if stage == "writing" and done >= number:
            raise KeyboardInterrupt

    return progress


def test_what_was_written_is_not_written_again(given, tmp_path, monkeypatch):
    made.make("cifar10", given, monkeypatch)
    write("cifar10", tmp_path / "unbroken", root=given)
    monkeypatch.setattr(preparation, "_TOLD_EVERY", 1)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write("cifar10", out, root=given, progress=stopped_at(50))
    first = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert len(first) == 51
    assert not list(out.glob(".image-*"))
    empty = sorted(first)[0]
    empty.write_bytes(b"")  # as a power failure may leave it
    assert write("cifar10", out, root=given).written == 120 - 50
    assert all(path.stat().st_mtime_ns == time for path, time in first.items() if path != empty)
    assert content_of(out) == content_of(tmp_path / "unbroken")
    assert write("cifar10", out, root=tmp_path / "gone").written == 0  # finished: nothing is needed
    empty.unlink()
    assert write("cifar10", out, root=given).written == 1


KILLED = """
import os, pathlib, shutil, signal, sys
import field_originals_made as made
from PIL import Image
from pytest import MonkeyPatch
from fieldguide.data.catalogue.preparation import write
patch = MonkeyPatch()
name, given, out, after = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
made.make(name, given, patch)
count, save, copyfile = [], Image.Image.save, shutil.copyfile
def dying(write, source, target, *rest):
    count.append(target)
    write(source, target, *rest)
    if len(count) == after:
        os.truncate(target, 20)
        os.kill(os.getpid(), signal.SIGKILL)
patch.setattr(Image.Image, "save", lambda *given: dying(save, *given))
patch.setattr(shutil, "copyfile", lambda *given: dying(copyfile, *given))
write(name, out, root=given)
"""


@pytest.mark.parametrize(
    ("name", "out", "after"), [("cifar10", "out", 30), ("cifar10", "out.zip", 30), ("eurosat", "out", 4)]
)
def test_killed_in_the_middle_of_an_image_it_goes_on(name, out, after, given, tmp_path, monkeypatch):
    paths = [str(Path(__file__).parents[2] / "support"), *filter(None, [os.environ.get("PYTHONPATH")])]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", KILLED, name, str(given), str(tmp_path / out), str(after)]
    assert subprocess.run(command, env=here, check=False).returncode == -signal.SIGKILL
    entry = made.make(name, given, monkeypatch)
    folder = store(entry) / "folders" if out.endswith("zip") else tmp_path / out
    assert len(content_of(folder)) == after - 1 and len(list(folder.glob(".image-*"))) == 1
    told = []
    write(name, tmp_path / out, root=given, progress=lambda *step: told.append(step))
    assert ("writing", entry.images - (after - 1), entry.images - (after - 1)) in told
    assert not list(tmp_path.rglob(".image-*"))
    with open_dataset(tmp_path / out) as dataset:
        assert len(dataset) == entry.images
        for path in dataset.paths:
            Image.open(path).load()


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        code = cli.main(["dataset", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_the_command_lists_the_catalogue(run):
    code, out, _ = run()
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["name", *NAMES]
    code, out, _ = run("--json")
    rows = json.loads(out)
    assert [row["name"] for row in rows] == list(NAMES)
    assert rows[0]["originals"] == ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"]


def test_the_command_writes_and_says_size_and_terms_first(run, given, tmp_path, monkeypatch):
    made.make("eurosat", given, monkeypatch)
    code, out, err = run("eurosat", "--from", given)
    assert code == 0 and out == "eurosat: 6 images of eurosat, 6 of them written now\n"
    assert re.match(r"eurosat: EuroSAT.*; 6 images, no download, .*\nterms: MIT; https.*\nto cite: ", err)
    assert len(content_of(tmp_path / "eurosat")) == 6
    code, out, _ = run("eurosat", "--from", given, "--out", "e.zip", "--json")
    answer = json.loads(out)
    assert (answer["path"], answer["images"], answer["written"]) == ("e.zip", 6, 6)


def test_without_a_network_the_command_says_what_to_do_in_one_line(run, given, tmp_path, monkeypatch):
    made.make("eurosat", given, monkeypatch)  # its address answers to nobody
    code, out, err = run("eurosat")
    last = err.splitlines()[-1]
    assert code == 2 and out == ""
    assert "fieldguide dataset: eurosat: original files cannot be downloaded (http://127.0.0.1:9/" in last
    assert f"put it into {tmp_path / 'cache' / 'datasets' / 'eurosat'} and run the same command again" in last


def test_options_that_need_a_name_say_so(run):
    code, _, err = run("--out", "x")
    assert code == 2 and "need NAME" in err
    code, _, err = run("imagenet")
    assert code == 2 and "NAME must be one of cifar10, " in err


def test_listing_loads_no_library():
    code = "import sys; from fieldguide.cli import main; main(['dataset']); "
    code += "assert not {'torch', 'torchvision', 'numpy', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
