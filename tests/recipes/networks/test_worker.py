"""Recipes in two processes: the gradients of one, the file of one, and an end that is said."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import OptionError, ProcessEnded
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.progress import silent
from fieldguide.recipes.cnn import recipe as cnn_recipe
from fieldguide.recipes.cnn import shared
from fieldguide.recipes.cnn.task import CnnTask
from fieldguide.recipes.cnn.untrained import network_for
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.finetune import job, recipe
from fieldguide.recipes.networks.shared_images import images_of
from fieldguide.training import local_processes as starting
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.local_processes import local_processes
from fieldguide.training.loop import train_network
from fieldguide.training.plan import Plan
from together import described, plain

PLAN = Plan(images=48, epochs=2, batch_size=15, keep="last")
TOLERANCE, RATE = 1e-5, 0.01


@pytest.fixture(scope="module")
def two():
    with local_processes(2, "together") as processes:
        yield processes


def weights(task):
    return {name: value.clone() for name, value in task.network.state_dict().items()}


def apart(first, second):
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def images(tags):
    random = np.random.default_rng(0)
    numbers = np.arange(64) % 2
    pixels = random.integers(0, 200, (64, 24, 24, 3)).astype(np.uint8)
    pixels[numbers == 1, :, :, 0] += 55
    if tags:  # some are not known, so that shares weigh differently
        numbers = np.stack([numbers, random.integers(-1, 2, 64)], axis=1).astype(np.int8)
    made = images_of({"pixels": pixels, "numbers": numbers, "learn": np.arange(48)}, 2)
    return replace(made, held=np.arange(48, 64))


# First, since a process takes part in one group at a time and the fixture's lasts until the end.
@pytest.fixture
def started(monkeypatch):
    """Filled with the numbers of processes that a training starts."""
    numbers = []

    class Noted(starting.StartedProcess):
        def __init__(self, *given):
            super().__init__(*given)
            numbers.append(self.number)

    monkeypatch.setattr(starting, "StartedProcess", Noted)
    return numbers


@pytest.mark.parametrize("kept", [True, False], ids=["with checkpoints", "without"])
def test_a_process_that_dies_is_replaced_and_changes_nothing(kept, paint_classes, tmp_path, started, caplog):
    folder = paint_classes(tmp_path / "photos", {"red": 12, "green": 12})
    options = Options(settings={"epochs": 2, "size": 16, "augment": "none", "devices": 2})

    def kill(row):
        if row["epoch"] == 1 and len(started) == 2:
            os.kill(started[1], signal.SIGKILL)

    with open_dataset(folder) as dataset:
        whole = cnn_recipe.fit(dataset, options, Run())
        run = Run(folder=tmp_path / "model.training" if kept else None, report=kill)
        fitted = cnn_recipe.fit(dataset, options, run)
    assert len(started) == 3
    note = "process 2 of 2 was ended by signal 9 (SIGKILL); all were started anew (1 of at most 3 times)"
    assert note in fitted.choices
    said = [record.getMessage() for record in caplog.records if record.name == "fieldguide"]
    assert len(said) == 1
    assert said[0].endswith("all processes are started anew")
    assert any(choice.startswith("resumed after step") for choice in fitted.choices) is kept
    assert len(fitted.history) == 2
    assert fitted.body.SerializeToString() == whole.body.SerializeToString()
    assert fitted.head.SerializeToString() == whole.head.SerializeToString()


def test_a_process_that_dies_again_and_again_ends_a_training_that_then_goes_on(
    paint_classes, tmp_path, started, caplog
):
    folder = paint_classes(tmp_path / "photos", {"red": 12, "green": 12})
    settings = {"epochs": 2, "size": 16, "augment": "none"}

    def kill(stage, done, total):
        if stage == "training" and done >= 1 and started:
            os.kill(started.pop(), signal.SIGKILL)
            killed.append(done)

    killed = []
    run = Run(folder=tmp_path / "model.training", progress=kill)
    with open_dataset(folder) as dataset:
        with pytest.raises(ProcessEnded, match=r"process 2 of 2 was ended by signal 9 \(SIGKILL\)"):
            cnn_recipe.fit(dataset, Options(settings={**settings, "devices": 2}), run)
        fitted = cnn_recipe.fit(dataset, Options(settings=settings), replace(run, progress=silent))
    assert len(killed) == 4
    assert [record.name for record in caplog.records].count("fieldguide") == 3
    assert len(fitted.history) == 2


@pytest.mark.parametrize(
    ("augmentation", "tags"),
    [
        (Augmentation.named("light", flip=True), False),
        (Augmentation.named("medium", flip=True), True),
        (Augmentation.named("strong", flip=False), False),
    ],
    ids=["light", "medium, tags", "strong"],
)
def test_a_small_network_learns_the_same_from_the_same_photos(two, augmentation, tags):
    own = images(tags)
    facts = shared.described(own, Preprocessing(24), Options(), (augmentation, 0.24))

    def task():
        torch.manual_seed(0)
        network = network_for(own, Preprocessing(24), Options(), mirrored=bool(augmentation.flip))
        return plain(CnnTask(network, own, PLAN, augmentation, 0.24), RATE)

    alone, together = task(), task()
    before = weights(alone)
    train_network(alone, PLAN)
    two.told_task(described(facts, PLAN, sgd=RATE))
    train_network(together, PLAN, processes=two)
    assert apart(before, weights(alone)) > 100 * TOLERANCE
    assert apart(weights(alone), weights(together)) < TOLERANCE


class Caught(Exception):
    """What a training was about to be given."""


@pytest.mark.parametrize(
    ("layers", "statistics"),
    [(1.0, 0.5), (0.4, 0.0)],
    ids=["all layers, the photos' own statistics", "the last ones"],
)
def test_a_pretrained_network_learns_the_same(
    two, layers, statistics, tiny_hub, paint_classes, tmp_path, monkeypatch
):
    folder = paint_classes(tmp_path, {"red": 24, "green": 20, "blue": 8})
    settings = {"size": 64, "epochs": 2, "batch_size": 7, "augment": "medium", "augment_with": "flip=0"}
    options = Options("test_efficientnet", settings={**settings, "layers": layers, "batch_norm": statistics})

    def catch(task, plan, options, run, name, limits):
        raise Caught(task, plan, limits)

    monkeypatch.setattr(job, "train_with_checkpoints", catch)
    with open_dataset(folder) as dataset, pytest.raises(Caught) as caught:
        recipe.fit(dataset, options, Run())
    task, plan, limits = caught.value.args
    plan = replace(plan, patience=None, keep="last")
    before = weights(task)
    plain(task, 1e-3)
    train_network(task, plan)
    alone = weights(task)
    task.network.load_state_dict(before)
    plain(task, 1e-3)
    two.told_task(described(limits.described, plan, sgd=1e-3))
    train_network(task, plan, processes=two)
    assert apart(before, alone) > 10 * TOLERANCE
    assert apart(alone, weights(task)) < TOLERANCE


@pytest.mark.parametrize(
    ("devices", "said"),
    [
        (0, "devices: must be a whole number, 1 or more; got 0"),
        (1.5, "devices: must be a whole number, 1 or more; got 1.5"),
        (9, "devices: must be at most 8, the images of a step; got 9"),
    ],
)
def test_devices_that_cannot_be_are_refused(devices, said, paint_classes, tmp_path):
    folder = paint_classes(tmp_path / "photos", {"red": 12, "green": 12})
    settings = {"epochs": 1, "size": 16, "augment": "none", "batch_size": 8, "devices": devices}
    with open_dataset(folder) as dataset, pytest.raises(OptionError, match=said):
        cnn_recipe.fit(dataset, Options(settings=settings), Run())


def test_a_command_that_was_launched_twice_writes_one_file(paint_classes, tmp_path):
    """As torchrun starts them, whose own meeting of processes needs more of a network than tests may ask."""
    folder = paint_classes(tmp_path / "photos", {"red": 12, "green": 12})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    told = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    told |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "fieldguide", "train", folder, "--recipe", "cnn", "--epochs", "1"]
    command += ["--size", "16", "--augment", "none", "--out", tmp_path / "model.onnx", "--json", "-"]
    ranks = [
        subprocess.Popen(
            command,
            env={**os.environ, **told, "RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    try:
        said = [rank.communicate(timeout=600) for rank in ranks]
    finally:  # one that failed leaves the other waiting
        for rank in ranks:
            rank.kill()
    assert [rank.returncode for rank in ranks] == [0, 0], said
    assert json.loads(said[0][0])["model"] == str(tmp_path / "model.onnx")
    assert said[1][0] == ""
    assert all(line.startswith("[rank1]:[W") for line in said[1][1].splitlines())  # torch's own advice
    assert [path.name for path in tmp_path.glob("*.onnx")] == ["model.onnx"]
