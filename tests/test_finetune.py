"""Fine-tuning: it starts where the linear probe ended, learns from there, and never hands back the worse."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from fieldguide import loop
from fieldguide.augment import Augmentation
from fieldguide.dataset import Dataset
from fieldguide.errors import OptionError, TrainingError
from fieldguide.images import open_image
from fieldguide.recipes import finetune, finetune_presets, finetune_task, linear_probe
from fieldguide.recipes.common import Setting
from fieldguide.recipes.finetune_start import Rival, compare
from fieldguide.recipes.learned import Promised

COUNTS = {"red": 24, "green": 20, "blue": 16}
SMALL = {"size": 64, "epochs": 2, "batch_size": 16, "augment": "light", "augment_with": "flip=0"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, paint_classes):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)
    paths = sorted(folder.rglob("*.png"))
    return Dataset(folder, tuple(map(str, paths)), tuple(path.parent.name for path in paths))


@pytest.fixture
def setting(tiny_hub, cache_of_the_tests):
    def make(**options):
        known = {name: options.pop(name) for name in ("backbone", "folder", "report") if name in options}
        return Setting(
            **{"backbone": "test_efficientnet", "cache": cache_of_the_tests} | known, options=SMALL | options
        )

    return make


@pytest.fixture
def winning(monkeypatch):
    """Fine-tuning always wins, so that what it gives can be looked at."""
    monkeypatch.setattr(finetune, "compare", lambda *given: (True, "won"))


def answers(fitted, dataset, rows):
    session = onnxruntime.InferenceSession(fitted.network.SerializeToString())
    pixels = [fitted.preprocessing.resize(open_image(dataset.paths[row])) for row in rows]
    return session.run(["probabilities"], {"pixels": np.stack(pixels)})[0]


def test_the_file_answers_as_was_measured(dataset, setting, winning):
    fitted = finetune.fit(dataset, setting())
    held = fitted.out_of_fold
    found = answers(fitted, dataset, held.rows)
    np.testing.assert_allclose(found, held.probabilities, atol=1e-3)
    assert (found.argmax(1) == held.probabilities.argmax(1)).all()
    assert [dataset.labels[row] for row in held.rows] == [fitted.classes[number] for number in held.labels]
    assert len(held.rows) + fitted.used == len(dataset)
    assert len(fitted.history) == 2


@pytest.mark.parametrize("layers", [0.3, 1.0])
def test_it_learns(dataset, setting, winning, layers):
    fitted = finetune.fit(dataset, setting(layers=layers, epochs=8, learning_rate=2e-3))
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]
    assert (fitted.out_of_fold.probabilities.argmax(1) == fitted.out_of_fold.labels).mean() > 0.8


@pytest.mark.parametrize("backbone", ["test_efficientnet", "test_efficientnet_gn", "test_resnet"])
def test_it_starts_from_the_probe_and_ends_in_what_was_trained(dataset, setting, monkeypatch, backbone):
    seen = {}
    real_task, real_promise = finetune.Task, finetune.promise

    def task(network, source, plan, way):
        made = real_task(network, source, plan, way)
        seen["task"], seen["network"] = made, network
        seen["before"] = made.answers(network)[0].softmax(1).numpy()
        return made

    def promise(classifier, *rest):
        seen["after"] = seen["task"].answers(seen["network"])[0].numpy()
        return real_promise(classifier, *rest)

    def start(dataset, images, backbone, setting):
        made = real_start(dataset, images, backbone, setting)
        vectors = setting.extract([dataset.paths[row] for row in images.table.rows[images.held]], backbone)
        scores = vectors.vectors @ made.probe.head.weights + made.probe.head.bias
        seen["probe"] = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        return made

    real_start = finetune.probe_of
    monkeypatch.setattr(finetune, "Task", task)
    monkeypatch.setattr(finetune, "promise", promise)
    monkeypatch.setattr(finetune, "probe_of", start)
    monkeypatch.setattr(finetune, "compare", lambda *given: (True, "won"))
    monkeypatch.setattr(finetune, "best_precision", lambda: ("32-true", "exact"))
    fitted = finetune.fit(dataset, setting(backbone=backbone, learning_rate=1e-4))
    np.testing.assert_allclose(seen["before"], seen["probe"], atol=2e-3)
    # Calibration divides the scores by one number.
    after = seen["after"] - seen["after"].mean(1, keepdims=True)
    logs = np.log(answers(fitted, dataset, fitted.out_of_fold.rows))
    logs -= logs.mean(1, keepdims=True)
    temperature = (after * logs).sum() / (logs * logs).sum()
    np.testing.assert_allclose(logs * temperature, after, atol=0.02 * np.abs(after).max())
    assert (logs.argmax(1) == after.argmax(1)).all()


class KilledError(Exception):
    """Stands for kill -9: nothing is saved on its way out."""


@pytest.mark.parametrize(("layers", "killed_at"), [(0.3, 2), (0.3, 5), (1.0, 4)])
def test_a_resumed_run_ends_in_the_same_file(
    dataset, setting, winning, tmp_path, monkeypatch, layers, killed_at
):
    whole = finetune.fit(dataset, setting(layers=layers))
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    real = finetune_task.Task.set_rates

    def killed(task, step):
        if step == killed_at:
            raise KilledError
        real(task, step)

    monkeypatch.setattr(finetune_task.Task, "set_rates", killed)
    folder = tmp_path / "run"
    with pytest.raises(KilledError):
        finetune.fit(dataset, setting(layers=layers, folder=folder))
    monkeypatch.setattr(finetune_task.Task, "set_rates", real)
    resumed = finetune.fit(dataset, setting(layers=layers, folder=folder, resume=True))
    assert resumed.network == whole.network
    assert f"resumed after step {killed_at}" in "\n".join(resumed.choices)
    assert not folder.exists()


def test_where_it_does_not_win_the_linear_probe_is_handed_back(dataset, setting, monkeypatch):
    monkeypatch.setattr(finetune, "compare", lambda *given: (False, "linear probe handed back: tried"))
    fitted = finetune.fit(dataset, setting())
    probe = linear_probe.fit(dataset, Setting(backbone="test_efficientnet", options={"size": 64}))
    assert fitted.network == probe.network
    assert fitted.used == len(dataset)
    assert fitted.choices[-len(probe.choices) :] == probe.choices
    assert "linear probe handed back: tried" in fitted.choices
    assert len(fitted.history) == 2


def test_the_rival_is_the_probe_that_linear_probe_would_give(dataset, setting, monkeypatch):
    """It looks at photos as large as that recipe takes them, whatever fine-tuning works with."""
    preset = finetune_presets.Preset("test_efficientnet", 32, 1.0, 1, 0, "small")
    monkeypatch.setitem(finetune_presets.PRESETS, "balanced", preset)
    usual = linear_probe.Preset("test_efficientnet", 64, "larger")
    monkeypatch.setitem(linear_probe.PRESETS, "balanced", usual)
    seen = []

    def turned_down(rival, promised):
        seen.append(rival)
        return False, "linear probe handed back: tried"

    monkeypatch.setattr(finetune, "compare", turned_down)
    own = setting(backbone=None)
    fitted = finetune.fit(dataset, replace(own, options={}))
    probe = linear_probe.fit(dataset, Setting(cache=own.cache))
    assert fitted.network == probe.network
    assert fitted.preprocessing.size == seen[0].backbone.preprocessing.size == 64
    held = int(0.2 * len(dataset))
    assert abs(len(seen[0].scores) - held) <= 3
    # Other pixels, other features: the probe that fine-tuning starts from would give other scores.
    assert seen[0].scores.shape[1] == 3


@pytest.mark.parametrize(
    ("side", "preset", "size", "layers"),
    [
        (100, "balanced", 128, 1.0),
        (60, "balanced", 96, 1.0),
        (400, "balanced", 288, 0.4),
        (100, "fast", 128, 1.0),
    ],
)
def test_small_images_stay_small_and_all_layers_learn(tmp_path, side, preset, size, layers):
    paths = []
    for number in range(3):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.new("RGB", (side, side + number)).save(paths[-1])
    dataset = Dataset(tmp_path, tuple(paths), ("a", "b", "a"))
    usual = finetune_presets.PRESETS[preset]
    chosen = finetune_presets.preset_of(dataset, Setting(preset=preset))
    assert (chosen.size, chosen.layers) == (size, layers)
    by_hand = finetune_presets.preset_of(dataset, Setting(preset=preset, options={"size": 224}))
    assert (by_hand.size, by_hand.layers) == (usual.size, usual.layers)
    some = finetune_presets.preset_of(dataset, Setting(preset=preset, options={"layers": 0.5}))
    assert (some.size, some.layers) == (size, 0.5)


@pytest.mark.parametrize(
    ("images", "epochs", "variants"), [(3000, 10, 4), (400, 13, 5), (150, 38, 13), (20, 40, 40)]
)
def test_few_images_are_passed_over_more_often(images, epochs, variants):
    dataset = Dataset(Path(), ("nowhere.png",) * images, ("a",) * images)
    chosen = finetune_presets.preset_of(dataset, Setting())
    assert (chosen.epochs, chosen.variants) == (epochs, variants)


def promised(right, sure):
    truth = np.arange(40) % 2
    chosen = np.where(np.arange(40) < right, truth, 1 - truth)
    probabilities = np.where(np.arange(2) == chosen[:, None], sure, 1 - sure)
    held = SimpleNamespace(labels=truth, probabilities=probabilities)
    return Promised(None, None, 0.0, held, ())


def rival():
    return Rival(Setting(), None, np.log(promised(30, 0.75).out_of_fold.probabilities))


def test_more_right_answers_and_a_lower_loss_win():
    better, sentence = compare(rival(), promised(38, 0.95))
    assert better
    assert (
        "of 40 images held out fine-tuning gets 38 right and the linear probe of the same images 30"
        in sentence
    )


@pytest.mark.parametrize(("right", "sure"), [(29, 0.99), (30, 0.75), (30, 0.999), (31, 0.76)])
def test_anything_less_does_not(right, sure):
    better, sentence = compare(rival(), promised(right, sure))
    assert not better
    assert sentence.startswith("linear probe handed back")


def test_how_sure_a_network_is_does_not_decide_which_epoch_is_best(monkeypatch):
    """Smoothed labels make it doubt; calibration takes that back, so it must not count against an epoch."""
    task = finetune_task.Task.__new__(finetune_task.Task)
    task._way = finetune_task.Way(1e-3, 1e-3, 1.0, np.ones(3), Augmentation())
    labels = torch.arange(60) % 3
    scores = 4 * torch.nn.functional.one_hot(labels, 3).double()
    scores[:6] = scores[6:12].roll(1, 1)

    def validated(values):
        monkeypatch.setattr(finetune_task.Task, "answers", lambda task, network: (values, labels))
        return task.validate(None)

    loss, accuracy = validated(scores)
    assert accuracy == pytest.approx(0.9)
    assert validated(0.1 * scores) == pytest.approx((loss, accuracy), abs=1e-4)
    assert loss < torch.nn.functional.cross_entropy(0.1 * scores, labels)
    assert np.isnan(validated(scores * float("nan"))[0])


@pytest.mark.parametrize(("few", "kept"), [(0, ("best", 1)), (100, ("last", None))])
def test_few_images_held_out_do_not_choose_among_epochs(dataset, setting, winning, monkeypatch, few, kept):
    monkeypatch.setattr(finetune, "FEW_HELD_OUT", few)
    plans, real = [], finetune.run

    def run(task, plan, *rest):
        plans.append(plan)
        return real(task, plan, *rest)

    monkeypatch.setattr(finetune, "run", run)
    finetune.fit(dataset, setting())
    assert [(plan.keep, plan.patience) for plan in plans] == [kept]


def test_rare_classes_weigh_more_and_the_shares_go_to_calibration(dataset, setting, winning):
    rows = [
        row
        for row, label in enumerate(dataset.labels)
        if label != "blue" or int(Path(dataset.paths[row]).stem) < 8
    ]
    fitted = finetune.fit(dataset.take(rows), setting())
    told = "\n".join(fitted.choices)
    assert "class weights: images of the rarest class weigh 1." in told
    np.testing.assert_allclose(
        answers(fitted, dataset.take(rows), fitted.out_of_fold.rows),
        fitted.out_of_fold.probabilities,
        atol=1e-3,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 1.5}, r"layers: must be more than 0 and at most 1, got 1\.5"),
        ({"backbone": "test_resnet+test_efficientnet"}, "backbone: finetune trains one"),
        ({"augment": "wild"}, "augmentation: must be one of"),
    ],
)
def test_what_is_out_of_range_is_refused(dataset, setting, options, message):
    with pytest.raises(OptionError, match=message):
        finetune.fit(dataset, setting(**options))


def test_an_unknown_preset_is_refused(dataset):
    with pytest.raises(OptionError, match="preset: must be one of fast, balanced, best"):
        finetune.fit(dataset, Setting(preset="huge"))


def test_class_weights():
    weights = finetune_task.class_weights(np.array([0.6, 0.3, 0.1]))
    assert weights @ [0.6, 0.3, 0.1] == pytest.approx(1)
    assert weights[2] / weights[0] == pytest.approx(6**0.5)
    assert finetune_task.class_weights(np.array([0.4, 0.6])).tolist() == [1, 1]
    assert finetune_task.class_weights(np.array([0.9995, 0.0005]))[1] < 11


@pytest.fixture
def scarce(monkeypatch):
    """Memory suffices for so many images a step."""
    real = finetune_task.Task.loss

    def limit(most):
        def loss(task, network, rows, epoch, generator):
            if len(rows) > most:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate a lot")
            return real(task, network, rows, epoch, generator)

        monkeypatch.setattr(finetune_task.Task, "loss", loss)

    return limit


def test_out_of_memory_half_the_batch_is_tried(dataset, setting, winning, scarce):
    scarce(8)
    fitted = finetune.fit(dataset, setting(epochs=1))
    assert "memory did not suffice for 16 images a step; trained with 8" in fitted.choices
    scarce(16)
    assert fitted.network == finetune.fit(dataset, setting(epochs=1, batch_size=8)).network


def test_out_of_memory_twice_is_an_error_that_says_what_to_do(dataset, setting, scarce):
    scarce(4)
    with pytest.raises(TrainingError, match=r"memory does not suffice for 8 images.*--batch-size such as 4"):
        finetune.fit(dataset, setting(epochs=1))


def test_other_errors_are_not_taken_for_it(dataset, setting, monkeypatch):
    def loss(*given):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(finetune_task.Task, "loss", loss)
    with pytest.raises(RuntimeError, match="shapes differ"):
        finetune.fit(dataset, setting(epochs=1))
