"""What the tests of this folder share."""

import pytest

from compared_made import painted, watched_passes
from fieldguide.data.dataset import open_dataset
from fieldguide.recipes import linear_probe


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    """Photos, read only."""
    return painted(tmp_path_factory.mktemp("photos"), paint_classes)


@pytest.fixture
def photos(folder, tiny_hub):
    """The same as a data set, with tiny backbones at hand."""
    with open_dataset(folder) as dataset:
        yield dataset


@pytest.fixture
def passes(monkeypatch):
    """Filled with the images that pass a network."""
    return watched_passes(monkeypatch)


@pytest.fixture
def fits(monkeypatch):
    """Filled with the data set of each fit."""
    seen = []
    real = linear_probe.fit
    monkeypatch.setattr(
        linear_probe, "fit", lambda dataset, *given: seen.append(dataset) or real(dataset, *given)
    )
    return seen
