"""Features held for one piece of work."""

import numpy as np
import pytest

from compared_made import painted, watched_passes
from fieldguide.backbones.extraction import extract
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.data.dataset import open_dataset
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, Run


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    return painted(tmp_path_factory.mktemp("photos"), paint_classes)


@pytest.fixture
def photos(folder, tiny_hub):
    with open_dataset(folder) as dataset:
        yield dataset


@pytest.fixture
def passes(monkeypatch):
    return watched_passes(monkeypatch)


def test_memory_answers_as_extraction_does(photos, tmp_path):
    body = linear_probe.body(Options("test_efficientnet"), Run())
    memory = FeatureMemory(photos.paths)
    some = [photos.paths[row] for row in (5, 3, 0, 12)]
    for paths in (some, list(photos.paths)):
        mine, plain = memory.extract(paths, body), extract(paths, body)
        np.testing.assert_allclose(mine.vectors, plain.vectors, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(mine.signatures, plain.signatures)
        np.testing.assert_array_equal(mine.rows, plain.rows)
        assert (mine.digests, mine.refused) == (plain.digests, plain.refused)
    assert [refusal.code for refusal in plain.refused] == ["not_an_image"]


def test_memory_lets_go_of_what_was_asked_for_longest_ago(photos, passes, monkeypatch):
    monkeypatch.setattr("fieldguide.backbones.feature_memory.MOST_BYTES", 1)
    memory = FeatureMemory(photos.paths)
    bodies = [linear_probe.body(Options(name), Run()) for name in ("test_efficientnet", "test_resnet")]
    for body in (*bodies, bodies[0]):
        memory.whole(body)
    assert len(memory._whole) == 1
    assert len(passes) == 3 * 22
