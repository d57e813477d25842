"""`cnn`: sizes and schedules that follow from the data, a file like the network, exact resume."""

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import nn

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.heads.tag_promises import fit_curves
from fieldguide.recipes.cnn import recipe
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.networks import augmentation
from fieldguide.recipes.networks.images import gather
from fieldguide.tasks.task import EITHER
from fieldguide.training.pixel_table import decode
from fieldguide.training.remaining import history_row
from tags_made import write_tagged

OPTIONS = {"epochs": 3, "augment": "light", "augment_with": "flip=0.5"}
COUNTS = {"red": 40, "green": 36, "blue": 44}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)


@pytest.fixture(scope="module")
def dataset(folder):
    return opened(folder)


def opened(folder, **columns):
    paths = sorted(folder.rglob("*.png"))
    return Dataset(folder, tuple(map(str, paths)), tuple(path.parent.name for path in paths), **columns)


@pytest.fixture(scope="module")
def fitted(dataset):
    rows = []
    return recipe.fit(dataset, Options(settings=OPTIONS), Run(report=rows.append)), rows


def test_it_learns_and_says_how(fitted, dataset):
    model, rows = fitted
    assert model.classes == ("blue", "green", "red")
    assert (model.used, model.refused, model.backbone) == (96, (), None)
    assert model.history == tuple(history_row(row) for row in rows)
    assert len(rows) == 3
    held = model.out_of_fold
    assert len(held.rows) == 24
    assert (held.probabilities.argmax(1) == held.labels).mean() > 0.8
    assert [dataset.labels[row] for row in held.rows] == [model.classes[label] for label in held.labels]
    choices = "\n".join(model.choices)
    for said in (
        "input 32 × 32 pixels",
        "24 of 120 images held out",
        "3 passes of",
        "precision:",
        "temperature",
    ):
        assert said in choices


def test_the_file_answers_as_the_network_did(fitted, dataset, monkeypatch):
    """Every image held out: the same label as the network in torch, probabilities within 1e-3."""
    networks = []
    real = recipe.calibrated_network
    monkeypatch.setattr(
        recipe, "calibrated_network", lambda network, *rest: networks.append(network) or real(network, *rest)
    )
    model = recipe.fit(dataset, Options(settings=OPTIONS), Run())
    images = decode(dataset.paths, model.preprocessing).images
    with torch.inference_mode():
        (features,) = networks[0].features(torch.from_numpy(images))
        scores = networks[0].linear(features).numpy()
    got = answers(model, images)["probabilities"]
    held = model.out_of_fold.rows
    assert (got.argmax(1) == scores.argmax(1)).all()
    np.testing.assert_allclose(got[held], model.out_of_fold.probabilities, atol=1e-3)
    assert model.network.SerializeToString() == fitted[0].network.SerializeToString()


def answers(model, images):
    session = onnxruntime.InferenceSession(
        model.network.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"pixels": images}), strict=True))


def test_images_of_known_classes_are_typical_and_others_are_not(fitted, dataset, tmp_path):
    model, _ = fitted
    own = model.out_of_fold.typicality
    stripes = (np.indices((32, 32))[1] // 2 % 2 * 255).astype(np.uint8)[None, :, :, None].repeat(3, axis=3)
    assert answers(model, stripes)["typicality"][0] < np.median(own)


class KilledError(Exception):
    """Stands for kill -9."""


def test_a_killed_run_is_resumed_to_the_same_file(fitted, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("fieldguide.training.loop.CHECKPOINT_SECONDS", 0.0)
    seen = []

    def kill(stage, done, total):
        seen.append(done)
        if stage == "training" and done == 11:
            raise KilledError

    with pytest.raises(KilledError):
        recipe.fit(dataset, Options(settings=OPTIONS), Run(folder=tmp_path / "t", progress=kill))
    resumed = recipe.fit(dataset, Options(settings={**OPTIONS, "resume": True}), Run(folder=tmp_path / "t"))
    assert any(choice.startswith("resumed after step 11") for choice in resumed.choices)
    assert resumed.network.SerializeToString() == fitted[0].network.SerializeToString()
    assert not (tmp_path / "t").exists()


def test_hours_are_thrown_away_only_where_that_is_wished(dataset, tmp_path):
    def kill(stage, done, total):
        if stage == "training" and done == 11:
            raise KilledError

    folder = tmp_path / "t"
    with pytest.raises(KilledError):
        recipe.fit(dataset, Options(settings=OPTIONS), Run(folder=folder, progress=kill))
    kept = (folder / "checkpoint").read_bytes()
    fewer = dataset.take(np.arange(len(dataset) - 3))
    for other, seed, named in (
        (dataset, 5, "settings"),
        (fewer, 0, "images"),
        (fewer, 5, "images and settings"),
    ):
        for settings in (OPTIONS, {**OPTIONS, "resume": True}):
            with pytest.raises(OptionError, match=rf"interrupted run with other .*{named}.*--restart"):
                recipe.fit(other, Options(seed=seed, settings=settings), Run(folder=folder))
            assert (folder / "checkpoint").read_bytes() == kept
    anew = Options(settings={**OPTIONS, "resume": True, "restart": True})
    fitted = recipe.fit(fewer, anew, Run(folder=folder))
    assert not any("resumed" in choice for choice in fitted.choices)


def test_with_restart_alone_it_starts_anew(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("fieldguide.training.loop.CHECKPOINT_SECONDS", 0.0)

    def kill(stage, done, total):
        if stage == "training" and done == 3:
            raise KilledError

    with pytest.raises(KilledError):
        recipe.fit(dataset, Options(settings=OPTIONS), Run(folder=tmp_path / "t", progress=kill))
    again = recipe.fit(
        dataset, Options(settings={**OPTIONS, "epochs": 1, "restart": True}), Run(folder=tmp_path / "t")
    )
    assert not any("resumed" in choice for choice in again.choices)


def test_whether_to_mirror_is_decided_without_a_pretrained_network(dataset, monkeypatch):
    def pretrained(*given, **more):
        raise AssertionError("a pretrained network")

    monkeypatch.setattr(augmentation, "export", pretrained)
    settings = {"epochs": 1, "augment": "light"}
    choices = recipe.fit(dataset, Options(settings=settings), Run()).choices
    assert "a linear probe on edges, texture and colour is right on" in "\n".join(choices)


def test_datas_own_validation_split_is_what_is_held_out(dataset, folder, tmp_path, paint_classes):
    other = opened(paint_classes(tmp_path, {"red": 5, "green": 5, "grey": 3}, first=100))
    model = recipe.fit(dataset, Options(settings={**OPTIONS, "epochs": 1}), Run(validation=other))
    assert (model.used, len(model.out_of_fold.rows), model.watched_validation) == (120, 10, True)
    assert "10 images of DATA's validation split held out" in model.choices


def test_an_own_architecture_is_trained_alike(dataset):
    options = {
        **OPTIONS,
        "architecture": "conv 8, pool, residual 16, pool, dense 12, dropout 0.1",
        "epochs": 6,
    }
    model = recipe.fit(dataset, Options(settings=options), Run())
    assert (model.out_of_fold.probabilities.argmax(1) == model.out_of_fold.labels).mean() > 0.6
    assert answers(model, np.zeros((2, 32, 32, 3), np.uint8))["embedding"].shape == (2, 12)


@pytest.mark.parametrize(
    ("name", "library", "features", "epochs"),
    [("resnet18", "timm", 512, 2), ("shufflenet_v2_x0_5", "torchvision", 1024, 12)],
)
def test_a_network_by_name_is_trained_and_keeps_the_promises(
    dataset, name, library, features, epochs, monkeypatch
):
    networks = []
    real = recipe.calibrated_network
    monkeypatch.setattr(
        recipe, "calibrated_network", lambda network, *rest: networks.append(network) or real(network, *rest)
    )
    own = {**OPTIONS, "architecture": name, "epochs": epochs}
    model = recipe.fit(dataset, Options(preset="fast", settings=own), Run())
    assert any(choice.startswith(f"network: {name} of {library}, untrained, ") for choice in model.choices)
    images = decode(dataset.paths, model.preprocessing).images
    got = answers(model, images)
    assert got["embedding"].shape == (120, features)
    with torch.inference_mode():
        scores = networks[0].linear(networks[0].features(torch.from_numpy(images))[0]).numpy()
    assert (got["probabilities"].argmax(1) == scores.argmax(1)).all()
    held = model.out_of_fold
    np.testing.assert_allclose(got["probabilities"][held.rows], held.probabilities, atol=1e-3)
    # Held-out images are ranked by scores of the other parts; the file knows those of all 24.
    ranks = [np.argsort(np.argsort(values)) for values in (got["typicality"][held.rows], held.typicality)]
    assert np.corrcoef(*ranks)[0, 1] > 0.8
    assert (got["typicality"][held.rows] >= held.typicality - 0.2).all()
    assert (held.probabilities.argmax(1) == held.labels).mean() > 0.5


def test_a_network_that_needs_larger_images_gets_them_and_it_is_said(dataset):
    size, told = recipe._size(dataset, Options(settings={"architecture": "inception_v3"}))
    assert size == 75
    assert told == (
        "input 75 × 75 pixels: for images whose shorter side is usually 73; inception_v3 does not take "
        "32 × 32, this is the next that it takes"
    )
    assert recipe._size(dataset, Options(settings={"architecture": "resnet18"}))[0] == 32
    assert recipe._size(dataset, Options(settings={"architecture": "conv 8"}))[0] == 32


def test_a_module_is_copied_and_its_maps_are_averaged(dataset):
    module = nn.Sequential(nn.Conv2d(3, 6, 5, stride=2), nn.ReLU())
    before = module[0].weight.clone()
    model = recipe.fit(dataset, Options(settings={**OPTIONS, "architecture": module, "epochs": 1}), Run())
    assert torch.equal(before, module[0].weight)
    assert answers(model, np.zeros((2, 32, 32, 3), np.uint8))["embedding"].shape == (2, 6)


@pytest.mark.parametrize(
    ("sides", "expected"),
    [([(28, 28)], 28), ([(32, 32)], 32), ([(60, 80), (64, 64)], 32), ([(200, 150)], 64), ([(900, 700)], 128)],
)
def test_the_input_size_follows_from_the_images(tmp_path, sides, expected):
    paths = []
    for number, size in enumerate(sides * 3):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.new("RGB", size).save(paths[-1])
    size, told = recipe._size(Dataset(tmp_path, tuple(paths), ("a",) * len(paths)), Options())
    assert size == expected
    assert f"input {expected} × {expected}" in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 8}, "size: must be 16 to 512"),
        ({"augment": "wild"}, "augmentation: must be one of"),
        ({"architecture": "conv 8, twirl"}, "layer 2 must be one of conv"),
        ({"architecture": "resnet81"}, "the nearest names are resnet18"),
        ({"architecture": "inception_v3", "size": 64}, "the next that it takes: --size 75"),
    ],
)
def test_options_out_of_range_are_told(dataset, options, words):
    with pytest.raises(OptionError, match=words):
        recipe.fit(dataset, Options(settings={"epochs": 1, **options}), Run())


def test_one_class_is_not_enough(folder):
    one = opened(folder / "red")
    with pytest.raises(DataError, match="two classes"):
        recipe.fit(one, Options(settings=OPTIONS), Run())


def test_fewer_images_are_seen_more_often(dataset):
    def passes(count, size=32, preset="balanced"):
        images = type("Images", (), {"learn": np.arange(count)})
        plan, _ = recipe._plan(images, recipe.PRESETS[preset], size, Options())
        return plan.epochs, plan.batch_size

    assert passes(50_000) == (19, 512)
    assert passes(50_000, preset="fast") == (7, 512)
    assert passes(5_000)[0] > passes(20_000)[0] > 19
    assert passes(5_000, size=64)[0] < passes(5_000)[0]
    assert passes(300)[1] <= 32
    assert passes(100)[0] == recipe.MOST_PASSES


def test_held_out_images_are_never_learned_from(dataset):
    images = gather(dataset, recipe.Preprocessing(32), Options(), Run())
    assert not set(images.learn) & set(images.held)
    assert sorted((*images.learn, *images.held)) == list(range(120))


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    with open_dataset(write_tagged(tmp_path_factory.mktemp("tagged"), 64), tasks=EITHER) as dataset:
        return dataset


TAG_OPTIONS = {"epochs": 3, "size": 32, "augment": "strong", "augment_with": "flip=0"}


def test_the_file_of_tags_answers_as_the_network_did(tagged, monkeypatch):
    networks = []
    real = recipe.calibrated_network
    monkeypatch.setattr(
        recipe, "calibrated_network", lambda network, *rest: networks.append(network) or real(network, *rest)
    )
    model = recipe.fit(tagged, Options(settings=TAG_OPTIONS), Run())
    images = decode(tagged.paths, model.preprocessing).images
    with torch.inference_mode():
        (features,) = networks[0].features(torch.from_numpy(images))
        scores = networks[0].linear(features).double().numpy()
    held = model.out_of_fold
    curves = fit_curves(scores[held.rows], held.labels)
    got = answers(model, images)["probabilities"]
    np.testing.assert_allclose(got, curves.probabilities(scores), atol=1e-3)
    np.testing.assert_allclose(got[held.rows], held.probabilities, atol=1e-3)
    assert model.tag_thresholds.shape == (3,) and model.classes == ("blue", "green", "red")
    assert {"train_loss", "validation_loss", "validation_map"} <= set(model.history[0])
    assert "loss: binary cross-entropy, in which every tag counts the same" in model.choices


def test_a_killed_run_of_tags_is_resumed_to_the_same_file(tagged, tmp_path, monkeypatch):
    whole = recipe.fit(tagged, Options(settings=TAG_OPTIONS), Run())
    monkeypatch.setattr("fieldguide.training.loop.CHECKPOINT_SECONDS", 0.0)

    def kill(stage, done, total):
        if stage == "training" and done == 5:
            raise KilledError

    with pytest.raises(KilledError):
        recipe.fit(tagged, Options(settings=TAG_OPTIONS), Run(folder=tmp_path / "t", progress=kill))
    again = Options(settings={**TAG_OPTIONS, "resume": True})
    resumed = recipe.fit(tagged, again, Run(folder=tmp_path / "t"))
    assert any(choice.startswith("resumed after step 5") for choice in resumed.choices)
    assert resumed.network.SerializeToString() == whole.network.SerializeToString()
