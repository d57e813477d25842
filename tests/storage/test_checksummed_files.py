"""What is kept on disk: one flipped bit anywhere costs time, never another answer, and is said once."""

import logging
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fieldguide.backbones import exported
from fieldguide.evaluation.result import Outcomes
from fieldguide.explanation import nearest_images
from fieldguide.images import content_cache
from fieldguide.images.content_cache import Entry, FeatureCache
from fieldguide.storage import checksummed_files

LEAST_FLIPS = 100


def flips(path: Path):
    """The content of a file with every k-th of its bits flipped, one at a time, its header bit by bit."""
    whole = path.read_bytes()
    bits = 8 * len(whole)
    head = range(0, min(bits, 8 * 600), 23)
    for bit in sorted({*head, *range(0, bits, max(1, bits // LEAST_FLIPS))}):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        yield bytes(content)


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING, "fieldguide")
    return caplog


def test_a_file_is_read_as_written_and_its_name_belongs_to_it(tmp_path, said):
    path = tmp_path / "a"
    checksummed_files.write(path, b"content")
    assert checksummed_files.read(path, "things") == b"content"
    assert checksummed_files.read(tmp_path / "none", "things") is None
    assert not said.records
    path.rename(tmp_path / "b")
    assert checksummed_files.read(tmp_path / "b", "things") is None


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 31, b"x" * 32, b"x" * 1000])
def test_anything_else_is_removed_and_said_once(tmp_path, said, content):
    path = tmp_path / "a\x1b"
    path.write_bytes(content)
    for _ in range(2):
        assert checksummed_files.read(path, "things") is None
    assert not path.exists()
    assert [record.getMessage() for record in said.records] == [
        f"{tmp_path}/a\\x1b: is damaged; the things in it are computed again"
    ]


def test_lines_end_at_the_first_that_is_damaged_missing_or_torn():
    written, before = [], ""
    for text in ("one", "two", "three"):
        written.append(checksummed_files.line(text, before) + "\n")
        before = written[-1].partition(" ")[0]

    def read(*some):
        return [text for _, text in checksummed_files.lines("".join(some).encode())]

    assert read(*written) == ["one", "two", "three"]
    assert read(written[0], written[2]) == ["one"]
    assert read(written[0], written[1][:-1]) == ["one"]
    assert read(written[1]) == []
    assert list(checksummed_files.lines(b"\xff\xff\n")) == []


def test_the_journal_of_folds(tmp_path, said):
    from fieldguide.experiments.fold_results import FoldResult, Journal

    answers = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0.5, 0.5])
    outcomes = Outcomes.of(np.array([0, 1]), *answers, set_threshold=0.9, unknown_threshold=0.01)
    journal = Journal(tmp_path)
    journal.put("key", FoldResult(np.arange(2), outcomes, 1.5, 2, 0.25, 3.0))
    (path,) = tmp_path.iterdir()
    for content in flips(path):
        path.write_bytes(content)
        assert journal.get("key") is None
        assert not path.exists()
    assert len(said.records) > LEAST_FLIPS


def test_a_search(tmp_path, said):
    from fieldguide.experiments.study import Budget, Search
    from fieldguide.progress import silent

    space = {"x": {"low": 0.0, "high": 1.0}}
    path = tmp_path / "one.search"

    def attempt(batch):
        for trial in batch:
            trial.report(trial.values["x"])
            trial.finish(trial.values["x"], 0.5)

    search = Search(path, space, 0, silent)
    search.run(Budget(3), attempt)
    search.close()
    known = [row.values for row in search.rows()]
    for content in flips(path):
        path.write_bytes(content)
        again = Search(path, space, 0, silent)
        kept = [row.values for row in again.rows() if row.state == "complete"]
        assert kept == known[: len(kept)]
        again.close()
    assert said.records


def test_a_checkpoint(tmp_path, said):
    torch = pytest.importorskip("torch")
    from fieldguide.training.checkpoint import TrainingFolder

    with TrainingFolder(tmp_path / "t", "run") as folder:
        folder.save({"step": 7, "weights": {"a": torch.arange(300.0)}, "history": [{"loss": 0.5}]})
        state = folder.load()
        assert state["step"] == 7 and torch.equal(state["weights"]["a"], torch.arange(300.0))
        path = tmp_path / "t" / "checkpoint"
        for content in flips(path):
            path.write_bytes(content)
            assert folder.load() is None
            assert folder.other() is None
    assert len(said.records) > LEAST_FLIPS


def test_shards_of_the_feature_cache_with_their_headers(tmp_path, said):
    random = np.random.default_rng(0)
    entries = [
        Entry(bytes([row]) * 32, random.integers(0, 256, 24, np.uint8), random.random(6, np.float32))
        for row in range(4)
    ]
    with FeatureCache(tmp_path, "key", 6) as cache:
        for entry in entries:
            cache.add(entry)
    (path,) = tmp_path.glob("*/*.safetensors")
    whole = path.read_bytes()
    for content in flips(path):
        path.write_bytes(content)
        cache = FeatureCache(tmp_path, "key", 6)
        for entry in entries:
            found = cache.get(entry.digest)
            if found is not None:
                assert found.vector.dtype == np.float32 and found.signature.dtype == np.uint8
                np.testing.assert_array_equal(found.vector, entry.vector)
                np.testing.assert_array_equal(found.signature, entry.signature)
        content_cache._opened.cache_clear()
    for one, other in ((b'"F32"', b'"I32"'), (b'"U8"', b'"I8"')):  # the same bytes, another meaning
        path.write_bytes(whole.replace(one, other))
        cache = FeatureCache(tmp_path, "key", 6)
        assert not any(cache.get(entry.digest) for entry in entries)
        content_cache._opened.cache_clear()
    said.clear()
    path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    for _ in range(2):  # the second time it is mended
        with FeatureCache(tmp_path, "key", 6) as cache:
            for entry in entries:
                if cache.get(entry.digest) is None:
                    cache.add(entry)
    assert len(said.records) == 1


def test_the_cache_of_nearest_photos(tmp_path, said):
    vectors = np.random.default_rng(0).random((5, 8)).astype(np.float16)
    runs = []

    class Model:
        digest = "model"
        explainer = SimpleNamespace(side=2, pixels=lambda path: np.full((2, 2, 3), int(path), np.uint8))

        def run(self, pixels):
            runs.append(len(pixels))
            return SimpleNamespace(embedding=vectors[pixels[:, 0, 0, 0]].astype(np.float32))

    paths = [str(row) for row in range(5)]

    def ask():
        return nearest_images._embeddings(Model(), paths, tmp_path, lambda *step: None)

    np.testing.assert_array_equal(ask(), vectors)
    (path,) = tmp_path.glob("*/*")
    runs.clear()
    np.testing.assert_array_equal(ask(), vectors)
    assert not runs
    for content in flips(path):
        path.write_bytes(content)
        np.testing.assert_array_equal(ask(), vectors)
    assert len(said.records) > LEAST_FLIPS


def test_exported_networks(tmp_path, said, monkeypatch):
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(tmp_path))
    whole = os.urandom(3000)
    path, digest = exported.kept(whole)
    for content in flips(path):
        path.write_bytes(content)
        assert exported.kept(whole) == (path, digest)
        assert path.read_bytes() == whole
    assert len(said.records) > LEAST_FLIPS


def test_networks_exported_by_torch_and_what_is_known_of_them(tmp_path, said, monkeypatch):
    from fieldguide.backbones.timm_networks import cached

    model, facts = os.urandom(300), {"depths": [["a", 3]], "classes": None}
    facts["preprocessing"] = {"size": 32, "mean": [0.5] * 3, "std": [0.5] * 3}
    facts["digest"] = cached.hashlib.sha256(model).hexdigest()
    made = []
    monkeypatch.setattr(cached, "_convert", lambda request: made.append(1) or (model, facts))
    monkeypatch.setattr(cached, "exports_folder", lambda: tmp_path)
    source = SimpleNamespace(name="n", licence="l", source="s", timm_name="t")
    request = SimpleNamespace(key="k", backbone=source, local=True, file=Path("w"), taps=None)
    known = cached.exported(request, lambda *step: None)
    assert cached.exported(request, lambda *step: None) == known and len(made) == 1
    count = 1
    for path in (tmp_path / "k.onnx", tmp_path / "k.json"):
        for content in flips(path):
            path.write_bytes(content)
            assert cached.exported(request, lambda *step: None) == known
            count += 1
    assert len(made) == count


def test_a_file_without_content_is_read_as_such(tmp_path, said):
    path = tmp_path / "empty"
    checksummed_files.write(path, b"")
    assert checksummed_files.read(path, "nothing") == b""
    path.write_bytes(path.read_bytes()[1:])
    assert checksummed_files.read(path, "rows") is None
    assert len(said.records) == 1
