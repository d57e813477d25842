"""Datasets of the field: every kind of original, whole, damaged, missing, downloaded, stopped half-way."""

import dataclasses
import gzip
import hashlib
import http.server
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import field_originals_made as made
from fieldguide import cli, field_catalogue, field_datasets
from fieldguide.dataset import open_dataset
from fieldguide.errors import DataError, OptionError, OutputError
from fieldguide.field_catalogue import CATALOGUE, find
from fieldguide.field_datasets import write
from fieldguide.field_originals import store, unpacked
from fieldguide.field_pictures import folder_name

NAMES = tuple(made.MAKERS)
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def given(tmp_path):
    return tmp_path / "given"


def content_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name[0] != "."
    }


# --- the catalogue


def test_the_catalogue_names_what_torchvision_names():
    from torchvision import datasets

    got = {entry.name: {(o.urls, o.md5) for o in entry.originals} for entry in CATALOGUE}
    for name, loader in (("mnist", datasets.MNIST), ("fashion-mnist", datasets.FashionMNIST)):
        expected = {(tuple(m + file for m in loader.mirrors), md5) for file, md5 in loader.resources}
        assert got[name] == expected
    flowers = datasets.Flowers102
    files = flowers._file_dict.values()
    assert got["flowers102"] == {((flowers._download_url_prefix + file,), md5) for file, md5 in files}
    assert got["oxford-pets"] == {((url,), md5) for url, md5 in datasets.OxfordIIITPet._RESOURCES}
    assert got["food101"] == {((datasets.Food101._URL,), datasets.Food101._MD5)}
    ((((url,), md5)),) = got["eurosat"]
    assert f'"{url}"' in (source := inspect.getsource(datasets.EuroSAT.download)) and md5 in source


def test_cifar_comes_as_the_binary_version_from_where_torchvision_has_the_other():
    from torchvision import datasets

    for name, loader in (("cifar10", datasets.CIFAR10), ("cifar100", datasets.CIFAR100)):
        (original,) = find(name).originals
        assert original.urls == (loader.url.replace("python", "binary"),)
        assert re.fullmatch("[0-9a-f]{32}", original.md5) and original.md5 != loader.tgz_md5


def test_every_class_of_torchvision_has_a_folder_of_its_own():
    from torchvision import datasets

    for loader in (datasets.FashionMNIST, datasets.MNIST, datasets.Flowers102):
        folders = {folder_name(name).casefold() for name in loader.classes}
        assert len(folders) == len(loader.classes)
        assert not any(set(folder) & set('<>:"/\\|?*') for folder in folders)


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("T-shirt/top", "T-shirt-top"),
        ("pink-yellow dahlia?", "pink-yellow dahlia"),
        ("colt's foot", "colt's foot"),
        ("a:b\\c\x07d.", "a-b-c-d"),
    ],
)
def test_a_class_name_is_made_fit_for_every_file_system(label, folder):
    assert folder_name(label) == folder


def test_an_unknown_name_is_told_the_near_one():
    with pytest.raises(OptionError, match=r"cifar100.*got 'cifar-10'; did you mean 'cifar10'\?"):
        find("cifar-10")


# --- every kind of original


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


def test_pixels_of_cifar10_are_exact(given, tmp_path, monkeypatch):
    made.make("cifar10", given, monkeypatch)
    write("cifar10", tmp_path / "out", root=given)
    for file, split, number, index in ((0, "train", 3, 3), (4, "train", 19, 99), (5, "test", 0, 0)):
        path = tmp_path / "out" / split / made.CIFAR10[number % 10] / f"{index:05}.png"
        expected = made.pixels(file, number, shape=(3, 32, 32)).transpose(1, 2, 0)
        np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)


def test_cifar100_goes_by_its_fine_classes(given, tmp_path, monkeypatch):
    made.make("cifar100", given, monkeypatch)
    write("cifar100", tmp_path / "out", root=given)
    image = np.asarray(Image.open(tmp_path / "out" / "test" / "thing_07" / "00007.png"))
    np.testing.assert_array_equal(image, made.pixels(1, 7, shape=(3, 32, 32)).transpose(1, 2, 0))


@pytest.mark.parametrize(("name", "folder"), [("mnist", "0"), ("fashion-mnist", "T-shirt-top")])
def test_pixels_of_mnists_kind_are_exact(name, folder, given, tmp_path, monkeypatch):
    made.make(name, given, monkeypatch)
    write(name, tmp_path / "out", root=given)
    image = Image.open(tmp_path / "out" / "test" / folder / "00010.png")
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), made.pixels(1, shape=(30, 28, 28))[10])


def test_jpegs_are_copied_byte_for_byte_under_the_originals_words(given, tmp_path, monkeypatch):
    expected = {
        "flowers102": {"validation/pink primrose/image_00103.jpg": made.jpeg(103)},
        "oxford-pets": {"test/American Bulldog/american_bulldog_4.jpg": made.jpeg(2, 4)},
        "food101": {"train/beef_tartare/2.jpg": made.jpeg(1, 2)},
        "eurosat": {"River/River_1.jpg": made.jpeg(1, 1)},
    }
    for name, files in expected.items():
        made.make(name, given / name, monkeypatch)
        write(name, tmp_path / name, root=given / name)
        assert files.items() <= content_of(tmp_path / name).items()


def test_nothing_is_unpickled(given, tmp_path, monkeypatch):
    import pickle

    import torch

    def refuse(*arguments, **settings):
        raise AssertionError("unpickled")

    for name in ("mnist", "cifar10"):
        entry = made.make(name, given / name, monkeypatch)
        laid_out = unpacked(entry, given / name, download=False).rename(tmp_path / f"{name} laid out")
        # What torchvision's own classes would load instead.
        for file in (
            "MNIST/processed/training.pt",
            "MNIST/processed/test.pt",
            "cifar-10-batches-py/test_batch",
        ):
            (laid_out / file).parent.mkdir(parents=True, exist_ok=True)
            (laid_out / file).write_bytes(b"\x80\x04.")
        monkeypatch.setattr(pickle, "load", refuse)
        monkeypatch.setattr(torch, "load", refuse)
        assert write(name, tmp_path / name, root=laid_out).written == entry.images


def test_a_file_packed_again_is_known_by_what_it_holds(given, tmp_path, monkeypatch):
    made.make("mnist", given, monkeypatch)
    for path in given.iterdir():
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=2))
    assert write("mnist", tmp_path / "out", root=given).written == 60


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


# --- damage


def test_a_damaged_original_is_refused_before_anything_is_written(given, tmp_path, monkeypatch):
    made.make("eurosat", given, monkeypatch)
    (given / "EuroSAT.zip").write_bytes((given / "EuroSAT.zip").read_bytes()[:-1])
    with pytest.raises(DataError, match=r"EuroSAT\.zip: must be eurosat's original with MD5 \w{32}"):
        write("eurosat", tmp_path / "out", root=given)
    assert not content_of(tmp_path / "out")


def test_a_gz_with_other_content_is_refused(given, tmp_path, monkeypatch):
    made.make("mnist", given, monkeypatch)
    (given / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x01\x05"))
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz: must be mnist's original"):
        write("mnist", tmp_path / "out", root=given)


def test_unpacked_files_that_lack_images_are_refused(given, tmp_path, monkeypatch):
    entry = made.make("food101", given, monkeypatch)
    laid_out = unpacked(entry, given, download=False)
    (laid_out / "food-101/images/apple_pie/1.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of its images are missing, first .*apple_pie.1\.jpg"):
        write("food101", tmp_path / "out", root=laid_out)
    lists = laid_out / "food-101/meta/train.json"
    lists.write_text(json.dumps({"apple_pie": ["apple_pie/0"], "beef_tartare": ["beef_tartare/0"]}))
    with pytest.raises(DataError, match=r"must have 8 images, the files in .* hold 4"):
        write("food101", tmp_path / "out", root=laid_out)
    lists.write_text("{")
    with pytest.raises(DataError, match=r"cannot be read .*JSONDecodeError"):
        write("food101", tmp_path / "out", root=laid_out)


def test_cut_cifar_files_are_refused(given, tmp_path, monkeypatch):
    laid_out = unpacked(made.make("cifar10", given, monkeypatch), given, download=False)
    file = laid_out / "cifar-10-batches-bin/data_batch_2.bin"
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(DataError, match="cannot be read"):
        write("cifar10", tmp_path / "out", root=laid_out)


def test_missing_originals_are_named_with_address_and_place(given, tmp_path, monkeypatch):
    made.make("flowers102", given, monkeypatch)
    (given / "setid.mat").unlink()
    with pytest.raises(DataError) as told:
        write("flowers102", tmp_path / "out", root=given, download=True)
    assert "http://127.0.0.1:9/setid.mat, if need be on another machine" in str(told.value)
    assert f"put it into {given}" in str(told.value) and "imagelabels" not in str(told.value)
    with pytest.raises(DataError) as told:
        write("flowers102", tmp_path / "out")
    assert "imagelabels.mat" in str(told.value)
    assert f"put them into {tmp_path / 'cache' / 'datasets' / 'flowers102'}" in str(told.value)
    with pytest.raises(DataError, match="must be a folder with the original files of flowers102"):
        write("flowers102", tmp_path / "out", root=tmp_path / "nowhere")


def test_files_put_into_the_cache_are_found(given, tmp_path, monkeypatch):
    entry = made.make("oxford-pets", given, monkeypatch)
    store(entry).parent.mkdir(parents=True)
    given.rename(store(entry))
    assert write("oxford-pets", tmp_path / "out").written == 12


# --- where it is written


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
    with pytest.raises(OutputError, match="is no whole eurosat"):
        write("eurosat", given / "EuroSAT.zip", root=given)
    assert (given / "EuroSAT.zip").read_bytes() == before


# --- stopped half-way


def stopped_at(number):
    def progress(stage, done, total):
        if stage == "writing" and done >= number:
            raise KeyboardInterrupt

    return progress


def test_what_was_written_is_not_written_again(given, tmp_path, monkeypatch):
    made.make("cifar10", given, monkeypatch)
    write("cifar10", tmp_path / "unbroken", root=given)
    monkeypatch.setattr(field_datasets, "_TOLD_EVERY", 1)
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
from fieldguide.field_datasets import write
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
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
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


def test_what_was_half_unpacked_is_unpacked_again(given, tmp_path, monkeypatch):
    entry = made.make("food101", given, monkeypatch)
    half = store(entry) / "unpacking" / "food-101" / "images"
    half.mkdir(parents=True)
    (half / "old.jpg").write_bytes(b"")
    root = unpacked(entry, given, download=False)
    assert not (root / "food-101/images/old.jpg").exists() and not half.exists()
    assert len(list(root.rglob("*.jpg"))) == 8


# --- downloads


class Server(http.server.BaseHTTPRequestHandler):
    files: dict[str, bytes]
    ranges = True
    break_after = None

    def do_GET(self):
        content = self.files.get(self.path.lstrip("/"))
        self.seen.append((self.path, self.headers.get("Range")))
        if content is None:
            return self.send_error(404)
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "") if self.ranges else None
        start = int(asked[1]) if asked else 0
        if asked and start >= len(content):
            return self.send_error(416)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.break_after])
        return None

    def log_message(self, *arguments):
        pass


@pytest.fixture
def served(given, monkeypatch):
    """`served(name)` → (entry, handler): a dataset whose originals a server on this machine has."""
    handler = type("Handler", (Server,), {"files": {}, "seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    def serve(name):
        entry = made.make(name, given, monkeypatch, f"http://127.0.0.1:{server.server_port}/")
        handler.files = {path.name: path.read_bytes() for path in given.iterdir()}
        return entry, handler

    yield serve
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_download_is_checked_kept_and_told_of(served, tmp_path):
    entry, handler = served("oxford-pets")
    told = []
    done = write("oxford-pets", tmp_path / "out", download=True, progress=lambda *step: told.append(step[0]))
    assert done.written == 12
    stages = ["downloading images.tar.gz, MB", "checking images.tar.gz", "unpacking images.tar.gz", "writing"]
    assert [stage for stage in dict.fromkeys(told) if stage in stages] == stages
    assert {path.name for path in store(entry).iterdir()} == {"images.tar.gz", "annotations.tar.gz"}
    write("oxford-pets", tmp_path / "again", download=True)
    assert len(handler.seen) == 2  # nothing was fetched twice


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_goes_on(ranges, served, tmp_path):
    entry, handler = served("cifar10")
    handler.ranges, handler.break_after = ranges, 2000
    with pytest.raises(DataError, match=r"cannot be downloaded \(http.*broke off after 2,000 of"):
        write("cifar10", tmp_path / "out", download=True)
    assert (store(entry) / "cifar-10-binary.tar.gz.part").stat().st_size == 2000
    handler.break_after = None
    assert write("cifar10", tmp_path / "out", download=True).written == 120
    assert [asked for _, asked in handler.seen] == [None, "bytes=2000-"]


def test_a_part_that_is_whole_is_taken(served, tmp_path):
    entry, handler = served("eurosat")
    store(entry).mkdir(parents=True)
    (store(entry) / "EuroSAT.zip.part").write_bytes(handler.files["EuroSAT.zip"])
    assert write("eurosat", tmp_path / "out", download=True).written == 6


def test_a_download_of_other_bytes_is_refused_and_removed(served, tmp_path):
    entry, handler = served("eurosat")
    handler.files["EuroSAT.zip"] = b"<html>moved</html>"
    with pytest.raises(DataError, match=r"what came has not the MD5.*put it into"):
        write("eurosat", tmp_path / "out", download=True)
    assert not list(store(entry).iterdir())


def test_the_second_address_serves_where_the_first_does_not(served, tmp_path, monkeypatch):
    entry, handler = served("eurosat")
    (original,) = entry.originals
    urls = (original.urls[0] + ".gone", *original.urls)
    entry = dataclasses.replace(entry, originals=(dataclasses.replace(original, urls=urls),))
    monkeypatch.setattr(field_catalogue, "CATALOGUE", (entry,))
    assert write("eurosat", tmp_path / "out", download=True).written == 6
    assert [path for path, _ in handler.seen] == ["/EuroSAT.zip.gone", "/EuroSAT.zip"]


# --- the command


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
