"""`extra-trees`: what it says, how large it gets, what it refuses."""

from pathlib import Path

import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.heads import forest
from fieldguide.recipes import extra_trees
from fieldguide.recipes.common import Options, Run

COUNTS = {"red": 10, "green": 9, "blue": 8}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, paint_classes):
    paths = sorted(paint_classes(tmp_path_factory.mktemp("photos"), COUNTS).rglob("*.png"))
    return Dataset(Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths))


def test_it_says_how_large_it_is(dataset, cache_of_the_tests):
    fitted = extra_trees.fit(dataset, Options(preset="fast"), Run(cache=cache_of_the_tests))
    assert any(
        choice.startswith("forest: 100 extremely randomised trees of ")
        and choice.endswith("nodes: preset fast")
        for choice in fitted.choices
    )
    assert (fitted.out_of_fold.probabilities.argmax(1) == fitted.out_of_fold.labels).mean() > 0.8


def test_its_size_is_bounded(dataset, cache_of_the_tests, monkeypatch):
    monkeypatch.setattr(forest, "MOST_LEAVES", 100 * 5)
    fitted = extra_trees.fit(dataset, Options(preset="fast"), Run(cache=cache_of_the_tests))
    (threshold,) = [tensor for tensor in fitted.head.graph.initializer if tensor.name.endswith("threshold")]
    assert threshold.dims[0] < 2 * 100 * 5


def test_a_preset_sets_the_number_of_trees():
    assert extra_trees.TREES == {"fast": 100, "balanced": 200, "best": 400}
    for trees in extra_trees.TREES.values():
        assert forest.MOST_LEAVES // trees >= 5000


def test_a_backbone_has_no_place_here(dataset):
    with pytest.raises(OptionError, match="backbone: this recipe computes its features and has none"):
        extra_trees.fit(dataset, Options(backbone="efficientnet_lite0"), Run())


def test_options_set_trees_and_features_of_a_split(dataset, cache_of_the_tests, monkeypatch):
    shares = []
    grow = extra_trees.grow
    monkeypatch.setattr(extra_trees, "grow", lambda *given: shares.append(given[-1]) or grow(*given))
    options = Options(settings={"trees": 7, "share": 0.2})
    fitted = extra_trees.fit(dataset, options, Run(cache=cache_of_the_tests))
    assert any(choice.startswith("forest: 7 extremely randomised trees of ") for choice in fitted.choices)
    assert set(shares) == {0.2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trees": 0}, r"trees: must be a number, 1 or more; got 0"),
        ({"share": 1.5}, r"share: must be a number, more than 0 and at most 1; got 1.5"),
    ],
)
def test_an_option_out_of_range_is_named(options, message, dataset):
    with pytest.raises(OptionError, match=message):
        extra_trees.fit(dataset, Options(settings=options), Run())
