"""`svm`: what it chooses by, what it says, what it refuses."""

from pathlib import Path

import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.progress import silent
from fieldguide.recipes import classical_features as shared
from fieldguide.recipes import svm
from fieldguide.recipes.common import Options, Run

COUNTS = {"red": 10, "green": 9, "blue": 8}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, paint_classes):
    paths = sorted(paint_classes(tmp_path_factory.mktemp("photos"), COUNTS).rglob("*.png"))
    return Dataset(Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths))


def fit(dataset, cache, progress=silent, **wanted):
    return svm.fit(dataset, Options(**wanted), Run(cache=cache, progress=progress))


def test_it_tells_which_machine_and_why(dataset, cache_of_the_tests):
    fitted = fit(dataset, cache_of_the_tests)
    told = "\n".join(fitted.choices)
    assert "computed from 64 × 64 pixels, nothing pretrained" in told
    assert "lowest cross-validated log loss (Gaussian kernel with gamma 0.7, C 1: " in told
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


def test_fast_tries_one(dataset, cache_of_the_tests):
    fitted = fit(dataset, cache_of_the_tests, preset="fast")
    (told,) = [choice for choice in fitted.choices if choice.startswith("machine")]
    assert told.startswith("machine: Gaussian kernel with gamma 1.5, C 4: the only one tried (")


def test_gamma_0_is_linear(dataset, cache_of_the_tests):
    fitted = fit(dataset, cache_of_the_tests, preset="fast", settings={"gamma": 0})
    assert not any("Gaussian" in choice for choice in fitted.choices)
    assert "Exp" not in {node.op_type for node in fitted.head.graph.node}


def landmarks(fitted):
    (found,) = [tensor for tensor in fitted.head.graph.initializer if tensor.name.endswith("landmark_norms")]
    return found.dims[0]


def test_more_images_than_pairs_fit_into_memory_have_landmarks(dataset, cache_of_the_tests, monkeypatch):
    exact = fit(dataset, cache_of_the_tests)
    monkeypatch.setattr(svm, "MOST_EXACT", 26)
    monkeypatch.setattr(svm, "CHOOSING", 20)
    monkeypatch.setitem(svm.PRESETS, "balanced", svm.SvmPreset(((0.7, (1.0, 4.0)),), landmarks=11))
    fitted = fit(dataset, cache_of_the_tests)
    assert landmarks(fitted) == 11 < landmarks(exact) <= 27
    for both in (exact, fitted):
        assert len(both.out_of_fold.rows) == 27
        assert (both.out_of_fold.probabilities.argmax(1) == both.out_of_fold.labels).mean() > 0.8


def test_what_is_chosen_with_a_few_is_judged_with_all(dataset, cache_of_the_tests, monkeypatch):
    monkeypatch.setattr(svm, "CHOOSING", 20)
    assert len(fit(dataset, cache_of_the_tests).out_of_fold.rows) == 27


@pytest.mark.parametrize("most", [svm.CHOOSING, 20])
def test_every_machine_is_told_of(most, dataset, cache_of_the_tests, monkeypatch):
    monkeypatch.setattr(svm, "CHOOSING", most)
    calls = []
    fit(dataset, cache_of_the_tests, progress=lambda *call: calls.append(call))
    done = [(number, total) for stage, number, total in calls if stage == svm.STAGE]
    total = 6 * 5 + (5 if most == 20 else 0) + 1
    assert done == [(number, total) for number in range(total + 1)]


def test_more_images_than_fit_into_memory_are_drawn(dataset, cache_of_the_tests, monkeypatch):
    monkeypatch.setattr(shared, "MOST_LEARNED", 20)
    fitted = fit(dataset, cache_of_the_tests, preset="fast")
    assert "learned from 20 of 27 images, drawn by seed to save memory" in fitted.choices
    assert len(fitted.out_of_fold.rows) == 27


def test_a_backbone_has_no_place_here(dataset):
    with pytest.raises(OptionError, match="backbone: this recipe computes its features and has none"):
        svm.fit(dataset, Options(backbone="efficientnet_lite0"), Run())


@pytest.mark.parametrize(
    ("options", "tried"),
    [
        (
            {"cost": 3},
            {f"Gaussian kernel with gamma {gamma}, C 3" for gamma in ("0.7", "1.5", "3")},
        ),
        ({"cost": 2.0, "gamma": 0.5}, {"Gaussian kernel with gamma 0.5, C 2"}),
        ({"gamma": 0}, {f"linear, C {cost}" for cost in ("0.1", "1", "10")}),
    ],
)
def test_options_leave_fewer_machines_to_choose_from(options, tried, dataset, cache_of_the_tests):
    fitted = fit(dataset, cache_of_the_tests, settings=options)
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
        fit(dataset, None, settings=options)
