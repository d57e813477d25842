"""Features kept by content: written whole, merged, pruned, and damaged without harm."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import OutputError
from fieldguide.images import content_cache
from fieldguide.images.content_cache import Entry, FeatureCache
from shards import shards


def entry(number, width=6):
    random = np.random.default_rng(number)
    return Entry(
        hashlib.sha256(bytes([number])).digest(),
        random.integers(0, 256, 9, dtype=np.uint8),
        random.random(width, dtype=np.float32),
    )


def same(one, other):
    return one is not None and one.checksum() == other.checksum()


def test_entries_come_back_as_they_were(tmp_path):
    with FeatureCache(tmp_path, "k", 6) as cache:
        for i in range(5):
            cache.add(entry(i))
    again = FeatureCache(tmp_path, "k", 6)
    assert all(same(again.get(entry(i).digest), entry(i)) for i in range(5))
    assert again.get(entry(7).digest) is None
    assert {digest.tobytes() for digest in again.digests()} == {entry(i).digest for i in range(5)}
    assert FeatureCache(tmp_path, "other", 6).get(entry(0).digest) is None
    assert FeatureCache(tmp_path, "other", 6).digests().shape == (0, 32)


def test_shards_are_written_by_number_and_by_time(tmp_path, monkeypatch):
    monkeypatch.setattr(content_cache, "FLUSH_IMAGES", 3)
    now = [0.0]
    cache = FeatureCache(tmp_path, "k", 6, clock=lambda: now[0])
    counts = []
    for i, seconds in enumerate([0, 1, 2, 3, 70, 71]):
        now[0] = seconds
        cache.add(entry(i))
        counts.append(len(shards(tmp_path)))
    assert counts == [0, 0, 1, 1, 2, 2]


def test_many_small_shards_become_one(tmp_path):
    for i in range(content_cache.SMALL_SHARDS):
        with FeatureCache(tmp_path, "k", 6) as cache:
            cache.add(entry(i))
        assert len(shards(tmp_path)) == (i + 1 if i + 1 < content_cache.SMALL_SHARDS else 1)
    merged = FeatureCache(tmp_path, "k", 6)
    assert all(same(merged.get(entry(i).digest), entry(i)) for i in range(content_cache.SMALL_SHARDS))


def test_of_many_shards_few_are_open_and_one_that_is_gone_costs_time(tmp_path, monkeypatch):
    monkeypatch.setattr(content_cache, "FLUSH_IMAGES", 1)
    count = 2 * content_cache.OPEN_SHARDS
    with FeatureCache(tmp_path, "k", 6) as cache:
        monkeypatch.setattr(cache, "_merge", lambda: None)
        for i in range(count):
            cache.add(entry(i))
    again = FeatureCache(tmp_path, "k", 6)
    assert all(same(again.get(entry(i).digest), entry(i)) for i in range(count))
    maps = Path("/proc/self/maps")
    if maps.exists():
        assert maps.read_text().count(str(tmp_path)) <= content_cache.OPEN_SHARDS
    for path in shards(tmp_path):
        path.unlink()
    assert again.get(entry(0).digest) is None


def test_the_least_recently_used_shards_go_first(tmp_path):
    for i, key in enumerate("abc"):
        with FeatureCache(tmp_path, key, 6) as cache:
            cache.add(entry(i))
        os.utime(next((tmp_path / key).iterdir()), (i, i))
    FeatureCache(tmp_path, "a", 6)  # opening is using
    size = shards(tmp_path)[0].stat().st_size
    with FeatureCache(tmp_path, "d", 6, limit=2 * size):
        pass
    assert [path.parent.name for path in shards(tmp_path)] == ["a", "c"]


def test_a_run_that_is_stopped_keeps_all_that_it_did_and_the_next_makes_room(tmp_path):
    with pytest.raises(KeyboardInterrupt), FeatureCache(tmp_path, "a", 6, limit=1) as cache:
        cache.add(entry(0))
        raise KeyboardInterrupt
    assert len(shards(tmp_path)) == 1
    with FeatureCache(tmp_path, "a", 6, limit=1) as cache:
        assert cache.get(entry(0).digest) is not None
    assert shards(tmp_path) == []


def test_a_full_disk_does_not_end_the_work(tmp_path, monkeypatch):
    def full(path):
        raise OutputError("no space")

    monkeypatch.setattr(content_cache, "atomic_write", full)
    with FeatureCache(tmp_path, "k", 6) as cache:
        cache.add(entry(0))
    assert shards(tmp_path) == []
