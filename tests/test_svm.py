"""`svm`: what it chooses by, what it says, what it refuses."""

from pathlib import Path

import pytest

from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.recipes import classical as shared
from fieldguide.recipes import svm
from fieldguide.recipes.common import Setting

COUNTS = {"red": 10, "green": 9, "blue": 8}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, paint_classes):
    paths = sorted(paint_classes(tmp_path_factory.mktemp("photos"), COUNTS).rglob("*.png"))
    return Dataset(Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths))


def fit(dataset, cache, **changes):
    return svm.fit(dataset, Setting(cache=cache, **changes))


def test_it_tells_which_machine_and_why(dataset, cache_of_the_tests):
    fitted = fit(dataset, cache_of_the_tests)
    told = "\n".join(fitted.choices)
    assert "computed from 64 × 64 pixels, nothing pretrained" in told
    assert "lowest cross-validated log loss (linear, C 0.3: " in told
    assert "Gaussian kernel with gamma 1.5, C 4: " in told
    assert fitted.backbone["name"] == "classical"
    assert fitted.backbone["licence"] == "MIT"
    assert (fitted.out_of_fold.probabilities.argmax(1) == fitted.out_of_fold.labels).mean() > 0.8


def test_the_machine_of_least_loss_is_taken(dataset, cache_of_the_tests):
    (told,) = [choice for choice in fit(dataset, cache_of_the_tests).choices if choice.startswith("machine")]
    head, _, tail = told.partition(" (")
    losses = dict(part.rsplit(": ", 1) for part in tail.rstrip(")").split("; "))
    assert len(losses) == 6
    chosen = head.removeprefix("machine: ").removesuffix(": lowest cross-validated log loss")
    assert float(losses[chosen]) == min(map(float, losses.values()))


def test_fast_is_linear(dataset, cache_of_the_tests):
    fitted = fit(dataset, cache_of_the_tests, preset="fast")
    assert not any("Gaussian" in choice for choice in fitted.choices)
    assert "Exp" not in {node.op_type for node in fitted.head.graph.node}


def test_more_images_than_fit_into_memory_are_drawn(dataset, cache_of_the_tests, monkeypatch):
    monkeypatch.setattr(shared, "MOST_LEARNED", 20)
    fitted = fit(dataset, cache_of_the_tests, preset="fast")
    assert "learned from 20 of 27 images, drawn by seed: memory" in fitted.choices
    assert len(fitted.out_of_fold.rows) == 27


def test_a_backbone_has_no_place_here(dataset):
    with pytest.raises(OptionError, match="backbone: this recipe computes its features and has none"):
        svm.fit(dataset, Setting(backbone="efficientnet_lite0"))


@pytest.mark.parametrize(
    ("options", "tried"),
    [
        (
            {"cost": 3},
            {"linear, C 3", "Gaussian kernel with gamma 0.7, C 3", "Gaussian kernel with gamma 1.5, C 3"},
        ),
        ({"cost": 2.0, "gamma": 0.5}, {"Gaussian kernel with gamma 0.5, C 2"}),
        ({"gamma": 0}, {f"linear, C {cost}" for cost in ("0.3", "1", "3", "4")}),
    ],
)
def test_options_leave_fewer_machines_to_choose_from(options, tried, dataset, cache_of_the_tests):
    fitted = fit(dataset, cache_of_the_tests, options=options)
    (told,) = [choice for choice in fitted.choices if choice.startswith("machine")]
    assert {part.rsplit(": ", 1)[0] for part in told.partition(" (")[2].rstrip(")").split("; ")} == tried


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": 0}, r"cost: must be a number, more than 0; got 0"),
        ({"cost": "much"}, r"cost: must be a number, more than 0; got 'much'"),
        ({"gamma": -1.0}, r"gamma: must be a number, 0 or more; got -1.0"),
        ({"gamma": float("nan")}, r"gamma: must be a number, 0 or more; got nan"),
    ],
)
def test_an_option_out_of_range_is_named(options, message, dataset):
    with pytest.raises(OptionError, match=message):
        fit(dataset, None, options=options)
