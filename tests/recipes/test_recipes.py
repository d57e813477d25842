"""What holds for every recipe: one set of tests over all of `RECIPES`, on small painted photos."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.images.decoding import open_image
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes import RECIPES, find
from fieldguide.recipes.common import Options, Run
from fieldguide.tasks.task import EITHER, Task
from tags_made import write_tagged

COUNTS = {"red": 12, "green": 11, "blue": 10}
TINY = {"backbone": "test_efficientnet"}
OPTIONS = {
    "auto": {**TINY, "preset": "fast"},
    "linear-probe": TINY,
    "finetune": {**TINY, "preset": "fast", "settings": {"epochs": 1}},
    "cnn": {"preset": "fast", "settings": {"epochs": 2, "size": 32}},
    "svm": {"preset": "fast"},
    "extra-trees": {"preset": "fast"},
}
"""What makes a recipe fast here; one that is missing is run as it is."""


@pytest.fixture(params=sorted(RECIPES), scope="module")
def name(request):
    return request.param


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)


@pytest.fixture(scope="module")
def hub(hub_folder):
    import huggingface_hub.constants

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(hub_folder))
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        yield hub_folder


def opened(paths, **columns):
    paths = [Path(path) for path in paths]
    return Dataset(
        Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths), **columns
    )


@pytest.fixture(scope="module")
def dataset(photos):
    return opened(sorted(photos.rglob("*.png")))


@pytest.fixture(scope="module")
def train(name, hub, cache_of_the_tests):
    """Train the recipe on a data set and write `out`."""

    def run(dataset, out, **changes):
        options = Options(**{**OPTIONS.get(name, {}), **changes})
        shared = Run(cache=cache_of_the_tests)
        return train_dataset(dataset, TrainOptions(Path(), out, name, options, shared))

    return run


@pytest.fixture(scope="module")
def trained(train, dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "model.onnx"
    return train(dataset, out), out


def test_it_is_described(name):
    recipe = find(name)
    assert len(recipe.SUMMARY) > 20
    assert isinstance(recipe.OPTIONS, frozenset)


def taken(fitted):
    """Images learned from, and those that a recipe trained step by step holds out to watch and calibrate."""
    return fitted.used + (len(fitted.out_of_fold.rows) if isinstance(fitted.body, onnx.ModelProto) else 0)


def test_it_uses_every_image_and_says_what_it_chose(trained, dataset):
    result, _ = trained
    assert result.fitted.classes == ("blue", "green", "red")
    assert (taken(result.fitted), result.fitted.refused) == (len(dataset), ())
    assert len(result.choices) > 2
    assert all(choice.strip() for choice in result.choices)


def test_the_file_answers_as_the_network_in_memory(trained, dataset):
    result, out = trained
    network = result.fitted.network.SerializeToString()
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    pixels = np.stack([result.fitted.preprocessing.resize(open_image(path)) for path in dataset.paths])
    expected, typicality = session.run(["probabilities", "typicality"], {"pixels": pixels})
    answers = load(out).predict(list(dataset.paths))
    assert [answer.label for answer in answers] == [result.fitted.classes[k] for k in expected.argmax(1)]
    np.testing.assert_allclose([answer.probabilities for answer in answers], expected, atol=1e-3)
    np.testing.assert_allclose([answer.typicality for answer in answers], typicality, atol=1e-3)


def test_what_it_answers_is_well_formed(trained, dataset):
    result, out = trained
    threshold = result.fitted.set_threshold
    for answer in load(out).predict(list(dataset.paths)):
        assert abs(sum(answer.probabilities) - 1) < 1e-5
        assert 0 <= answer.typicality <= 1
        pairs = zip(result.fitted.classes, answer.probabilities, strict=True)
        assert set(answer.set) == {label for label, share in pairs if share >= threshold}


def test_promises_rest_on_images_that_were_held_out(trained, dataset):
    held = trained[0].fitted.out_of_fold
    assert len(set(held.rows.tolist())) == len(held.rows) > 0
    names = [dataset.labels[row] for row in held.rows]
    assert [trained[0].fitted.classes[label] for label in held.labels] == names
    np.testing.assert_allclose(held.probabilities.sum(1), 1, atol=1e-6)
    assert ((held.typicality >= 0) & (held.typicality <= 1)).all()


def test_what_was_held_out_was_not_learned(train, dataset, tmp_path):
    """With labels drawn at random, whoever has not seen an image cannot know its label."""
    labels = list(dataset.labels)
    np.random.default_rng(3).shuffle(labels)
    held = train(Dataset(Path(), dataset.paths, tuple(labels)), tmp_path / "m.onnx").fitted.out_of_fold
    assert (held.probabilities.argmax(1) == held.labels).mean() < 0.75


def test_the_same_seed_gives_the_same_bytes(train, trained, dataset, tmp_path):
    train(dataset, tmp_path / "again.onnx")
    digest = hashlib.sha256((tmp_path / "again.onnx").read_bytes()).hexdigest()
    assert digest == hashlib.sha256(trained[1].read_bytes()).hexdigest()


def test_two_classes_are_needed(train, dataset, tmp_path):
    red = opened([path for path in dataset.paths if Path(path).parent.name == "red"])
    with pytest.raises(DataError, match="two classes"):
        train(red, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_what_cannot_be_read_is_counted(train, dataset, tmp_path):
    bad = tmp_path / "green" / "bad.png"
    bad.parent.mkdir()
    bad.write_bytes(b"<html>")
    fitted = train(opened([*dataset.paths[:3], bad, *dataset.paths[3:]]), tmp_path / "m.onnx").fitted
    assert [(refusal.path, refusal.code) for refusal in fitted.refused] == [(str(bad), "not_an_image")]
    assert taken(fitted) == len(dataset)
    assert 3 not in fitted.out_of_fold.rows


def test_copies_do_not_help_with_labels_at_random(train, dataset, tmp_path):
    """A copy on the other side would give its image's label away."""
    labels = list(dataset.labels)
    np.random.default_rng(4).shuffle(labels)
    copies = []
    for number, path in enumerate(dataset.paths):
        copies.append(str(tmp_path / f"copy-{number}.png"))
        shutil.copy(path, copies[-1])
    twice = Dataset(Path(), (*dataset.paths, *copies), (*labels, *labels))
    fitted = train(twice, tmp_path / "m.onnx").fitted
    held = fitted.out_of_fold
    assert (held.probabilities.argmax(1) == held.labels).mean() < 0.75
    assert any("near-duplicates or group members kept on one side" in choice for choice in fitted.choices)


def test_unequal_classes_are_learned_all(train, dataset, tmp_path):
    rows = [row for row, label in enumerate(dataset.labels) if label != "blue" or row < 4]
    result = train(dataset.take(rows), tmp_path / "m.onnx")
    assert result.fitted.classes == ("blue", "green", "red")
    assert any("class" in choice for choice in result.choices)


def test_a_preset_that_does_not_exist(train, dataset, tmp_path):
    with pytest.raises(OptionError, match="preset: must be one of fast, balanced, best; got 'quick'"):
        train(dataset, tmp_path / "m.onnx", preset="quick")


TAGGING = sorted(name for name in RECIPES if Task.MULTIPLE in getattr(find(name), "TASKS", ()))


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    with open_dataset(write_tagged(tmp_path_factory.mktemp("tagged"), 64), tasks=EITHER) as dataset:
        return dataset


def tag_fit(name, dataset, cache):
    options = Options(**{"preset": "fast", **OPTIONS.get(name, {})})
    return find(name).fit(dataset, options, Run(cache=cache))


@pytest.mark.parametrize("tagging", TAGGING)
def test_the_head_of_tags_answers_as_was_promised(tagging, tagged, hub, cache_of_the_tests, tmp_path):
    options = Options(**{"preset": "fast", **OPTIONS.get(tagging, {})})
    wanted = TrainOptions(Path(), tmp_path / "m.onnx", tagging, options, Run(cache=cache_of_the_tests))
    fitted = train_dataset(tagged, wanted).fitted
    network = fitted.network.SerializeToString()
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    pixels = np.stack([fitted.preprocessing.resize(open_image(path)) for path in tagged.paths])
    expected, typicality = session.run(["probabilities", "typicality"], {"pixels": pixels})
    answers = load(tmp_path / "m.onnx").predict(list(tagged.paths))
    np.testing.assert_allclose([answer.probabilities for answer in answers], expected, atol=1e-3)
    np.testing.assert_allclose([answer.typicality for answer in answers], typicality, atol=1e-3)
    for answer in answers:
        assert set(answer.labels) <= set(answer.set) <= set(fitted.classes)
    assert fitted.out_of_fold.labels.shape == fitted.out_of_fold.probabilities.shape


@pytest.mark.parametrize("tagging", TAGGING)
def test_tags_at_random_cannot_be_known_of_photos_held_out(tagging, tagged, hub, cache_of_the_tests):
    order = np.random.default_rng(3).permutation(len(tagged))
    mixed = dataclasses.replace(tagged, tags=tuple(tagged.tags[place] for place in order))
    held = tag_fit(tagging, mixed, cache_of_the_tests).out_of_fold
    assert ((held.probabilities > 0.5) == (held.labels == 1)).mean() < 0.75


def test_a_recipe_is_found_by_its_other_name():
    assert find("random-forest") is find("extra-trees")
    with pytest.raises(OptionError, match=r"must be one of .*extra-trees, random-forest; got 'forest'"):
        find("forest")
