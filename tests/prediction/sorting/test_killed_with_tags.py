"""The benchmark of kills at a small size, with the command itself; it would notice what goes wrong."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "sorting_killed.py"
POSIX = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark_of_sorting", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@POSIX
@pytest.mark.parametrize("way", ["copy", "move", "sidecars"])
def test_killed_at_random_moments_every_photo_is_in_the_folders_of_its_tags(
    benchmark, way, monkeypatch, capsys
):
    words = ["sorting_killed.py", "--photos", "60", "--kills", "3", "--ways", way, "--seed", "3"]
    monkeypatch.setattr(sys, "argv", words)
    assert benchmark.main() == 0, capsys.readouterr().out


def test_what_is_lost_twice_elsewhere_or_left_over_is_noticed(benchmark, tmp_path):
    for name in ("red/a.jpg", "blue/a.jpg", "red/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name[-5:].encode())
    content = {path.rpartition("/")[2]: digest for path, digest in benchmark.held(tmp_path).items()}
    right = {content["a.jpg"]: ["blue", "red"], content["b.jpg"]: ["red"]}
    assert benchmark.wrong_places(tmp_path, right) == []
    assert benchmark.wrong_places(tmp_path, right | {"0" * 64: ["red"]})  # lost
    assert benchmark.wrong_places(tmp_path, right | {content["b.jpg"]: ["blue"]})  # elsewhere
    (tmp_path / "red" / "b-2.jpg").write_bytes(b"b.jpg")
    assert benchmark.wrong_places(tmp_path, right)  # twice
    assert benchmark.left_over(tmp_path, set()) == []
    (tmp_path / "red" / ".half").write_bytes(b"b")
    assert benchmark.left_over(tmp_path, set()) == ["left over: .half"]
