"""classical/export.py: the file, what is said of it, and how it serves like a backbone's."""

import dataclasses

import numpy as np
import pytest

from classical_reference import noise
from fieldguide.backbones import exported as exported_module
from fieldguide.backbones import runner
from fieldguide.backbones.classical.export import SIZE, export_classical
from fieldguide.backbones.extraction import extract
from fieldguide.backbones.runner import OnnxRunner, best_runner
from fieldguide.errors import OptionError
from fieldguide.modelfile.graph import read_model


@pytest.fixture(scope="module")
def exported():
    return export_classical()


def test_what_is_said_of_it(exported):
    assert (exported.name, exported.licence, exported.source) == ("classical", "MIT", "computed, no weights")
    assert exported.features == sum(width for _, width in exported.depths) == 2936
    assert exported.preprocessing.size == SIZE
    assert read_model(exported.path).graph.name == "backbone"


def test_it_runs_like_a_backbone(exported):
    features = OnnxRunner(exported)(np.stack([noise(SIZE), 255 - noise(SIZE)]))
    assert (features.shape, features.dtype) == ((2, 2936), np.float32)


def test_the_file_is_written_once_and_a_damaged_one_anew(exported, monkeypatch):
    content, written = exported.path.read_bytes(), []
    atomic_write = exported_module.atomic_write
    monkeypatch.setattr(
        exported_module, "atomic_write", lambda path: written.append(path) or atomic_write(path)
    )
    assert export_classical() == exported
    assert written == []
    for damaged in (content[:-1], b""):
        exported.path.write_bytes(damaged)
        assert export_classical() == exported
        assert exported.path.read_bytes() == content
    exported.path.unlink()
    assert export_classical() == exported
    assert written == [exported.path] * 3


def test_sizes_have_files_of_their_own(exported):
    larger = export_classical(96)
    assert larger.path != exported.path
    assert larger.preprocessing.size == 96


@pytest.mark.parametrize("size", [16, 100, 272])
def test_a_size_that_does_not_fit_the_cells(size):
    with pytest.raises(OptionError, match=f"size: must be a multiple of 16 from 32 to 256, got {size}"):
        export_classical(size)


def test_beside_a_gpu_it_still_runs(exported, monkeypatch):
    monkeypatch.setattr(runner, "_may_have_gpu", lambda: True)
    assert isinstance(best_runner(exported), OnnxRunner)


def test_features_are_cached_like_those_of_a_backbone(exported, tmp_path, paint):
    path = str(paint(tmp_path / "red.png", (200, 60, 60), 0))
    first = extract([path], exported, cache=tmp_path / "cache")
    second = extract([path], exported, cache=tmp_path / "cache")
    assert (first.cached, second.cached) == (0, 1)
    assert (first.vectors == second.vectors).all()
    changed = dataclasses.replace(exported, digest="0" * 64)
    assert extract([path], changed, cache=tmp_path / "cache").cached == 0
