"""`random-forest`: what it says, how large it gets, what it refuses."""

from pathlib import Path

import pytest

from fieldguide import forest
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.recipes import random_forest
from fieldguide.recipes.common import Setting

COUNTS = {"red": 10, "green": 9, "blue": 8}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, paint_classes):
    paths = sorted(paint_classes(tmp_path_factory.mktemp("photos"), COUNTS).rglob("*.png"))
    return Dataset(Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths))


def test_it_says_how_large_it_is(dataset, cache_of_the_tests):
    fitted = random_forest.fit(dataset, Setting(preset="fast", cache=cache_of_the_tests))
    assert any(
        choice.startswith("forest: 100 trees of ") and choice.endswith("nodes: preset fast")
        for choice in fitted.choices
    )
    assert (fitted.out_of_fold.probabilities.argmax(1) == fitted.out_of_fold.labels).mean() > 0.8


def test_its_size_is_bounded(dataset, cache_of_the_tests, monkeypatch):
    monkeypatch.setattr(forest, "MOST_LEAVES", 100 * 5)
    fitted = random_forest.fit(dataset, Setting(preset="fast", cache=cache_of_the_tests))
    (threshold,) = [tensor for tensor in fitted.head.graph.initializer if tensor.name.endswith("threshold")]
    assert threshold.dims[0] < 2 * 100 * 5


def test_a_preset_sets_the_number_of_trees():
    assert random_forest.TREES == {"fast": 100, "balanced": 200, "best": 400}
    for trees in random_forest.TREES.values():
        assert forest.MOST_LEAVES // trees >= 5000


def test_a_backbone_has_no_place_here(dataset):
    with pytest.raises(OptionError, match="backbone: this recipe computes its features and has none"):
        random_forest.fit(dataset, Setting(backbone="efficientnet_lite0"))
