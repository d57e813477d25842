"""Original files: found, downloaded, checked, unpacked."""

import dataclasses
import gzip
import http.server
import re
import threading

import pytest

import field_originals_made as made
from catalogue_made import content_of
from fieldguide.data.catalogue import entries
from fieldguide.data.catalogue.originals import store, unpacked
from fieldguide.data.catalogue.preparation import write
from fieldguide.errors import DataError


def test_a_file_packed_again_is_known_by_what_it_holds(given, tmp_path, monkeypatch):
    made.make("mnist", given, monkeypatch)
    for path in given.iterdir():
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=2))
    assert write("mnist", tmp_path / "out", root=given).written == 60


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


def test_what_was_half_unpacked_is_unpacked_again(given, tmp_path, monkeypatch):
    entry = made.make("food101", given, monkeypatch)
    half = store(entry) / "unpacking" / "food-101" / "images"
    half.mkdir(parents=True)
    (half / "old.jpg").write_bytes(b"")
    root = unpacked(entry, given, download=False)
    assert not (root / "food-101/images/old.jpg").exists() and not half.exists()
    assert len(list(root.rglob("*.jpg"))) == 8


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
    monkeypatch.setattr(entries, "CATALOGUE", (entry,))
    assert write("eurosat", tmp_path / "out", download=True).written == 6
    assert [path for path, _ in handler.seen] == ["/EuroSAT.zip.gone", "/EuroSAT.zip"]
