"""Extraction: the same answer as a plain loop, whatever is refused, cached, damaged or interrupted."""

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from exports_made import COUNT
from fieldguide.backbones import extraction, feature_table
from fieldguide.backbones.extraction import computed_by, extract, extract_here
from fieldguide.backbones.runner import OnnxRunner
from fieldguide.data.duplicates import signature
from fieldguide.images.decoding import open_image
from shards import shards


@pytest.fixture
def no_work(monkeypatch):
    """Fails a test in which an image is decoded or passes the network."""

    def forbidden(*arguments):
        pytest.fail("worked again on an image whose features are kept")

    monkeypatch.setattr(extraction, "network_pixels", forbidden)
    monkeypatch.setattr(OnnxRunner, "__call__", forbidden)


def plain_loop(paths, backbone, mirror=False):
    session = onnxruntime.InferenceSession(backbone.path, providers=["CPUExecutionProvider"])
    rows = []
    for path in paths:
        pixels = backbone.preprocessing.resize(open_image(path))
        pixels = pixels[:, ::-1] if mirror else pixels
        rows.append(session.run(None, {"pixels": np.ascontiguousarray(pixels[None])})[0][0])
    return np.stack(rows)


def test_the_answer_is_that_of_a_plain_loop(photos, backbone):
    got = extract(photos, backbone)
    np.testing.assert_allclose(got.vectors, plain_loop(photos, backbone), rtol=1e-5, atol=1e-6)
    assert got.vectors.dtype == np.float32
    assert got.rows.tolist() == list(range(COUNT))
    assert got.digests == tuple(hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in photos)
    expected = [signature(backbone.preprocessing.resize(open_image(p))) for p in photos]
    np.testing.assert_array_equal(got.signatures, np.stack(expected))
    assert (got.refused, got.cached) == ((), 0)
    assert got.seconds["total"] >= got.seconds["network"] > 0
    assert got.seconds["decode"] > 0


def test_flips_are_the_mean_of_both_sides(photos, backbone):
    both = (plain_loop(photos, backbone) + plain_loop(photos, backbone, mirror=True)) / 2
    assert not np.allclose(both, plain_loop(photos, backbone), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(extract(photos, backbone, flips=True).vectors, both, rtol=1e-5, atol=1e-6)


def test_what_cannot_be_read_is_refused_and_the_rest_goes_on(photos, backbone, tmp_path):
    bad = {"empty": b"", "text": b"<html>", "cut": Path(photos[0]).read_bytes()[:-40]}
    paths = list(photos)
    for i, (name, content) in enumerate(bad.items()):
        (tmp_path / name).write_bytes(content)
        paths.insert(3 * i, str(tmp_path / name))
    paths += [str(tmp_path / "never-was.jpg"), str(tmp_path)]
    got = extract(paths, backbone, cache=tmp_path / "cache")
    refused = [r.path for r in got.refused]
    assert refused == [paths[0], paths[3], paths[6], *paths[-2:]]
    assert [r.code for r in got.refused] == ["empty", "not_an_image", "truncated", "missing", "not_a_file"]
    assert [paths[row] for row in got.rows] == photos
    np.testing.assert_array_equal(got.vectors, extract(photos, backbone).vectors)


def test_files_that_go_or_change_while_work_is_under_way(photos, backbone, monkeypatch):
    """Row 29: between the scan that listed them and the moment they are read."""

    def read(path):
        if path == photos[5]:
            Path(path).unlink()
        if path == photos[6]:
            Path(path).write_bytes(b"no longer an image")
        return real(path)

    real = extraction.read_bytes
    monkeypatch.setattr(extraction, "read_bytes", read)
    got = extract(photos, backbone)
    assert [(r.path, r.code) for r in got.refused] == [(photos[5], "missing"), (photos[6], "not_an_image")]
    assert len(got.rows) == COUNT - 2


@pytest.mark.parametrize("paths", [[], ["/nowhere/1.jpg", "/nowhere/2.jpg"]])
def test_nothing_usable_gives_nothing(paths, backbone, tmp_path):
    got = extract(paths, backbone, cache=tmp_path)
    assert got.vectors.shape == (0, backbone.features)
    assert len(got.signatures) == len(got.rows) == 0
    assert len(got.refused) == len(paths)


def test_a_second_run_neither_decodes_nor_computes(photos, backbone, tmp_path, no_work_later):
    first = extract(photos, backbone, cache=tmp_path / "c")
    no_work_later()
    second = extract(photos[::-1], backbone, cache=tmp_path / "c")
    assert second.cached == COUNT
    np.testing.assert_array_equal(second.vectors[::-1], first.vectors)
    np.testing.assert_array_equal(second.signatures[::-1], first.signatures)
    assert second.digests[::-1] == first.digests
    assert second.seconds["network"] == 0


@pytest.fixture
def no_work_later(request):
    """A switch: from the call on, work fails the test."""
    return lambda: request.getfixturevalue("no_work")


def test_the_content_counts_and_not_the_name(photos, backbone, tmp_path):
    cache = tmp_path / "c"
    extract(photos, backbone, cache=cache)
    copy = shutil.copy(photos[2], tmp_path / "copy.bin")
    Path(photos[4]).replace(photos[2])  # an old name with new content
    got = extract([copy, photos[2], photos[0]], backbone, cache=cache)
    assert got.cached == 3
    np.testing.assert_allclose(
        got.vectors, plain_loop([copy, photos[2], photos[0]], backbone), rtol=1e-5, atol=1e-6
    )


def test_other_ways_of_computing_do_not_share_the_cache(photos, backbone, tmp_path):
    cache = tmp_path / "c"
    plain = extract(photos, backbone, cache=cache)
    flipped = extract(photos, backbone, flips=True, cache=cache)
    assert flipped.cached == 0
    assert not np.array_equal(plain.vectors, flipped.vectors)
    assert extract(photos, backbone, flips=True, cache=cache).cached == COUNT
    assert len(shards(cache)) == 2


@pytest.mark.parametrize("place", ["header", "digests", "vectors", "cut", "empty", "pickle"])
def test_a_damaged_shard_costs_time_and_nothing_else(photos, backbone, tmp_path, place):
    cache = tmp_path / "c"
    good = extract(photos, backbone, cache=cache)
    (shard,) = shards(cache)
    content = bytearray(shard.read_bytes())
    one_digest, one_vector = bytes.fromhex(good.digests[3]), good.vectors[3].tobytes()
    if place == "digests":
        content[content.index(one_digest)] ^= 1
    elif place == "vectors":
        content[content.index(one_vector) + 5] ^= 1
    elif place == "header":
        content[20] ^= 255
    shard.write_bytes({"cut": content[:-7], "empty": b"", "pickle": b"\x80\x04]."}.get(place, content))
    again = extract(photos, backbone, cache=cache)
    np.testing.assert_array_equal(again.vectors, good.vectors)
    assert again.digests == good.digests
    assert again.cached == (COUNT - 1 if place in ("digests", "vectors") else 0)
    assert extract(photos, backbone, cache=cache).cached == COUNT  # and it was mended


def test_an_interrupt_keeps_what_is_done(photos, backbone, tmp_path):
    def interrupt(stage, done, total):
        if done == 18:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:  # which keeps the frames, and so the generator, alive
        extract(photos, backbone, cache=tmp_path / "c", progress=interrupt)
    assert caught.tb is not None
    assert not [t for t in threading.enumerate() if t.name.startswith("prepare")]
    under_way = (OnnxRunner(backbone).at_once + 1) * OnnxRunner.batch
    assert extract(photos, backbone, cache=tmp_path / "c").cached >= 18 - under_way > 0


def test_a_cache_that_cannot_be_written_only_costs_time(photos, backbone, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    got = extract(photos, backbone, cache=blocked)
    np.testing.assert_array_equal(got.vectors, extract(photos, backbone).vectors)


def test_progress_ends_at_the_total(photos, backbone):
    seen = []
    extract(photos, backbone, progress=lambda *step: seen.append(step))
    assert seen[-1] == ("features", COUNT, COUNT)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_two_processes_share_a_cache(photos, backbone, tmp_path):
    code = (
        "import sys, pickle; from pathlib import Path; from fieldguide.backbones.extraction import extract; "
        "b = pickle.loads(bytes.fromhex(sys.argv[1])); "
        "f = extract(sys.argv[3:], b, cache=Path(sys.argv[2])); print(hash(f.vectors.tobytes()))"
    )
    command = [sys.executable, "-c", code, pickle.dumps(backbone).hex(), str(tmp_path / "c"), *photos]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    racing = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    answers = [process.communicate()[0] for process in racing]
    assert [process.returncode for process in racing] == [0, 0]
    assert answers[0] == answers[1]
    assert len(shards(tmp_path / "c")) == 1
    assert extract(photos, backbone, cache=tmp_path / "c").cached == COUNT


def test_extraction_into_a_file_gives_the_same_to_half_precision(photos, backbone, monkeypatch, tmp_path):
    exact = extract(photos, backbone).vectors
    monkeypatch.setattr(feature_table, "IN_MEMORY_BYTES", 100)
    for _ in range(2):
        got = extract(photos, backbone, cache=tmp_path)
        assert isinstance(got.vectors, np.memmap)
        np.testing.assert_array_equal(got.vectors, exact.astype(np.float16))


def test_something_else_computes_until_the_context_ends(photos, backbone, tmp_path):
    asked = []

    def elsewhere(paths, backbone, **given):
        asked.append((paths, given["flips"], given["cache"]))
        return extract_here(paths, backbone, **given)

    with pytest.raises(KeyError), computed_by(elsewhere):
        extract(photos, backbone, flips=True, cache=tmp_path)
        raise KeyError
    extract(photos, backbone)
    assert asked == [(photos, True, tmp_path)]
