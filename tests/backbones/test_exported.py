"""The folder where graphs that were built lie."""

import hashlib

import pytest

from fieldguide.backbones import exported
from fieldguide.backbones.exported import exports_folder, kept


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(tmp_path / "cache"))


def test_a_graph_is_written_once_under_its_digest(tmp_path):
    path, digest = kept(b"graph")
    assert digest == hashlib.sha256(b"graph").hexdigest()
    assert (path.read_bytes(), path.stem, path.suffix) == (b"graph", digest, ".onnx")
    written = path.stat().st_mtime_ns
    assert kept(b"graph") == (path, digest)
    assert path.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", [b"", b"grapf", b"graph more"])
def test_a_damaged_file_is_written_anew(damage):
    path, _ = kept(b"graph")
    path.write_bytes(damage)
    assert kept(b"graph")[0].read_bytes() == b"graph"


def test_where_the_cache_cannot_be_made_a_folder_of_this_process_serves(tmp_path):
    (tmp_path / "cache").write_text("a file")
    exported._temporary_folder.cache_clear()
    folder = exports_folder()
    assert tmp_path / "cache" not in folder.parents
    assert kept(b"graph")[0].parent == folder == exports_folder()
