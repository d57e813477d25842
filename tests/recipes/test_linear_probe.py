"""The default recipe: what it learns from, what it refuses, and that it keeps look-alikes together."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from fieldguide.backbones.extraction import extract
from fieldguide.data.dataset import Dataset
from fieldguide.errors import BackboneError, DataError, OptionError
from fieldguide.images.decoding import open_image
from fieldguide.recipes import RECIPES, find, linear_probe
from fieldguide.recipes.common import Options, Run

COUNTS = {"red": 9, "green": 8, "blue": 7}


@pytest.fixture
def given(tiny_hub, cache_of_the_tests):
    return Options("test_efficientnet"), Run(cache=cache_of_the_tests)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)


@pytest.fixture
def dataset(folder):
    return opened(sorted(folder.rglob("*.png")))


def opened(paths, **columns):
    paths = [Path(path) for path in paths]
    return Dataset(
        Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths), **columns
    )


def fit(dataset, given):
    return linear_probe.fit(dataset, *given)


@pytest.fixture
def folds(monkeypatch):
    """Filled with the folds of each fit."""
    seen = []
    real = linear_probe.fit_probe
    monkeypatch.setattr(
        linear_probe,
        "fit_probe",
        lambda table, *rest: seen.append(table.folds.tolist()) or real(table, *rest),
    )
    return seen


def test_it_learns_from_every_image(dataset, given):
    fitted = fit(dataset, given)
    assert fitted.classes == ("blue", "green", "red")
    assert (fitted.used, fitted.refused) == (24, ())
    assert fitted.out_of_fold.rows.tolist() == list(range(24))
    names = [dataset.labels[row] for row in fitted.out_of_fold.rows]
    assert [fitted.classes[label] for label in fitted.out_of_fold.labels] == names
    assert (fitted.out_of_fold.probabilities.argmax(1) == fitted.out_of_fold.labels).mean() > 0.8
    assert fitted.backbone["name"] == "test_efficientnet"
    assert fitted.backbone["licence"] == "apache-2.0"
    assert {output.name for output in fitted.network.graph.output} == {
        "probabilities",
        "typicality",
        "embedding",
    }
    assert set(fitted.seconds) == {"backbone", "features", "head"}


def test_every_automatic_choice_is_told(dataset, given):
    told = "\n".join(fit(dataset, given).choices)
    assert "backbone test_efficientnet, 160 × 160 pixels: chosen by hand, at its own size" in told
    assert "5-fold cross-validation inside the training images" in told
    assert "near-duplicates" not in told
    assert "shrinkage 0." in told
    assert "temperature" in told
    assert "unknown: never said by this model, since 24 images" in told
    assert "class shares: nearly equal" in told


def test_unequal_classes_are_told(dataset, given):
    rows = [row for row, label in enumerate(dataset.labels) if label != "blue" or row < 4]
    assert "class shares: unequal ('red' 9, 'blue' 4)" in fit(dataset.take(rows), given).choices[-1]


def test_what_cannot_be_read_is_left_out_and_listed(dataset, given, tmp_path):
    bad = tmp_path / "green" / "bad.png"
    bad.parent.mkdir()
    bad.write_bytes(b"<html>")
    whole = opened([*dataset.paths[:3], bad, *dataset.paths[3:]])
    fitted = fit(whole, given)
    assert [(refusal.path, refusal.code) for refusal in fitted.refused] == [(str(bad), "not_an_image")]
    assert fitted.used == 24
    assert fitted.out_of_fold.rows.tolist() == [0, 1, 2, *range(4, 25)]
    plain = fit(dataset, given)
    assert fitted.network == plain.network
    assert fitted.fingerprint == plain.fingerprint


def test_the_fingerprint_is_of_contents_and_labels(dataset, given, folder, tmp_path):
    lines = sorted(
        f"{hashlib.sha256(Path(path).read_bytes()).hexdigest()} {label}"
        for path, label in zip(dataset.paths, dataset.labels, strict=True)
    )
    expected = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert fit(dataset, given).fingerprint == expected
    copies = opened(sorted(shutil.copytree(folder, tmp_path / "elsewhere").rglob("*.png"), reverse=True))
    assert fit(copies, given).fingerprint == expected
    relabelled = Dataset(Path(), dataset.paths, ("green", *dataset.labels[1:]))
    assert fit(relabelled, given).fingerprint != expected


def test_copies_are_never_judged_by_a_model_that_learned_them(dataset, given, tmp_path, folds):
    copies = [Path(shutil.copy(path, folder_of(tmp_path, path))) for path in dataset.paths[:8]]
    fitted = fit(opened([*dataset.paths, *copies]), given)
    assert folds[0][24:] == folds[0][:8]
    assert "; 8 near-duplicates or group members kept on one side" in fitted.choices[1]


def folder_of(root, path):
    target = root / Path(path).parent.name
    target.mkdir(parents=True, exist_ok=True)
    return target / f"copy-{Path(path).name}"


def test_a_group_stays_on_one_side(dataset, given, folds):
    groups = tuple(f"visit {row % 6}" for row in range(24))
    fit(opened(dataset.paths, groups=groups), given)
    assert len(set(zip(groups, folds[0], strict=True))) == 6
    assert len(set(folds[0])) == 5


def test_a_class_with_a_single_image_is_learned_and_not_judged(dataset, given):
    rows = [row for row, label in enumerate(dataset.labels) if label != "blue" or row == 0]
    fitted = fit(dataset.take(rows), given)
    assert fitted.classes == ("blue", "green", "red")
    assert fitted.out_of_fold.rows.tolist() == list(range(1, 18))
    assert fitted.used == 18


def test_two_classes_must_be_left(dataset, given, tmp_path):
    bad = tmp_path / "green" / "bad.png"
    bad.parent.mkdir()
    bad.write_bytes(b"")
    red = [path for path, label in zip(dataset.paths, dataset.labels, strict=True) if label == "red"]
    with pytest.raises(
        DataError, match="two classes that can be read, got 9 images of 1 after 1 were refused"
    ):
        fit(opened([*red, bad]), given)
    with pytest.raises(DataError, match="got 0 images of 0 after 1 were refused"):
        fit(opened([bad]), given)


def test_nothing_but_copies_cannot_be_measured(dataset, given, tmp_path):
    one = {label: path for path, label in zip(dataset.paths, dataset.labels, strict=True)}
    paths = list(one.values())
    for number in range(3):
        for path in one.values():
            paths.append(shutil.copy(path, folder_of(tmp_path / str(number), path)))
    with pytest.raises(DataError, match="no class has two separate photos"):
        fit(opened(paths), given)


def test_a_preset_that_does_not_exist(dataset):
    with pytest.raises(OptionError, match="preset: must be one of fast, balanced, best; got 'quick'"):
        fit(dataset, (Options(preset="quick"), Run()))


def test_a_backbone_that_does_not_exist(dataset):
    with pytest.raises(BackboneError, match="did you mean efficientnet_lite0"):
        fit(dataset, (Options(backbone="efficientnet_lit0"), Run()))


def test_progress_names_the_stages(dataset, given):
    seen = []
    options, run = given
    fit(dataset, (options, replace(run, progress=lambda *step: seen.append(step))))
    assert ("features", 24, 24) in seen
    assert seen[-2:] == [("head", 0, 1), ("head", 1, 1)]


def test_every_recipe_has_the_three_names():
    for name, recipe in ((name, find(name)) for name in RECIPES):
        assert find(name) is recipe
        assert isinstance(recipe.SUMMARY, str)
        assert isinstance(recipe.OPTIONS, frozenset)
        assert callable(recipe.fit)
    with pytest.raises(OptionError, match=r"recipe: must be one of auto, linear-probe.*; got 'magic'"):
        find("magic")


def test_the_head_is_that_of_the_features(dataset, given):
    """The joined network is the backbone followed by the head: its embedding is the backbone's features."""
    fitted = fit(dataset, given)
    session = onnxruntime.InferenceSession(
        fitted.network.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    pixels = np.stack([fitted.preprocessing.resize(open_image(path)) for path in dataset.paths])
    (embedding,) = session.run(["embedding"], {"pixels": pixels})
    backbone, _ = linear_probe._backbone(*given)
    vectors = extract(dataset.paths, backbone, cache=None).vectors
    np.testing.assert_allclose(embedding, vectors, rtol=1e-4, atol=1e-5)
