"""`cnn`: sizes and schedules that follow from the data, a file like the network, exact resume."""

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import nn

from fieldguide.augment import Augmentation
from fieldguide.cnn_layers import own_network
from fieldguide.dataset import Dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.loop import Plan
from fieldguide.pixel_table import decode
from fieldguide.recipes import cnn, learned
from fieldguide.recipes.cnn_task import Task
from fieldguide.recipes.common import Setting

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
    return cnn.fit(dataset, Setting(options=OPTIONS, report=rows.append)), rows


def test_it_learns_and_says_how(fitted, dataset):
    model, rows = fitted
    assert model.classes == ("blue", "green", "red")
    assert (model.used, model.refused, model.backbone) == (96, (), None)
    assert model.history == tuple(rows)
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
    real = cnn.promise
    monkeypatch.setattr(
        cnn, "promise", lambda network, *rest: networks.append(network) or real(network, *rest)
    )
    model = cnn.fit(dataset, Setting(options=OPTIONS))
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


def test_views_of_an_image_count_as_they_should():
    """With one view for each side, an image and its mirror image get the same features; shifts are halved."""
    images = torch.randint(
        0, 256, (2, 32, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    body = cnn.Convolutional((8, 8, 8)).eval()
    torch.nn.init.normal_(body.whiten.weight)
    preprocessing = cnn.Preprocessing(32)
    both = learned.FeatureNetwork(body, preprocessing, mirrored=True).eval()
    torch.testing.assert_close(both(images)[0], both(images.flip(2))[0])
    every = learned.FeatureNetwork(body, preprocessing, mirrored=True, shifted=True).eval()
    padded = nn.functional.pad(every.normalised(images.permute(0, 3, 1, 2)), (1, 1, 1, 1), mode="reflect")
    places = {(1, 1): 0.25, (0, 0): 0.125, (2, 2): 0.125}
    expected = sum(
        share * (body(view) + body(view.flip(3)))
        for (down, right), share in places.items()
        for view in [padded[:, :, down : down + 32, right : right + 32]]
    )
    torch.testing.assert_close(every(images)[0], expected)


def test_images_of_known_classes_are_typical_and_others_are_not(fitted, dataset, tmp_path):
    model, _ = fitted
    own = model.out_of_fold.typicality
    stripes = (np.indices((32, 32))[1] // 2 % 2 * 255).astype(np.uint8)[None, :, :, None].repeat(3, axis=3)
    assert answers(model, stripes)["typicality"][0] < np.median(own)


class KilledError(Exception):
    """Stands for kill -9."""


def test_a_killed_run_is_resumed_to_the_same_file(fitted, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("fieldguide.loop.CHECKPOINT_SECONDS", 0.0)
    seen = []

    def kill(stage, done, total):
        seen.append(done)
        if stage == "training" and done == 11:
            raise KilledError

    with pytest.raises(KilledError):
        cnn.fit(dataset, Setting(options=OPTIONS, folder=tmp_path / "t", progress=kill))
    resumed = cnn.fit(dataset, Setting(options={**OPTIONS, "resume": True}, folder=tmp_path / "t"))
    assert any(choice.startswith("resumed after step 11") for choice in resumed.choices)
    assert resumed.network.SerializeToString() == fitted[0].network.SerializeToString()
    assert not (tmp_path / "t").exists()


def test_without_resume_it_starts_anew(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("fieldguide.loop.CHECKPOINT_SECONDS", 0.0)

    def kill(stage, done, total):
        if stage == "training" and done == 3:
            raise KilledError

    with pytest.raises(KilledError):
        cnn.fit(dataset, Setting(options=OPTIONS, folder=tmp_path / "t", progress=kill))
    again = cnn.fit(dataset, Setting(options={**OPTIONS, "epochs": 1}, folder=tmp_path / "t"))
    assert not any("resumed" in choice for choice in again.choices)


def test_datas_own_validation_split_is_what_is_held_out(dataset, folder, tmp_path, paint_classes):
    other = opened(paint_classes(tmp_path, {"red": 5, "green": 5, "grey": 3}, first=100))
    model = cnn.fit(dataset, Setting(options={**OPTIONS, "epochs": 1}, validation=other))
    assert (model.used, len(model.out_of_fold.rows), model.watched_validation) == (120, 10, True)
    assert "10 images of DATA's validation split held out" in model.choices


def test_an_own_architecture_is_trained_alike(dataset):
    options = {
        **OPTIONS,
        "architecture": "conv 8, pool, residual 16, pool, dense 12, dropout 0.1",
        "epochs": 6,
    }
    model = cnn.fit(dataset, Setting(options=options))
    assert (model.out_of_fold.probabilities.argmax(1) == model.out_of_fold.labels).mean() > 0.6
    assert answers(model, np.zeros((2, 32, 32, 3), np.uint8))["embedding"].shape == (2, 12)


def test_a_module_is_copied_and_its_maps_are_averaged(dataset):
    module = nn.Sequential(nn.Conv2d(3, 6, 5, stride=2), nn.ReLU())
    before = module[0].weight.clone()
    model = cnn.fit(dataset, Setting(options={**OPTIONS, "architecture": module, "epochs": 1}))
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
    size, told = cnn._size(Dataset(tmp_path, tuple(paths), ("a",) * len(paths)), Setting())
    assert size == expected
    assert f"input {expected} × {expected}" in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 8}, "size: must be 16 to 512"),
        ({"augment": "wild"}, "augmentation: must be one of"),
        ({"architecture": "conv 8, twirl"}, "layer 2 must be one of conv"),
    ],
)
def test_options_out_of_range_are_told(dataset, options, words):
    with pytest.raises(OptionError, match=words):
        cnn.fit(dataset, Setting(options={"epochs": 1, **options}))


def test_one_class_is_not_enough(folder):
    one = opened(folder / "red")
    with pytest.raises(DataError, match="two classes"):
        cnn.fit(one, Setting(options=OPTIONS))


def test_fewer_images_are_seen_more_often(dataset):
    def passes(count, size=32, preset="balanced"):
        images = type("Images", (), {"learn": np.arange(count)})
        plan, _ = cnn._plan(images, cnn.PRESETS[preset], size, Setting())
        return plan.epochs, plan.batch_size

    assert passes(50_000) == (19, 512)
    assert passes(50_000, preset="fast") == (7, 512)
    assert passes(5_000)[0] > passes(20_000)[0] > 19
    assert passes(5_000, size=64)[0] < passes(5_000)[0]
    assert passes(300)[1] <= 32
    assert passes(100)[0] == cnn.MOST_PASSES


def seen_sizes(network, epochs):
    """Shapes of what the network is given in each pass."""
    plan = Plan(images=40, epochs=epochs, batch_size=8, average=None)
    images = type("Images", (), {})()
    images.table = type("Table", (), {"images": np.zeros((40, 32, 32, 3), np.uint8)})()
    images.numbers, images.learn, images.held = np.zeros(40, np.int64), np.arange(40), np.arange(0)
    task = Task(network, images, plan, Augmentation(), 0.2)
    shapes = []

    def given(mixed):
        shapes.append(tuple(mixed.shape[2:]))
        return network(mixed)

    for epoch in range(epochs):
        task.loss(given, torch.arange(8), epoch, torch.Generator())
    return shapes


def test_the_first_passes_see_a_part_of_each_image_and_the_last_the_whole():
    body = cnn.Convolutional((8, 8, 8))
    network = learned.Classifier(learned.FeatureNetwork(body, cnn.Preprocessing(32)), nn.Linear(8, 3))
    assert seen_sizes(network, 10) == [(24, 24)] * 4 + [(28, 28)] * 3 + [(32, 32)] * 3
    assert seen_sizes(network, 1) == [(32, 32)]


def test_a_network_of_a_persons_own_always_sees_whole_images():
    body, width = own_network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4)), 32)
    network = learned.Classifier(learned.FeatureNetwork(body, cnn.Preprocessing(32)), nn.Linear(width, 3))
    assert seen_sizes(network, 5) == [(32, 32)] * 5


def test_held_out_images_are_never_learned_from(dataset):
    images = learned.gather(dataset, cnn.Preprocessing(32), Setting())
    assert not set(images.learn) & set(images.held)
    assert sorted((*images.learn, *images.held)) == list(range(120))
