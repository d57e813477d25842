"""An export in the cache: found by what went into it, made anew where it is damaged."""

import json

import pytest

from exports_made import MEANS, SIZE
from fieldguide.backbones.export import export
from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks import cached
from fieldguide.storage import checksummed_files
from tiny_backbone import tiny_weights


@pytest.fixture
def refuse_to_convert(monkeypatch):
    """Fails a test that exports although the cache has the file."""

    def convert(request):
        pytest.fail("exported again")

    monkeypatch.setattr(cached, "_convert", convert)


def test_a_second_export_only_reads_the_cache(tiny, weights, refuse_to_convert):
    assert export("test_efficientnet", size=SIZE, weights=weights, taps=MEANS) == tiny


@pytest.mark.parametrize("suffix", [".onnx", ".json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone"])
def test_a_damaged_cached_file_is_made_anew(tiny, weights, suffix, damage, monkeypatch):
    facts = checksummed_files.read(tiny.path.with_suffix(".json"), "facts")
    good = (tiny.path.read_bytes(), json.loads(facts))
    converted = []
    monkeypatch.setattr(cached, "_convert", lambda request: converted.append(1) or good)
    file = tiny.path.with_suffix(suffix)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 255
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"flip": content, "cut": content[:middle], "empty": b""}[damage])
    again = export("test_efficientnet", size=SIZE, weights=weights, taps=MEANS)
    assert converted == [1]
    assert again.digest == tiny.digest
    assert again.path.read_bytes() == good[0]


def test_everything_that_changes_the_file_changes_its_key(weights, home, monkeypatch):
    keys = []

    class KeyOnly(Exception):
        pass

    def convert(request):
        keys.append(request.key)
        raise KeyOnly

    monkeypatch.setattr(cached, "_convert", convert)
    other = tiny_weights(home, seed=1)
    calls = [
        {"weights": weights, "size": 96},
        {"weights": weights, "size": 128},
        {"weights": other, "size": 96},
        {"weights": weights, "size": 96, "head": True},
        {"weights": weights, "size": 96, "taps": Taps(pooling=("max",))},
    ]
    for options in calls:
        with pytest.raises(KeyOnly):
            export("test_efficientnet", **options)
    monkeypatch.setattr(cached, "EXPORTER", cached.EXPORTER + 1)
    with pytest.raises(KeyOnly):
        export("test_efficientnet", **calls[0])
    assert len(set(keys)) == len(calls) + 1


def test_a_cache_that_cannot_be_written_is_done_without(weights, tmp_path, monkeypatch, tiny):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(blocked / "cache"))
    again = export("test_efficientnet", size=SIZE, weights=weights, taps=MEANS)
    assert again.digest == tiny.digest
    assert again.path.is_file()
